import type { Log } from "../log.ts";
import { InterfaceSource } from "./interface_source.ts";
import type { LiveOptions, LongPackets } from "./live_options.ts";
import type { OpenInterface } from "./open_interface.ts";

/** Most packets of a batch: enough to share its cost, and few enough to stay in the cache. */
const MOST_PACKETS = 4096;

/**
 * Packets of an interface, taken from the kernel without libpcap, which is needed for a filter only.
 *
 * They are those that {@linkcode LiveSource} takes.
 */
export class RingSource extends InterfaceSource {
  private constructor(
    name: string,
    options: Readonly<LiveOptions>,
    log: Log,
    input: Uint8Array<ArrayBuffer> | undefined,
  ) {
    super(name, options, log, MOST_PACKETS, input);
  }

  /**
   * Starts to take packets. An interface that is there and down is waited for.
   *
   * @param input Where packets are to be put: an engine's input. By default, in memory of its own.
   * @throws {UserError} when there is no such interface, capture is not permitted, the filter has an
   * error or there is no libpcap to compile it, or the link type is one that is not decoded.
   */
  static open(
    name: string,
    options: Readonly<LiveOptions>,
    log: Log,
    input?: Uint8Array<ArrayBuffer>,
  ): RingSource {
    return new RingSource(name, options, log, input).start();
  }

  protected override openInterface(long: LongPackets): OpenInterface {
    return this.ring.open(long, this.input);
  }
}
