import { type PayloadReader, READ_ALL } from "./payload_reader.ts";
import type { PacketHeader } from "./packet_header.ts";

/** TCP and UDP ports that there are. */
const PORTS = 1 << 16;

/** Several {@linkcode PayloadReader} as one: each is given the packets from its ports. */
export class PayloadReaders implements PayloadReader {
  readonly ports: Uint8Array = new Uint8Array(PORTS);
  readonly #readers: readonly PayloadReader[];

  constructor(readers: readonly PayloadReader[]) {
    this.#readers = readers;
    for (const { ports } of readers) {
      // Where one wants all, those that want responses are given queries too, and count them.
      ports.forEach((wanted, port) => {
        if (wanted !== 0 && this.ports[port] !== READ_ALL) this.ports[port] = wanted;
      });
    }
  }

  read(
    view: DataView<ArrayBufferLike>,
    header: PacketHeader,
    seconds: number,
    window: number,
  ): void {
    for (const reader of this.#readers) {
      if (reader.ports[header.sourcePort] !== 0) reader.read(view, header, seconds, window);
    }
  }

  countQueries(count: number): void {
    for (const reader of this.#readers) reader.countQueries?.(count);
  }

  flush(): void {
    for (const reader of this.#readers) reader.flush();
  }
}
