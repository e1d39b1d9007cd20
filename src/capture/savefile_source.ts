import { UserError } from "../user_error.ts";
import { ChunkReader, type ReadBytes } from "./chunk_reader.ts";
import { compressionOf } from "./compression.ts";
import { PacketBatch } from "./packet_batch.ts";
import type { PacketSource, SourceStatistics } from "./packet_source.ts";
import { PCAP_FILE_HEADER, PcapFormat } from "./pcap_format.ts";
import { PcapngFormat } from "./pcapng_format.ts";
import type { SavefileFormat } from "./savefile_format.ts";
import { TimeOrigin } from "./time_origin.ts";
import { UnpackingReader } from "./unpacking_reader.ts";

/** Bytes read at once: small enough to stay in a processor's cache until they are decoded. */
const WINDOW_BYTES = 256 * 1024;
/** Room in the index for the packets of a window, of 64 bytes with their record header. */
const PACKETS_PER_BATCH = WINDOW_BYTES / 64;

/** More than is looked at to tell what kind of file it is. */
const LOOKED_AT_BYTES = 64;

/** What standard input is called. */
const STANDARD_INPUT = "standard input";
/** Of tar(5), in front of the version. */
const TAR_MAGIC = "ustar";
const TAR_MAGIC_OFFSET = 257;

/** The packets of a saved capture, pcap or pcapng, of any size, also compressed with gzip or zstd. */
export class SavefileSource implements PacketSource {
  readonly name: string;
  /** Bytes of the whole file, or 0 where that can't be known. */
  readonly size: number;
  /** Of the packets' times. */
  readonly origin: TimeOrigin;
  readonly #reader: ChunkReader;
  readonly #input: UnpackingReader;
  readonly #close: () => void;
  readonly #batch: PacketBatch;
  #format: SavefileFormat | null = null;
  #needed = 0;
  #received = 0;
  #failure: unknown = null;
  #closed = false;
  /** Ends a read that is under way, as if the capture ended there. */
  #stopWaiting: () => void = () => {};

