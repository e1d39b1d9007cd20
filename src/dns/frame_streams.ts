/**
 * Frame Streams, the protocol in which dnstap comes: https://farsightsec.github.io/fstrm/. A data
 * frame is its length in 32 bits, network order, and its bytes. A length of 0 says that a control
 * frame follows: its length, its type, and fields, each a type, a length and bytes.
 *
 * ```ts
 * import { frames } from "./frame_streams.ts";
 *
 * const listener = Deno.listen({ transport: "unix", path: "/run/dnstap.sock" });
 * for await (const connection of listener) {
 *   for await (const frame of frames(connection, { contentType: "protobuf:dnstap.Dnstap" })) {
 *     console.log(frame.length);
 *   }
 * }
 * ```
 *
 * @module
 */

/** Control frames (fstrm/control.h). */
const ACCEPT = 1;
const START = 2;
const STOP = 3;
const READY = 4;
const FINISH = 5;
const CONTROL_NAMES = ["", "ACCEPT", "START", "STOP", "READY", "FINISH"];
/** The one field that control frames have. */
const CONTENT_TYPE_FIELD = 1;

/** Bytes of a length, a control frame's type, a field's type. */
const WORD = 4;
/** Most bytes of a control frame, and of a content type (fstrm/control.h). */
const MOST_CONTROL_BYTES = 512;
const MOST_CONTENT_TYPE_BYTES = 256;
/** Most bytes of a data frame unless told otherwise, as fstrm's own readers have it. */
const DEFAULT_MOST_FRAME_BYTES = 1_048_576;
/** How long a writer may take for a frame of which it has begun, in milliseconds. */
const DEFAULT_PATIENCE = 10_000;
const FIRST_BUFFER_BYTES = 65_536;

/** What {@linkcode frames} reads from, and where it answers a bidirectional stream. */
export interface FrameStreamConnection {
  /** Reads into `bytes`; resolves with how many bytes, or `null` at the end. */
  read(bytes: Uint8Array): Promise<number | null>;
  /** Writes some of `bytes`; resolves with how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** How {@linkcode frames} reads. */
export interface FrameStreamOptions {
  /** What the frames have to be, such as `protobuf:dnstap.Dnstap`. By default, anything. */
  contentType?: string;
  /**
   * Most bytes of a data frame.
   * @default {1_048_576}
   */
  maxFrameBytes?: number;
  /**
   * How long, in milliseconds, a writer may take to begin the stream, and for the rest of a frame.
   * Between frames it may be silent for as long as it likes.
   * @default {10_000}
   */
  patience?: number;
  /**
   * What the long frames of several streams need together. By default, each has what it needs.
   */
  room?: FrameRoom;
}

/** A stream is not as it has to be, or its writer is too slow. Its message is a part of a sentence. */
export class FrameStreamError extends Error {
  /** What `String()` puts before the message. */
  override name = "FrameStreamError";

  /**
   * Makes an error of a kind.
   *
   * @param kind Tells errors of one kind from others, whatever numbers their messages have.
   */
  constructor(readonly kind: string, message: string = kind) {
    super(message);
  }
}

/**
 * The data frames of a stream, unidirectional or bidirectional: a writer that says READY is answered
 * with ACCEPT, and one that says STOP with FINISH. The connection is left open.
 *
 * @returns Each frame, whose bytes are valid until the next one is asked for.
 * @throws {FrameStreamError} when the stream is not as it has to be, ends in the middle of a frame,
 * or its writer is too slow.
 */
export async function* frames(
  connection: FrameStreamConnection,
  options: FrameStreamOptions = {},
): AsyncGenerator<Uint8Array, void, void> {
  const reader = new FrameReader(connection, options);
  try {
    await reader.begin();
    for (let frame; (frame = await reader.next()) !== null;) yield frame;
  } finally {
    reader.close();
  }
}

/**
 * Bounds the memory that several streams need for frames that are not whole. Each has 64 KiB of its
 * own; what longer frames need is of this.
 */
export class FrameRoom {
  #left: number;

