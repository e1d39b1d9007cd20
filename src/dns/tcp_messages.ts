/** Bytes of the length before each message (RFC 1035, section 4.2.2). */
const LENGTH_BYTES = 2;
const DNS_HEADER = 12;
/** A message that is not whole begins with this much that can be looked at, at least. */
const RESPONSE_BIT = 0x80;
const OPCODE_MASK = 0x78;
/** The bit that must be zero (RFC 1035, section 4.1.1; RFC 2535 took two of the three). */
const ZERO_BIT = 0x40;

/** A length and what {@linkcode isBeginning} looks at. */
const TOLD_BYTES = LENGTH_BYTES + 4;

/** How {@linkcode TcpMessages} is bounded, and who is told of what it gives up. */
export interface TcpMessagesOptions {
  /**
   * Streams with a message that is not whole; so many times {@linkcode STREAMS_IN_STEP} streams are
   * known of which all was read.
   *
   * @default 1024
   */
  maxStreams?: number;
  /** Bytes of such messages, of all streams together. @default 8_388_608 */
  maxBytes?: number;
  /** Called for each message of which the beginning was seen, and the rest was not. */
  onCut?: () => void;
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
/** A number for each stream is little. */
const STREAMS_IN_STEP = 16;
/** Room for a length, until the length is known. */
const UNKNOWN_LENGTH = LENGTH_BYTES;
/**
 * What lies further back was not sent again, but is of another connection with the same ports: more
 * bytes than are on their way at a time from a name server.
 */
const FARTHEST_BACK = 1 << 20;

/**
 * DNS messages out of TCP segments, in which a message begins anywhere and ends anywhere.
 *
 * Most messages are within a segment. Of one that is not, the beginning is kept until the segments
 * that follow in order bring the rest; where one is missing it is given up, and so is what follows,
 * up to a segment that begins with a message. Of a stream of which all was read, it is kept where it
 * goes on: what is sent again, as a keep-alive probe has it (RFC 9293, section 3.8.4), is then known
 * to be old. What is kept is bounded in number and bytes: beyond that, what did not go on for longest
 * makes room.
 */
export class TcpMessages {
  readonly #maxStreams: number;
  readonly #maxBytes: number;
  readonly #onCut: () => void;
  /** In the order in which they last went on. */
  readonly #partials = new Map<string, Partial>();
  /**
   * The next sequence numbers of streams of which all was read: of those that went on since there were
   * half as many as there may be, and before that.
   */
  #nexts = new Map<string, number>();
  #olderNexts = new Map<string, number>();
  #bytes = 0;

  constructor(options: TcpMessagesOptions = {}) {
    this.#maxStreams = options.maxStreams ?? DEFAULT_MAX_STREAMS;
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#onCut = options.onCut ?? (() => {});
  }

  /** Streams with a message that is not whole. */
  get partials(): number {
    return this.#partials.size;
  }

  /** Bytes kept for them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Streams of which all was read. */
  get inStep(): number {
    return this.#nexts.size + this.#olderNexts.size;
  }

