import assert from "node:assert/strict";
import { execute, HAS_RESOLVER, RESOLVER, Resolver, WITHOUT_RESOLVER } from "../names/resolver.ts";
import { CAN_MAKE_NAMESPACES, WITHOUT_NAMESPACES } from "../namespaces.ts";
import type { RunningProgram } from "./program.ts";
import { captureTest, type Setting, startCapture } from "./capture_setting.ts";

/** Clients by how they find their server. */
const PLAIN = "10.99.0.7";
const BY_ADDRESS = "10.99.0.8";
const OVER_TLS = "10.99.0.9";
const BY_NAME_OF_OTHERS = "10.99.0.10";
const NAMES = {
  "www.test": "192.0.2.10",
  "other.test": "192.0.2.20",
  "tls.test": "192.0.2.30",
};

/** What lines of JSON say of the flows to port 443, by client and server. */
function flowsIn(lines: string): Record<string, string> {
  const ends = lines.trim().split("\n").map((line) => JSON.parse(line))
    .filter(({ type, port }) => type === "end" && port === 443);
  return Object.fromEntries(ends.map(({ client, server, names = [], explained, why }) => [
    `${client} ${server}`,
    [
      explained,
      ...names.map((it: { name: string; from: string }) => `${it.from} ${it.name}`),
      ...(why === undefined ? [] : [why]),
    ].join("; "),
  ]));
}

const EXPECTED = {
  [`${PLAIN} 192.0.2.10`]: "true; lookup www.test.; sni www.test.",
  [`${BY_ADDRESS} 192.0.2.20`]:
    `false; ${BY_ADDRESS} did not look up 192.0.2.20; nothing else names it`,
  [`${BY_NAME_OF_OTHERS} 192.0.2.10`]: `false; sni www.test.; other-client www.test.; ` +
    `${BY_NAME_OF_OTHERS} did not look up 192.0.2.10; TLS asks for www.test; ` +
    `${PLAIN} looked up www.test for it`,
  [`${OVER_TLS} 192.0.2.30`]: `false; sni tls.test.; ${OVER_TLS} did not look up 192.0.2.30; ` +
    `TLS asks for tls.test; ${OVER_TLS} looks names up over DoT at ${RESOLVER}`,
};

/** What clients do: look up, or not, and connect. */
async function connectAll({ pair }: Setting, program: RunningProgram): Promise<void> {
  const run = (...command: string[]) => execute(pair.sender, ...command);
  const get = (client: string, name: string, address: string) => {
    const how = ["--interface", client, "--resolve", `${name}:443:${address}`];
    return run("curl", "-sk", "-m", "20", ...how, `https://${name}/`);
  };
  // The sensor has seen each of them look something up.
  for (const client of [BY_ADDRESS, BY_NAME_OF_OTHERS]) {
    await run("dig", "-b", client, `@${RESOLVER}`, "missing.test");
  }
  await run("dig", "-b", PLAIN, `@${RESOLVER}`, "www.test");
  await get(PLAIN, "www.test", NAMES["www.test"]);
  await run(
    "curl",
    "-sk",
    "-m",
    "20",
    "--interface",
    BY_ADDRESS,
    `https://${NAMES["other.test"]}/`,
  );
  await get(BY_NAME_OF_OTHERS, "www.test", NAMES["www.test"]);
  await run("kdig", "+tls", "-b", OVER_TLS, `@${RESOLVER}`, "tls.test");
  // Of two threads either may tell first what it has seen since the last flush.
  await program.prints(`${OVER_TLS};${RESOLVER};853;flow`);
  await get(OVER_TLS, "tls.test", NAMES["tls.test"]);
}

for (
  const [what, args] of [
    ["libpcap", ["--source", "libpcap"]],
    ["the kernel's ring", ["--source", "af_packet"]],
    ["two threads", ["--workers", "2"]],
  ] as const
) {
  captureTest(
    `capture tells apart who looked a server up, knew its address, asked over TLS, with ${what}`,
    async (setting) => {
      const clients = [PLAIN, BY_ADDRESS, OVER_TLS, BY_NAME_OF_OTHERS];
      await using _resolver = await Resolver.start(setting.pair, clients, NAMES);
      await using program = await startCapture(
        setting,
        [setting.pair.veth, "10.99.0.0/24", "--no-redis", "--json", ...args],
      );
      await connectAll(setting, program);
      program.signal("SIGINT");
      const { stdout } = await program.ended;
      assert.deepEqual(flowsIn(stdout), EXPECTED);
    },
    {
      ignore: !CAN_MAKE_NAMESPACES || !HAS_RESOLVER,
      reason: WITHOUT_NAMESPACES || WITHOUT_RESOLVER,
    },
  );
}