  /**
   * Makes room.
   *
   * @param bytes How much there is.
   */
  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** Takes so many bytes. @returns Whether they were there. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  /** Gives so many bytes back. */
  giveBack(bytes: number): void {
    this.#left += bytes;
  }
}

interface ControlFrame {
  readonly type: number;
  readonly contentTypes: readonly string[];
}

class FrameReader {
  readonly #connection: FrameStreamConnection;
  readonly #contentType: string | undefined;
  readonly #maxFrameBytes: number;
  readonly #patience: number;
  readonly #room: FrameRoom | undefined;
  #buffer = new Uint8Array(FIRST_BUFFER_BYTES);
  /** What was read and not used: from `#start` to `#end`. */
  #start = 0;
  #end = 0;
  #isBidirectional = false;
  /** Ends the wait for a writer. One timer serves all frames: it looks at the deadline. */
  #timer: ReturnType<typeof setInterval> | undefined;
  #deadline = Infinity;
  #expire: (error: FrameStreamError) => void = () => {};

  constructor(connection: FrameStreamConnection, options: FrameStreamOptions) {
    this.#connection = connection;
    this.#contentType = options.contentType;
    this.#maxFrameBytes = options.maxFrameBytes ?? DEFAULT_MOST_FRAME_BYTES;
    this.#patience = options.patience ?? DEFAULT_PATIENCE;
    this.#room = options.room;
    this.#timer = setInterval(() => this.#look(), Math.max(10, this.#patience / 10));
  }

  close(): void {
    clearInterval(this.#timer);
    this.#setBuffer(FIRST_BUFFER_BYTES);
  }

  /** Up to START. */
  async begin(): Promise<void> {
    this.#deadline = performance.now() + this.#patience;
    let control = await this.#control("before START");
    if (control.type === READY) {
      this.#isBidirectional = true;
      // A writer that names none takes what it gets (fstrm/control.h).
      this.#requireContentType(control, "READY");
      await this.#send(ACCEPT, this.#contentType ?? control.contentTypes[0]);
      control = await this.#control("before START");
    }
    if (control.type !== START) throw unexpected(control.type, "before START");
    this.#requireContentType(control, "START");
    this.#deadline = Infinity;
  }

  /** The next data frame, or `null` after STOP. */
  async next(): Promise<Uint8Array | null> {
    // A writer that goes away without STOP has crashed or was restarted: that is no error here.
    if (!await this.#fill(WORD, true)) return null;
    const length = this.#word();
    if (length === 0) {
      const control = await this.#controlBody();
      if (control.type !== STOP) throw unexpected(control.type, "between frames");
      this.#deadline = performance.now() + this.#patience;
      if (this.#isBidirectional) await this.#send(FINISH);
      return null;
    }
    if (length > this.#maxFrameBytes) {
      throw new FrameStreamError(
        "a frame too long",
        `a frame of ${length} bytes, of at most ${this.#maxFrameBytes}`,
      );
    }
    await this.#fill(length, false);
    const frame = this.#buffer.subarray(this.#start, this.#start + length);
    this.#start += length;
    return frame;
  }

  async #control(where: string): Promise<ControlFrame> {
    await this.#fill(WORD, false);
    if (this.#word() !== 0) {
      throw new FrameStreamError(`something else than a control frame ${where}`);
    }
    return await this.#controlBody();
  }

  async #controlBody(): Promise<ControlFrame> {
    await this.#fill(WORD, false);
    const length = this.#word();
    if (length > MOST_CONTROL_BYTES) {
      throw new FrameStreamError(
        "a control frame too long",
        `a control frame of ${length} bytes, of at most ${MOST_CONTROL_BYTES}`,
      );
    }
    if (length < WORD) throw new FrameStreamError("a control frame without a type");
    await this.#fill(length, false);
    const end = this.#start + length;
    const type = this.#word();
    const contentTypes: string[] = [];
    while (this.#start < end) contentTypes.push(this.#contentTypeField(end));
    return { type, contentTypes };
  }

  #contentTypeField(end: number): string {
    if (end - this.#start < 2 * WORD) {
      throw new FrameStreamError("a control frame with a cut field");
    }
    const field = this.#word();
    const length = this.#word();
    if (field !== CONTENT_TYPE_FIELD) {
      throw new FrameStreamError("a control frame with an unknown field");
    }
    if (length > MOST_CONTENT_TYPE_BYTES || length > end - this.#start) {
      throw new FrameStreamError("a content type too long");
    }
    const text = new TextDecoder().decode(
      this.#buffer.subarray(this.#start, this.#start + length),
    );
    this.#start += length;
    return text;
  }

  #requireContentType({ contentTypes }: ControlFrame, control: string): void {
    const wanted = this.#contentType;
    if (wanted === undefined || contentTypes.length === 0 || contentTypes.includes(wanted)) return;
    throw new FrameStreamError(
      "another content type",
      `${control} with content type ${JSON.stringify(contentTypes[0])} instead of ` +
        JSON.stringify(wanted),
    );
  }