  /**
   * Takes the payload of a segment.
   *
   * @param stream Tells its stream, in this direction, from all others.
   * @param sequence The sequence number of the first byte.
   * @param segment Holds the payload, from `start` to `end`.
   * @param missing How many bytes more the segment had than were captured.
   * @param visit Called for each message that is whole now.
   * @returns Whether it could be made use of: not if it begins within a message that was not seen.
   */
  take(
    stream: string,
    sequence: number,
    segment: Uint8Array,
    start: number,
    end: number,
    missing: number,
    visit: (bytes: Uint8Array, start: number, end: number) => void,
  ): boolean {
    let at = this.#begin(stream, sequence, start);
    if (at >= end + missing) return true;
    const partial = this.#partials.get(stream);
    if (partial !== undefined && at < end) {
      at = this.#goOn(stream, partial, segment, at, end, visit);
    }
    const next = (sequence + (end - start)) | 0;
    while (at < end) {
      if (!isBeginning(segment, at, end)) {
        this.forget(stream);
        return false;
      }
      const rest = end - at;
      const size = rest < LENGTH_BYTES ? UNKNOWN_LENGTH : sizeAt(segment, at);
      if (rest < size || rest < LENGTH_BYTES) {
        this.#keep(stream, next, segment.subarray(at, end), size);
        break;
      }
      visit(segment, at + LENGTH_BYTES, at + size);
      at += size;
    }
    if (missing > 0) this.#giveUp(stream);
    else if (!this.#partials.has(stream)) this.#stepOn(stream, next);
    return true;
  }

  /** Gives up what is kept of a stream: it ended, or another one begins. */
  forget(stream: string): void {
    this.#leaveStep(stream);
    const partial = this.#partials.get(stream);
    if (partial === undefined) return;
    this.#drop(stream, partial);
    // Less may have been anything.
    if (partial.filled >= TOLD_BYTES) this.#onCut();
  }

  /** @returns Where the bytes begin that were not seen before, be it beyond what was captured. */
  #begin(stream: string, sequence: number, start: number): number {
    const next = this.#partials.get(stream)?.next ?? this.#nexts.get(stream) ??
      this.#olderNexts.get(stream);
    if (next === undefined) return start;
    // Sequence numbers wrap, so what matters is the sign of their difference in 32 bits.
    const ahead = (sequence - next) | 0;
    if (ahead <= 0 && ahead >= -FARTHEST_BACK) return start - ahead;
    this.forget(stream);
    return start;
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
    const wasTold = partial.filled >= TOLD_BYTES;
    let { bytes, filled } = partial;
    let at = start;
    const fill = () => {
      const count = Math.min(bytes.length - filled, end - at);
      bytes.set(segment.subarray(at, at + count), filled);
      filled += count;
      at += count;
    };
    fill();
    this.#drop(stream, partial);
    if (bytes.length === UNKNOWN_LENGTH && filled === UNKNOWN_LENGTH) {
      if (!isBeginning(bytes, 0, filled)) return start;
      const whole = new Uint8Array(sizeAt(bytes, 0));
      whole.set(bytes);
      bytes = whole;
      fill();
    }
    // What was kept began no message: it was the byte of a keep-alive probe.
    if (!wasTold && !isBeginning(bytes, 0, filled)) return start;
    if (filled === bytes.length && filled > LENGTH_BYTES) visit(bytes, LENGTH_BYTES, filled);
    else this.#remember(stream, { next: (partial.next + (end - start)) | 0, bytes, filled });
    return at;
  }

  #keep(stream: string, next: number, seen: Uint8Array, size: number): void {
    const bytes = new Uint8Array(size);
    bytes.set(seen);
    this.#remember(stream, { next, bytes, filled: seen.length });
  }

  #remember(stream: string, partial: Partial): void {
    this.#leaveStep(stream);
    this.#partials.set(stream, partial);
    this.#bytes += partial.bytes.length;
    for (const oldest of this.#partials.keys()) {
      if (this.#partials.size <= this.#maxStreams && this.#bytes <= this.#maxBytes) return;
      this.forget(oldest);
    }
  }

  #drop(stream: string, partial: Partial): void {
    this.#bytes -= partial.bytes.length;
    this.#partials.delete(stream);
  }

  /** The rest of the segment was not captured, and something was in it. */
  #giveUp(stream: string): void {
    const partial = this.#partials.get(stream);
    if (partial !== undefined) this.#drop(stream, partial);
    this.#leaveStep(stream);
    this.#onCut();
  }

  /** Keeps where a stream goes on of which all was read. */
  #stepOn(stream: string, next: number): void {
    this.#olderNexts.delete(stream);
    this.#nexts.set(stream, next);
    if (this.#nexts.size < this.#maxStreams * STREAMS_IN_STEP / 2) return;
    this.#olderNexts = this.#nexts;
    this.#nexts = new Map();
  }

  #leaveStep(stream: string): void {
    if (!this.#nexts.delete(stream)) this.#olderNexts.delete(stream);
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
