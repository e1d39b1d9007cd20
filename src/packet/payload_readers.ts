import { type PayloadReader, READ_ALL, READ_RESPONSES } from "./payload_reader.ts";
import type { PacketHeader } from "./packet_header.ts";

/** TCP and UDP ports that there are. */
const PORTS = 1 << 16;

/** Several {@linkcode PayloadReader} as one: each is given the packets from its ports. */
export class PayloadReaders implements PayloadReader {
  readonly ports: Uint8Array = new Uint8Array(PORTS);
  readonly #readers: readonly PayloadReader[];

  constructor(readers: readonly PayloadReader[]) {
    this.#readers = readers;
    for (let port = 0; port < PORTS; port++) {
      const wanted = readers.map(({ ports }) => ports[port]).filter((it) => it !== 0);
      if (wanted.length === 0) continue;
      // Where one wants all, those that want responses are given queries too, and count them.
      this.ports[port] = wanted.includes(READ_ALL) ? READ_ALL : READ_RESPONSES;
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
