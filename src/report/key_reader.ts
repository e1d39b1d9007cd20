import type { FlowSightings, Refusals, TimedName } from "../store/store_batch.ts";
import { unreachableReason } from "../sink/unreachable_reason.ts";

/** What keys of the Redis contract say, as a store takes it. */
export interface ReadKeys {
  readonly sightings: FlowSightings[];
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
}

/** Neither Redis nor lines of JSON say when. */
const UNKNOWN_TIME = 0;

/**
 * Reads one key of the Redis contract. Kinds that are not known are left out, as the contract has it.
 *
 * @returns Whether it is a key that a report is made of.
 */
export function readKey(key: string, details: KeyDetails, into: ReadKeys): boolean {
  const parts = key.split(";");
  const kind = parts.at(-1);
  const { count, names } = details;
  const time = UNKNOWN_TIME;
  if (kind === "flow" && parts.length === 4) {
    const [client, server, port] = parts;
    if (!/^\d+$/.test(port)) return false;
    const { by = "", name = null, nameOrigin } = details;
    into.sightings.push({
      client,
      server,
      port: Number(port),
      protocol: "",
      by,
      name,
      nameOrigin,
      count,
      time,
    });
  } else if (kind === "rst" && parts.length === 4) {
    const [prober, target, ports] = parts;
    const port = triedPort(ports);
    into.refusals.push({ kind, prober, target, port, reason: "", count, time });
  } else if (kind === "icmp" && parts.length === 5) {
    const [prober, target, ports, code] = parts;
    const reason = unreachableReason(Number(code), target.includes(":"));
    into.refusals.push({ kind, prober, target, port: triedPort(ports), reason, count, time });
  } else if (kind === "nx" && parts.length === 3) {
    const [prober, target] = parts;
    into.refusals.push({ kind, prober, target, port: 0, reason: "", count, time });
  } else if ((kind === "dns" || kind === "cname") && parts.length === 3) {
    for (const name of names) into.names.push({ key, name, time });
  } else {
    return false;
  }
  return true;
}

/** Of both ports the second is the one that was tried. */
function triedPort(ports: string): number {
  return Number(ports.split(":")[1] ?? 0);
}
