import type { PacketHeader } from "./packet_header.ts";
import * as ports from "../model/read_ports.ts";

/** A port of a {@linkcode PayloadReader} from which all TCP and UDP packets are to be read. */
export const READ_ALL: number = ports.READ_ALL;
/** One from which DNS queries over UDP need not be read, if they are counted. */
export const READ_RESPONSES: number = ports.READ_RESPONSES;

/**
 * Reads what packets from certain ports carry, such as DNS. It is called for these packets only, one
 * after the other, before their flows are judged.
 */
export interface PayloadReader {
  /** For each of the 65536 ports, 0, `READ_ALL` or `READ_RESPONSES`. */
  readonly ports: Uint8Array;

  /**
   * Reads a packet.
   *
   * @param view The batch's buffer, which is used again as soon as this returns.
   * @param header Where in it the payload is, and between whom.
   * @param seconds When it was seen, in seconds since 1970-01-01 UTC.
   * @param window The window of time in which that is, as `WindowClock` counts them.
   */
  read(
    view: DataView<ArrayBufferLike>,
    header: PacketHeader,
    seconds: number,
    window: number,
  ): void;

  /** Counts DNS queries that were not read, from ports with `READ_RESPONSES`. */
  countQueries?(count: number): void;

  /** Hands on what was found. */
  flush(): void;
}
