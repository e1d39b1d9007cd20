import { isCaptureName } from "./is_capture_name.ts";
import { isInterface } from "./is_interface.ts";

/** Words that a filter of pcap-filter(7) may begin with. */
const FILTER_WORDS = new Set(
  ("host net port portrange src dst tcp udp icmp icmp6 ip ip6 arp rarp sctp ether vlan mpls pppoes " +
    "proto and or not less greater broadcast multicast gateway inbound outbound").split(" "),
);

/** What a command takes. */
export type Named = "interfaces" | "files";

/**
 * What was most likely meant by a word that stands where an interface or a file is named and is
 * neither, in one line; `null` when nothing speaks for a mistake.
 *
 * @param words All words in their order.
 * @param at Which of them it is about.
 * @param filter What stands behind --filter.
 */
export function mistakenName(
  words: readonly string[],
  at: number,
  named: Named,
  filter?: string,
): string | null {
  const name = words[at];
  const capture = named === "interfaces";
  const kind = capture ? "interface" : "file";
  if (/^(rediss?(-cluster|-sentinel)?|unix|redis\+unix):/.test(name)) {
    // It may hold a password.
    return `a Redis URL is in the place of the ${kind}: write --redis URL`;
  }
  if (/\.(json|jsonl|ndjson)$/.test(name)) {
    return `${name}: --json takes no file, it writes to standard output: write --json > ${name}`;
  }
  if (capture ? isInterface(name) : isThere(name)) return null;
  if (name.includes(",")) {
    return `${name}: name each by itself: ${name.split(",").filter((it) => it !== "").join(" ")}`;
  }
  if (capture && (isThere(name) || isCaptureName(name))) {
    return `${name} is a file and no interface: write flosensor replay ${name}`;
  }
  if (!capture && isInterface(name)) {
    return `${name} is an interface and no file: write flosensor capture ${name}`;
  }
  if (FILTER_WORDS.has(name.split(/[ [(]/)[0])) {
    const whole = [...filter === undefined ? [] : [filter], ...words.slice(at)].join(" ");
    return `${name} is no ${kind}; a filter is one word behind --filter: --filter "${whole}"`;
  }
  if (/^\d+\.[\d.]*(\*|[-:/].*)?$/.test(name)) {
    return `${name} is no ${kind}; for an own network write it as "10.0.0.0/8"`;
  }
  return !capture && /[*?[]/.test(name) ? `${name}: there is no file of such a name` : null;
}

function isThere(name: string): boolean {
  if (name === "-") return true;
  try {
    Deno.statSync(name);
    return true;
  } catch (error) {
    // Opening it will say what is wrong.
    return !(error instanceof Deno.errors.NotFound);
  }
}