  /**
   * Makes a source of bytes that come from anywhere.
   *
   * @param name What to call the capture in messages.
   * @param read Gives its bytes.
   * @param options `size` in bytes, what to do at the end, a batch to fill, with room for
   * {@linkcode WINDOW_BYTES}, and the origin of times, by default one that the first packet settles.
   */
  constructor(
    name: string,
    read: ReadBytes,
    options: { size?: number; close?: () => void; batch?: PacketBatch; origin?: TimeOrigin } = {},
  ) {
    this.name = name;
    this.size = options.size ?? 0;
    this.origin = options.origin ?? new TimeOrigin();
    this.#close = options.close ?? (() => {});
    this.#input = new UnpackingReader(name, read);
    this.#reader = new ChunkReader(
      (into) => this.#readUnlessClosed(into),
      options.batch?.bytes.subarray(0, WINDOW_BYTES) ?? new Uint8Array(WINDOW_BYTES),
    );
    this.#batch = options.batch ?? new PacketBatch(PACKETS_PER_BATCH, this.#reader.bytes);
  }

  /**
   * Opens a file, or standard input when `path` is `-`.
   *
   * @param batch Is filled, if it is there, with the packets of a file.
   * @param origin Of times; by default, one that the first packet settles.
   * @param opened The file, where it is open already; the source closes it.
   * @throws {UserError} when it can't be opened.
   */
  static open(
    path: string,
    batch?: PacketBatch,
    origin?: TimeOrigin,
    opened?: Deno.FsFile,
  ): SavefileSource {
    if (path === "-") {
      return new SavefileSource(STANDARD_INPUT, (into) => Deno.stdin.read(into), { batch, origin });
    }
    let file: Deno.FsFile;
    try {
      file = opened ?? Deno.openSync(path, { read: true });
    } catch (error) {
      throw new UserError(`${path}: ${whyNotOpened(error)}`);
    }
    const information = file.statSync();
    if (information.isDirectory) {
      file.close();
      throw new UserError(`${path}: is a directory; name the capture files in it`);
    }
    // A named pipe has no size, and a read that blocks would keep everything else from running.
    const read: ReadBytes = information.isFile
      ? (into) => file.readSync(into)
      : (into) => file.read(into);
    const close = () => file.close();
    return new SavefileSource(path, read, { size: information.size, close, batch, origin });
  }

  /** Bytes of the file that were used up to now. */
  get position(): number {
    return this.isPacked ? this.#input.packedPosition : this.#reader.position;
  }

  /** Whether the file turned out to be compressed. */
  get isPacked(): boolean {
    return this.#input.compression !== null;
  }

  async next(): Promise<PacketBatch | null> {
    if (this.#failure !== null) throw this.#failure;
    if (this.#closed) return null;
    const batch = this.#batch;
    batch.clear();
    try {
      this.#format ??= await this.#recognize();
      while (batch.isEmpty) {
        if (this.#closed) return null;
        // After a full batch the window has more, and reading on would move it.
        if (this.#needed > 0 && !(await this.#reader.fill(this.#needed))) return this.#atEnd();
        if (batch.bytes.buffer !== this.#reader.bytes.buffer) batch.setBytes(this.#reader.bytes);
        this.#needed = this.#format.index(this.#reader, batch);
      }
    } catch (error) {
      if (this.#closed) return null;
      if (batch.isEmpty) throw error;
      this.#failure = error;
    }
    this.#received += batch.count + batch.taken;
    return batch;
  }

  statistics(): SourceStatistics {
    const given = this.#received;
    return { received: given, given, droppedByKernel: 0, droppedByInterface: 0 };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopWaiting();
    this.#input.close();
    this.#close();
  }

  #readUnlessClosed(into: Uint8Array<ArrayBuffer>): number | null | Promise<number | null> {
    try {
      const answer = this.#input.read(into);
      return answer instanceof Promise ? this.#waitUnlessClosed(answer) : answer;
    } catch (error) {
      throw this.#unreadable(error);
    }
  }

  /** A pipe may have nothing for ever, and a read of it can't be called off. */
  #waitUnlessClosed(answer: Promise<number | null>): Promise<number | null> {
    return new Promise((resolve, reject) => {
      this.#stopWaiting = () => resolve(null);
      answer.then(resolve, (error) => reject(this.#unreadable(error)));
    });
  }

  #unreadable(error: unknown): UserError {
    if (error instanceof UserError) return error;
    const why = error instanceof Error ? error.message : String(error);
    return new UserError(`${this.name}: can't be read at byte ${this.position}: ${why}`);
  }

  async #recognize(): Promise<SavefileFormat> {
    const reader = this.#reader;
    await reader.fill(PCAP_FILE_HEADER);
    const { available } = reader;
    if (available === 0) throw new UserError(`${this.name}: is empty, not a capture`);
    // The window is longer than what both look at. Beyond a short file, other files may have been.
    reader.bytes.fill(0, reader.end, reader.end + LOOKED_AT_BYTES);
    const pcapng = PcapngFormat.recognize(this.name, reader.view, this.origin);
    if (pcapng !== null) return pcapng;
    const pcap = PcapFormat.recognize(this.name, reader.view, this.origin);
    if (pcap !== null && available < PCAP_FILE_HEADER) {
      throw new UserError(
        `${this.name}: is cut off: its file header should have ${PCAP_FILE_HEADER} bytes and has ` +
          `${available}`,
      );
    }
    if (pcap !== null) {
      reader.start = PCAP_FILE_HEADER;
      return pcap;
    }
    // What comes out of a pipe is not waited for, to say what it is.
    if (this.size > 0) await reader.fill(TAR_MAGIC_OFFSET + TAR_MAGIC.length);
    const what = this.isPacked ? "what is packed in it is" : "is";
    throw new UserError(
      `${this.name}: ${what} neither pcap nor pcapng${
        hint(this.name, reader.bytes.subarray(reader.start, reader.end))
      }`,
    );
  }

  #atEnd(): null {
    const rest = this.#reader.available;
    if (rest === 0 || this.#closed) return null;
    throw new UserError(
      `${this.name}: is cut off: the record at byte ${this.#reader.position} should have ` +
        `${this.#needed} bytes and has ${rest}; what came before was processed`,
    );
  }
}

function whyNotOpened(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "you may not read it";
  // Below /dev and /proc Deno wants more than that; standard input goes by the name -.
  if (error instanceof Deno.errors.NotCapable) {
    return `${error.message}; or read it from standard input, as -`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** What to do about files that are often taken for captures, by their first bytes. */
function hint(name: string, bytes: Uint8Array): string {
  const has = (magic: string, at = 0) =>
    [...magic].every((letter, i) => bytes[at + i] === letter.charCodeAt(0));
  const replayed = (command: string) => `: ${command} | flosensor replay -`;
  const file = name === STANDARD_INPUT ? "" : ` ${name}`;
  const compression = compressionOf(bytes);
  if (compression !== null) {
    return `; it is ${compression.name}-compressed${replayed(compression.command + file)}`;
  }
  if (has(TAR_MAGIC, TAR_MAGIC_OFFSET)) {
    return `; it is a tar archive${replayed(`tar -xOf${file || " -"} CAPTURE`)}`;
  }
  // What Wireshark reads: snoop of Solaris (RFC 1761) and Microsoft's Network Monitor.
  if (has("snoop\0") || has("GMBU") || has("RTSS")) {
    return `; it is a capture of another kind${replayed(`tshark -r${file || " -"} -F pcap -w -`)}`;
  }
  return "";
}
