import type { Cidr } from "../config/cidr.ts";
import { bitsOf, maskWords } from "../config/prefix_mask.ts";
import { DEFAULT_DNS_PORTS, portsToRead } from "../dns/dns_ports.ts";
import { DEFAULT_MAX_CONVERSATIONS } from "../flow/default_max_conversations.ts";
import type { SiftedCapture } from "../workers/sieve_thread.ts";

/** Options of `replay` that seldom change what is sifted; of the latter, a value follows. */
const FLAGS = new Set(["--no-redis", "--json"]);
const WITH_VALUE = new Set([
  ...["-c", "--config", "--redis", "--redis-password-file", "--stats", "--log-level"],
  ...["--store", "--retain", "--store-size"],
]);

/**
 * What `replay` will read first, and how, as far as that can be told before the command line is parsed
 * and the configuration loaded; `null` where it can't. Whoever goes by it has to compare it with what
 * comes out.
 *
 * @param parameters What stands on the command line after the program's name.
 */
export function presumedReplay(parameters: readonly string[]): SiftedCapture | null {
  const [command, ...others] = parameters;
  if (command !== "replay") return null;
  const words: string[] = [];
  for (let i = 0; i < others.length; i++) {
    if (WITH_VALUE.has(others[i])) i++;
    else if (!others[i].startsWith("-")) words.push(others[i]);
    else if (!FLAGS.has(others[i])) return null;
  }
  const ownNetworks: Cidr[] = [];
  let path: string | undefined;
  for (const word of words) {
    const cidr = presumedPrefix(word);
    if (cidr === null) path ??= word;
    else ownNetworks.push(cidr);
  }
  if (path === undefined) return null;
  const readPorts = portsToRead(DEFAULT_DNS_PORTS);
  const settings = { maxConversations: DEFAULT_MAX_CONVERSATIONS, readPorts, ownNetworks };
  return { path, filter: undefined, settings };
}

/**
 * The prefix that a word is, where it is written as most are. What reads prefixes of all kinds takes as
 * long to load as a million packets to be read.
 */
function presumedPrefix(word: string): Cidr | null {
  const [address, length] = word.split("/");
  const family = address.includes(":") ? 6 : 4;
  const prefixLength = length === undefined ? bitsOf(family) : Number(length);
  // An IPv6 address as a URL has it is written in but one way: RFC 5952, section 4.
  const host = URL.parse(family === 6 ? `http://[${address}]` : `http://${address}`)?.hostname;
  if (host === undefined || !(prefixLength <= bitsOf(family))) return null;
  if (family === 4 && (host !== address || !/^[\d.]+$/.test(host))) return null;
  const words = family === 6 ? ipv6Words(host.slice(1, -1)) : [0, 0, 0, ipv4Word(host)];
  const masks = maskWords(family, prefixLength);
  return { family, words: Uint32Array.from(words, (it, i) => it & masks[i]), prefixLength };
}

function ipv4Word(address: string): number {
  return address.split(".").reduce((word, byte) => (word << 8) | Number(byte), 0);
}

function ipv6Words(address: string): number[] {
  const [head, tail] = address.split("::").map((half) => half === "" ? [] : half.split(":"));
  const zeros = new Array(8 - head.length - (tail?.length ?? 0)).fill("0");
  const groups = [...head, ...zeros, ...tail ?? []].map((group) => parseInt(group, 16));
  return [0, 2, 4, 6].map((i) => (groups[i] << 16) | groups[i + 1]);
}
