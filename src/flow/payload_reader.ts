import type { PacketHeader } from "../packet/packet_header.ts";

/**
 * Reads what packets from certain ports carry, such as DNS. It is called for these packets only, one
 * after the other, before their flows are judged.
 */
export interface PayloadReader {
  /** For each of the 65536 ports, 1 where TCP and UDP packets that come from it are to be read. */
  readonly ports: Uint8Array;

  /**
   * Reads a packet.
   *
   * @param view The batch's buffer, which is used again as soon as this returns.
   * @param header Where in it the payload is, and between whom.
   * @param seconds When it was seen, in seconds since 1970-01-01 UTC.
   * @param window The window of time in which that is, as `HeldKeys` counts them.
   */
  read(
    view: DataView<ArrayBufferLike>,
    header: PacketHeader,
    seconds: number,
    window: number,
  ): void;

  /** Hands on what was found. */
  flush(): void;
}
