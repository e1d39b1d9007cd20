/** Bytes of the length before each message (RFC 1035, section 4.2.2). */
const LENGTH_BYTES = 2;
const DNS_HEADER = 12;
/** A message that is not whole begins with this much that can be looked at, at least. */
const RESPONSE_BIT = 0x80;
const OPCODE_MASK = 0x78;
/** The bit that must be zero (RFC 1035, section 4.1.1; RFC 2535 took two of the three). */
const ZERO_BIT = 0x40;

/** How {@linkcode TcpMessages} is bounded. */
export interface TcpMessagesOptions {
  /** Streams with a message that is not whole. @default 1024 */
  maxStreams?: number;
  /** Bytes of such messages, of all streams together. @default 8_388_608 */
  maxBytes?: number;
}

/** A message of which the beginning was seen. */
interface Partial {
  /** The sequence number that goes on with it. */
  next: number;
  /** What was seen, with the length before it. */
  readonly bytes: Uint8Array;
  filled: number;
}

const DEFAULT_MAX_STREAMS = 1024;
const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;
/** Room for a length, until the length is known. */
const UNKNOWN_LENGTH = LENGTH_BYTES;

/**
 * DNS messages out of TCP segments, in which a message begins anywhere and ends anywhere.
 *
 * Most messages are within a segment. Of one that is not, the beginning is kept until the segments
 * that follow in order bring the rest; where one is missing it is given up, and so is what follows,
 * up to a segment that begins with a message. What is kept is bounded in number and bytes: beyond
 * that, the message that did not go on for longest makes room.
 */
export class TcpMessages {
  readonly #maxStreams: number;
  readonly #maxBytes: number;
  /** In the order in which they last went on. */
  readonly #partials = new Map<string, Partial>();
  #bytes = 0;

  constructor(options: TcpMessagesOptions = {}) {
    this.#maxStreams = options.maxStreams ?? DEFAULT_MAX_STREAMS;
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  }

  /** Streams with a message that is not whole. */
  get partials(): number {
    return this.#partials.size;
  }

  /** Bytes kept for them. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes the payload of a segment.
   *
   * @param stream Tells its stream, in this direction, from all others.
   * @param sequence The sequence number of the first byte.
   * @param segment Holds the payload, from `start` to `end`.
   * @param visit Called for each message that is whole now.
   * @returns Whether it could be made use of: not if it begins within a message that was not seen.
   */
  take(
    stream: string,
    sequence: number,
    segment: Uint8Array,
    start: number,
    end: number,
    visit: (bytes: Uint8Array, start: number, end: number) => void,
  ): boolean {
    let at = start;
    const partial = this.#partials.get(stream);
    if (partial !== undefined) {
      // Sequence numbers wrap, so what matters is the sign of their difference in 32 bits.
      const ahead = (sequence - partial.next) | 0;
      if (ahead > 0) {
        this.forget(stream);
      } else {
        // What was sent again is gone past.
        at = start - ahead;
        if (at >= end) return true;
        at = this.#goOn(stream, partial, segment, at, end, visit);
      }
    }
    while (at < end) {
      const rest = end - at;
      if (!isBeginning(segment, at, end)) return false;
      const size = rest < LENGTH_BYTES ? UNKNOWN_LENGTH : sizeAt(segment, at);
      if (rest < size || rest < LENGTH_BYTES) {
        this.#keep(stream, (sequence + (end - start)) | 0, segment.subarray(at, end), size);
        return true;
      }
      visit(segment, at + LENGTH_BYTES, at + size);
      at += size;
    }
    return true;
  }

  /** Gives up what is kept of a stream: it ended, or another one begins. */
  forget(stream: string): void {
    const partial = this.#partials.get(stream);
    if (partial === undefined) return;
    this.#bytes -= partial.bytes.length;
    this.#partials.delete(stream);
  }

  /** @returns Where the bytes begin that are not of the message that went on. */
  #goOn(
    stream: string,
    partial: Partial,
    segment: Uint8Array,
    start: number,
    end: number,
    visit: (bytes: Uint8Array, start: number, end: number) => void,
  ): number {
    let { bytes, filled } = partial;
    let at = start;
    const fill = () => {
      const count = Math.min(bytes.length - filled, end - at);
      bytes.set(segment.subarray(at, at + count), filled);
      filled += count;
      at += count;
    };
    fill();
    if (filled === UNKNOWN_LENGTH && bytes.length === UNKNOWN_LENGTH) {
      const whole = new Uint8Array(sizeAt(bytes, 0));
      whole.set(bytes.subarray(0, Math.min(filled, whole.length)));
      bytes = whole;
      fill();
    }
    this.forget(stream);
    if (filled === bytes.length && filled > LENGTH_BYTES) visit(bytes, LENGTH_BYTES, filled);
    else if (at === end) {
      this.#remember(stream, { next: partial.next + (end - start), bytes, filled });
    }
    return at;
  }

  #keep(stream: string, next: number, seen: Uint8Array, size: number): void {
    const bytes = new Uint8Array(size);
    bytes.set(seen);
    this.#remember(stream, { next, bytes, filled: seen.length });
  }

  #remember(stream: string, partial: Partial): void {
    this.#partials.set(stream, partial);
    this.#bytes += partial.bytes.length;
    for (const oldest of this.#partials.keys()) {
      if (this.#partials.size <= this.#maxStreams && this.#bytes <= this.#maxBytes) return;
      this.forget(oldest);
    }
  }
}

/** Bytes of a message and the length before it. */
function sizeAt(bytes: Uint8Array, at: number): number {
  return LENGTH_BYTES + ((bytes[at] << 8) | bytes[at + 1]);
}

/**
 * Whether a response may begin here, as far as can be seen. In the middle of a message that holds by
 * chance only; what is then read makes no sense, and is counted as malformed.
 */
function isBeginning(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < LENGTH_BYTES) return true;
  if (sizeAt(bytes, at) < LENGTH_BYTES + DNS_HEADER) return false;
  const flags = at + LENGTH_BYTES + 2;
  if (flags + 2 > end) return true;
  return (bytes[flags] & RESPONSE_BIT) !== 0 && (bytes[flags] & OPCODE_MASK) === 0 &&
    (bytes[flags + 1] & ZERO_BIT) === 0;
}
