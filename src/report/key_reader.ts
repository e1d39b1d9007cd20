import { parseAddress } from "../model/address.ts";
import { domainName } from "../model/domain_name.ts";
import type { FlowObservations, Refusals, TimedName } from "../store/store_batch.ts";
import { unreachableReason } from "../sink/unreachable_reason.ts";

/** What keys of the Redis contract say, as a store takes it. */
export interface ReadKeys {
  readonly observations: FlowObservations[];
  readonly refusals: Refusals[];
  readonly names: TimedName[];
}

/** What is known of a key beside itself. */
export interface KeyDetails {
  /** A counter's value. */
  readonly count: number;
  /** Names of a key that has such. */
  readonly names: readonly string[];
  readonly by?: string;
  /** Name of a flow's server. */
  readonly name?: string | null;
  /** Where it comes from. By default, from a lookup. */
  readonly nameOrigin?: string;
  /** When, in milliseconds since 1970-01-01 UTC. By default, that is not known. */
  readonly time?: number;
  /** Of a flow. By default, that is not known. */
  readonly protocol?: "tcp" | "udp";
}

/** Redis does not say when. */
const UNKNOWN_TIME = 0;

/** A key of the contract has no more parts. */
const MOST_PARTS = 5;
/** Names have no other characters (`src/model/domain_name.ts`). */
const PLAIN_NAME = /^[!-:<-~]+$/;
/** No port is higher. */
const MOST_PORT = 65_535;
/** More observations of one key than years bring; sums of all keys stay whole numbers. */
const MOST_COUNT = 2 ** 32;

/**
 * Reads one key of the Redis contract. What is none is left out, as the contract has it: kinds that are
 * not known, and keys that others have written in the form of one, with something else in it.
 *
 * @returns Whether it is a key that a report is made of.
 */
export function readKey(key: string, details: KeyDetails, into: ReadKeys): boolean {
  const parts = key.split(";", MOST_PARTS + 1);
  const kind = parts.at(-1);
  const names = details.names.flatMap((it) => nameOf(it) ?? []);
  const count = countOf(details.count);
  const { time = UNKNOWN_TIME } = details;
  if (kind === "flow" && parts.length === 4) {
    const [client, server, portText] = parts;
    const port = portOf(portText);
    if (port === null || !areAddresses(client, server)) return false;
    const { by = "", nameOrigin, protocol = "" } = details;
    const name = details.name == null ? null : nameOf(details.name);
    const flow = { client, server, port, protocol, by, name, nameOrigin, count, time };
    into.observations.push(flow);
  } else if (kind === "rst" && parts.length === 4) {
    const [prober, target, ports] = parts;
    const port = triedPort(ports);
    if (port === null || !areAddresses(prober, target)) return false;
    into.refusals.push({ kind, prober, target, port, reason: "", count, time });
  } else if (kind === "icmp" && parts.length === 5) {
    const [prober, target, ports, code] = parts;
    const port = triedPort(ports);
    if (port === null || !areAddresses(prober, target) || !/^\d{1,3}$/.test(code)) return false;
    const reason = unreachableReason(Number(code), target.includes(":"));
    into.refusals.push({ kind, prober, target, port, reason, count, time });
  } else if (kind === "nx" && parts.length === 3) {
    const [prober, name] = parts;
    const target = nameOf(name);
    if (target === null || !areAddresses(prober)) return false;
    into.refusals.push({ kind, prober, target, port: 0, reason: "", count, time });
  } else if ((kind === "dns" || kind === "cname") && parts.length === 3) {
    if (!areAddresses(parts[0]) || kind === "dns" && !areAddresses(parts[1])) return false;
    for (const name of names) into.names.push({ key, name, time });
  } else {
    return false;
  }
  return true;
}

function areAddresses(...texts: readonly string[]): boolean {
  return texts.every((text) => parseAddress(text) !== null);
}

/** A name as keys have it, whatever wrote it; `null` for what can be none. */
function nameOf(text: string): string | null {
  return PLAIN_NAME.test(text) ? text : domainName(text);
}

function countOf(count: number): number {
  return Number.isInteger(count) && count > 0 ? Math.min(count, MOST_COUNT) : 0;
}

function portOf(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,5}$/.test(text)) return null;
  const port = Number(text);
  return port <= MOST_PORT ? port : null;
}

/** Of both ports the second is the one that was tried. */
function triedPort(ports: string): number | null {
  return portOf(ports.split(":")[1]);
}
