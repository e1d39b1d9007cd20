import type { Refusals, TimedName } from "./store_batch.ts";
import { withoutDot } from "./without_dot.ts";

/** Takes what writes of keys with names say. */
export interface NameTaker {
  takeRefusals(refusals: Refusals): void;
  /** A name that a client looked up, and an address that it got. */
  takeAddress(client: string, name: string, address: string, time: number, count: number): void;
  /** An alias, and the name that it stands for. */
  takeAlias(client: string, name: string, target: string, time: number, count: number): void;
}

/** Reads a write of a key with names. */
export function readName({ key, name, time, count = 1 }: TimedName, taker: NameTaker): void {
  const [client, second, kind] = key.split(";");
  if (kind === "nx") {
    taker.takeRefusals({
      kind,
      prober: client,
      target: second,
      port: 0,
      reason: "",
      count,
      time,
    });
  } else if (kind === "dns" && name !== null) {
    taker.takeAddress(client, withoutDot(name), second, time, count);
  } else if (kind === "cname" && name !== null) {
    taker.takeAlias(client, withoutDot(name), withoutDot(second), time, count);
  }
}