  async #send(type: number, contentType?: string): Promise<void> {
    const name = new TextEncoder().encode(contentType ?? "");
    const fields = contentType === undefined ? 0 : 2 * WORD + name.length;
    const bytes = new Uint8Array(3 * WORD + fields);
    const view = new DataView(bytes.buffer);
    view.setUint32(WORD, WORD + fields);
    view.setUint32(2 * WORD, type);
    if (contentType !== undefined) {
      view.setUint32(3 * WORD, CONTENT_TYPE_FIELD);
      view.setUint32(4 * WORD, name.length);
      bytes.set(name, 5 * WORD);
    }
    for (let done = 0; done < bytes.length;) {
      done += await this.#inTime(this.#connection.write(bytes.subarray(done)));
    }
  }

  #word(): number {
    const at = this.#start;
    this.#start += WORD;
    const bytes = this.#buffer;
    return (bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3]) >>> 0;
  }

  /**
   * Reads until `needed` bytes are there.
   *
   * @param mayEnd Whether the stream may end before the first of them.
   * @returns Whether they are there: not when it ended.
   */
  async #fill(needed: number, mayEnd: boolean): Promise<boolean> {
    if (this.#end - this.#start >= needed) return true;
    this.#makeRoom(needed);
    const outer = this.#deadline;
    try {
      while (this.#end - this.#start < needed) {
        // Between frames there is no hurry: it begins with the first byte of one.
        const isIdle = mayEnd && this.#end === this.#start;
        if (!isIdle) this.#deadline = Math.min(this.#deadline, performance.now() + this.#patience);
        const count = await this.#inTime(this.#connection.read(this.#buffer.subarray(this.#end)));
        if (count === null) {
          if (isIdle) return false;
          throw new FrameStreamError("a cut frame", "a frame that is cut by the stream's end");
        }
        this.#end += count;
      }
      return true;
    } finally {
      this.#deadline = outer;
    }
  }

  /** Moves what was read, which is less than is needed, to the front of a buffer of the right size. */
  #makeRoom(needed: number): void {
    const kept = this.#buffer.subarray(this.#start, this.#end);
    this.#setBuffer(Math.max(needed, FIRST_BUFFER_BYTES));
    this.#buffer.set(kept);
    this.#end = kept.length;
    this.#start = 0;
  }

  #setBuffer(size: number): void {
    const more = size - this.#buffer.length;
    if (more === 0) return;
    if (more < 0) this.#room?.giveBack(-more);
    else if (this.#room?.take(more) === false) {
      throw new FrameStreamError(
        "no room",
        `there is no room for a frame of ${size} bytes beside the long ones of others`,
      );
    }
    this.#buffer = new Uint8Array(size);
  }

  async #inTime<Result>(action: Promise<Result>): Promise<Result> {
    if (this.#deadline === Infinity) return await action;
    // What comes too late is not wanted, and neither is why it went wrong then.
    action.catch(() => {});
    const { promise, reject } = Promise.withResolvers<never>();
    this.#expire = reject;
    promise.catch(() => {});
    return await Promise.race([action, promise]);
  }

  #look(): void {
    if (performance.now() < this.#deadline) return;
    this.#expire(
      new FrameStreamError("a slow writer", `a frame that is not whole after ${this.#patience} ms`),
    );
  }
}

function unexpected(type: number, where: string): FrameStreamError {
  const name = CONTROL_NAMES[type] || `control frame ${type}`;
  return new FrameStreamError(`an unexpected control frame`, `${name} ${where}`);
}
