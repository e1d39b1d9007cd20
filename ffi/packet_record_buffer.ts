import { functionAddress } from "./dynamic_linker.ts";
import { libc } from "./libc.ts";
import { libpcap } from "./libpcap.ts";
import { allocate, cString } from "./memory.ts";
import type { PcapHandle } from "./pcap_handle.ts";

/** Bytes before each packet: seconds, microseconds, bytes captured, bytes on the wire. */
export const RECORD_HEADER_SIZE = 16;

/** Fully buffered, setvbuf(3); from `<stdio.h>`. */
const IOFBF = 0;
/** The caller sees to locking, __fsetlocking(3); from `<stdio_ext.h>`. */
const FSETLOCKING_BYCALLER = 2;
/**
 * Bytes more for each packet than the snapshot length: libpcap before 1.10 put a VLAN tag that the
 * interface had taken off back without cutting the packet again.
 */
const VLAN_TAG_SIZE = 4;
/** The most bytes of a record besides the snapshot length. */
export const RECORD_OVERHEAD: number = RECORD_HEADER_SIZE + VLAN_TAG_SIZE;

/**
 * What libpcap calls an error where a nonblocking handle of the packet filter's log (nflog) has no packet:
 * strerror(3) of EAGAIN.
 */
const NOTHING_THERE = "Resource temporarily unavailable";

/** open(2). */
const O_WRONLY = 0o1;
const O_CLOEXEC = 0o2000000;

/** `pcap_dump`, of which there is one. */
let pcapDump: Deno.PointerObject | undefined;
/** Descriptor of /dev/null. It is opened once: later, nothing may be opened to be written any more. */
let nullDevice: number | undefined;

/**
 * Takes packets out of libpcap, many with one call.
 *
 * `pcap_dump`, which writes a packet to a saved capture, has the type of the callback of
 * `pcap_dispatch`. Here the saved capture is a stdio stream on /dev/null whose buffer is memory of
 * ours, large enough for a whole batch: after a dispatch the packets lie in it one after the other,
 * each a header of {@linkcode RECORD_HEADER_SIZE} bytes in the machine's byte order and the
 * packet's bytes, as pcap-savefile(5) has them. No JavaScript runs for a packet.
 */
export class PacketRecordBuffer {
  /** The records of the last {@linkcode PacketRecordBuffer.fill}. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #handle: PcapHandle;
  readonly #packets: number;
  readonly #file: Deno.PointerObject;
  /** `null` once closed. */
  #dumper: Deno.PointerObject | null;

  /**
   * @param handle An active handle.
   * @param packets Most packets that one fill takes.
   * @param snaplen The handle's snapshot length.
   * @param bytes Where they go, if they are to be somewhere: with room for all of these packets.
   */
  constructor(
    handle: PcapHandle,
    packets: number,
    snaplen: number,
    bytes?: Uint8Array<ArrayBuffer>,
  ) {
    pcapDump ??= functionAddress(libpcap(), "pcap_dump");
    const { dup, fdopen, setvbuf, fsetlocking, fflush } = libc();
    this.#handle = handle;
    this.#packets = packets;
    this.bytes = bytes ?? allocate(packets * (RECORD_OVERHEAD + snaplen));
    PacketRecordBuffer.prepare();
    const file = fdopen(dup(nullDevice!), cString("w"));
    if (file === null) throw new Error("/dev/null can't be opened");
    this.#file = file;
    setvbuf(file, this.bytes, IOFBF, BigInt(this.bytes.length));
    // One thread at a time uses the stream: a lock taken twice a packet would be for nothing.
    fsetlocking(file, FSETLOCKING_BYCALLER);
    this.#dumper = libpcap().symbols.dump_fopen(handle.pointer, file);
    if (this.#dumper === null) throw handle.lastError();
    // The header of the saved capture, so that the first batch begins where the buffer begins.
    fflush(file);
  }

  /** Opens what all of them need, for one that is made when nothing may be opened to be written. */
  static prepare(): void {
    nullDevice ??= libc().open(cString("/dev/null"), O_WRONLY | O_CLOEXEC, 0);
  }

  /**
   * Fills the buffer with the packets that are there. It does not wait if the handle is nonblocking.
   *
   * @returns How many packets were taken.
   * @throws {PcapError} when the interface can't be read any more.
   */
  fill(): number {
    const count = libpcap().symbols.dispatch(
      this.#handle.pointer,
      this.#packets,
      pcapDump!,
      this.#dumper,
    );
    // Empties the stream; what was in its buffer stays there until the next fill.
    libc().fflush(this.#file);
    if (count >= 0) return count;
    const error = this.#handle.lastError();
    if (error.message.endsWith(NOTHING_THERE)) return 0;
    throw error;
  }

  /** Gives the stream back; before the handle is closed. Closing twice is harmless. */
  close(): void {
    if (this.#dumper !== null) libpcap().symbols.dump_close(this.#dumper);
    this.#dumper = null;
  }
}
