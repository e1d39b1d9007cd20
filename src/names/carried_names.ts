import { TCP_FIN, TCP_RST, TCP_SYN } from "../packet/packet_header.ts";
import { readClientHello } from "./client_hello.ts";
import { mayBeHttp, MOST_HEAD, readHttpHost } from "./http_host.ts";
import { OrderedBytes } from "./ordered_bytes.ts";
import {
  clientInitialKeys,
  decryptInitial,
  type InitialKeys,
  readLongHeader,
  visitCryptoFrames,
} from "./quic_initial.ts";
import { mayBeTls, MOST_HELLO, readTlsHello } from "./tls_records.ts";

/** Whole records around a ClientHello of the longest kind. */
const MOST_STREAM = MOST_HELLO + 2048;
const HANDSHAKE_HEADER = 4;
/** A hello that does not come to its end leaves this many bytes at most. */
const DEFAULT_MAX_STREAMS = 4096;
const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;
/** Segments that came before the first one of their stream. */
const MOST_EARLY = 4;
const MOST_EARLY_BYTES = 8192;

/** How a name was carried. */
export type CarriedBy = "sni" | "quic-sni" | "http-host";

/** A name that a connection carries. */
export interface CarriedName {
  readonly by: CarriedBy;
  /** Lower case, without a dot at its end; `null` where a hello names nobody. */
  readonly name: string | null;
  /** What a client offers to speak (RFC 7301); empty for HTTP. */
  readonly protocols: readonly string[];
  /** As `ClientHello` has it; `null` for HTTP. */
  readonly encryptedHello: number | null;
}

/** How {@linkcode CarriedNames} is bounded. */
export interface CarriedNamesOptions {
  /** Hellos and heads that are not whole. @default 4096 */
  maxStreams?: number;
  /** Bytes of them, all together. @default 16_777_216 */
  maxBytes?: number;
}

/** Tells one direction of a conversation from all others. */
export type StreamKey = number | string;

/** A stream of which the beginning is not whole. */
interface Stream {
  /** The sequence number of its first byte; `null` for QUIC, and while that is not known. */
  first: number | null;
  readonly bytes: OrderedBytes;
  /** How many bytes there have to be before it is worth to read again. */
  wanted: number;
  /** Segments that came too early: the sequence number of each, and what it carries. */
  readonly early: [number, Uint8Array][];
  /** Of QUIC, once a packet could be decrypted. */
  keys: InitialKeys | null;
  size: number;
}

/**
 * Finds the names that connections carry at their beginning: the server's name in a TLS ClientHello,
 * over TCP or in QUIC's Initial packets, and Host of an HTTP request. They may be in several segments
 * or datagrams, in any order. What is kept of those that are not whole is bounded; beyond that, the
 * one that did not go on for longest is given up, and counted.
 */
export class CarriedNames {
  readonly #maxStreams: number;
  readonly #maxBytes: number;
  readonly #streams = new Map<StreamKey, Stream>();
  #bytes = 0;
  #givenUp = 0;

  constructor(options: CarriedNamesOptions = {}) {
    this.#maxStreams = options.maxStreams ?? DEFAULT_MAX_STREAMS;
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  }

  /** Beginnings that are not whole. */
  get pending(): number {
    return this.#streams.size;
  }

  /** How much memory they take. */
  get pendingBytes(): number {
    return this.#bytes;
  }

  /** How many were given up for want of room. */
  get givenUp(): number {
    return this.#givenUp;
  }

  /** Whether there is a beginning that is not whole. */
  isPending(key: StreamKey): boolean {
    return this.#streams.has(key);
  }

  /**
   * Takes a TCP segment with a payload.
   *
   * @param sequence The sequence number of its header.
   * @param mayBeEarly Whether a segment that begins as nothing known may be one that follows the first,
   * which is still to come.
   * @returns The name that its connection carries, if it is known with this segment.
   */
  takeSegment(
    key: StreamKey,
    sequenceOfHeader: number,
    tcpFlags: number,
    mayBeEarly: boolean,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): CarriedName | null {
    if (start >= end) return null;
    // SYN has a sequence number of its own, before that of the first byte.
    const sequence = (sequenceOfHeader + ((tcpFlags & TCP_SYN) !== 0 ? 1 : 0)) >>> 0;
    const isBeginning = mayBeTls(bytes, start, end) || mayBeHttp(bytes, start, end);
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      if (isBeginning) {
        // Nearly always all of it is in one segment, and nothing has to be kept.
        const found = readBeginning(bytes, start, end);
        if (typeof found !== "number") return found;
      } else if (!mayBeEarly || (tcpFlags & TCP_RST) !== 0) {
        return null;
      }
      stream = this.#add(key, isBeginning ? sequence : null);
    } else if (stream.first === null && isBeginning) {
      stream.first = sequence;
    }
    const found = this.#goOn(stream, sequence, bytes, start, end);
    const isOver = (tcpFlags & (TCP_FIN | TCP_RST)) !== 0;
    if (found !== undefined || isOver) this.forget(key);
    else this.#keep(key, stream);
    return found ?? null;
  }

  /** @returns What was found, or `undefined` while it may still come. */
  #goOn(
    stream: Stream,
    sequence: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): CarriedName | null | undefined {
    const { early, first } = stream;
    if (first === null) {
      const size = early.reduce((sum, [, piece]) => sum + piece.length, end - start);
      if (early.length === MOST_EARLY || size > MOST_EARLY_BYTES) return null;
      early.push([sequence, bytes.slice(start, end)]);
      return undefined;
    }
    // Sequence numbers wrap, so what matters is the sign of their difference in 32 bits.
    stream.bytes.put((sequence - first) | 0, bytes, start, end);
    for (const [at, piece] of early.splice(0)) {
      stream.bytes.put((at - first) | 0, piece, 0, piece.length);
    }
    const { length } = stream.bytes;
    if (length < stream.wanted) return undefined;
    const found = readBeginning(stream.bytes.bytes, 0, length);
    if (typeof found !== "number") return found;
    stream.wanted = found;
    return found > MOST_STREAM ? null : undefined;
  }

  /**
   * Takes a datagram.
   *
   * @returns The name that its connection carries, if it is known with this datagram.
   */
  takeDatagram(
    key: StreamKey,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): CarriedName | null {
    if (start >= end) return null;
    // SSDP is HTTP in datagrams.
    if (mayBeHttp(bytes, start, end)) {
      const found = readBeginning(bytes, start, end);
      return typeof found === "number" ? null : found;
    }
    let isInitial = false;
    let stream: Stream | undefined;
    for (let at = start; at < end;) {
      const packet = readLongHeader(bytes, at, end);
      if (packet === null) break;
      if (packet.isInitial) {
        isInitial = true;
        stream ??= this.#streams.get(key);
        const known = stream?.keys ?? null;
        let frames = known === null ? null : decryptInitial(bytes, at, packet, known);
        let keys = known;
        if (frames === null) {
          // Of the first packet, and of the first one after Retry (RFC 9001, section 5.2).
          keys = clientInitialKeys(packet.version, packet.destination);
          frames = decryptInitial(bytes, at, packet, keys);
        }
        if (frames !== null) {
          stream ??= this.#add(key, null);
          if (stream.keys !== keys) {
            stream.keys = keys;
          }
          const { bytes: crypto } = stream;
          const taken = frames;
          visitCryptoFrames(taken, (offset, from, to) => crypto.put(offset, taken, from, to));
        }
      }
      at = packet.end;
    }
    if (!isInitial || stream === undefined) return null;
    const found = readQuicHello(stream.bytes);
    if (found === undefined) this.#keep(key, stream);
    else this.forget(key);
    return found ?? null;
  }

  #add(key: StreamKey, first: number | null): Stream {
    const bytes = new OrderedBytes(MOST_STREAM);
    const stream = { first, bytes, wanted: 0, early: [], keys: null, size: 0 };
    this.#streams.set(key, stream);
    return stream;
  }

  /** Notes that a stream goes on, and makes room where there is too much. */
  #keep(key: StreamKey, stream: Stream): void {
    this.#streams.delete(key);
    this.#streams.set(key, stream);
    const early = stream.early.reduce((sum, [, piece]) => sum + piece.length, 0);
    const size = stream.bytes.size + early;
    this.#bytes += size - stream.size;
    stream.size = size;
    while (this.#streams.size > this.#maxStreams || this.#bytes > this.#maxBytes) {
      const [oldest] = this.#streams.keys();
      this.forget(oldest);
      this.#givenUp++;
    }
  }

  /** Forgets a beginning that is not whole, if there is one. */
  forget(key: StreamKey): void {
    const stream = this.#streams.get(key);
    if (stream === undefined) return;
    this.#bytes -= stream.size;
    this.#streams.delete(key);
  }
}

/**
 * Reads the beginning of a TCP stream.
 *
 * @returns The name, `null` if there is none, or how many bytes there have to be.
 */
function readBeginning(bytes: Uint8Array, start: number, end: number): CarriedName | null | number {
  if (mayBeTls(bytes, start, end)) {
    const hello = readTlsHello(start === 0 ? bytes : bytes.subarray(start), end - start);
    if (hello === null || typeof hello === "number") return hello;
    const { serverName, protocols, encryptedHello } = hello;
    return { by: "sni", name: serverName, protocols, encryptedHello };
  }
  if (!mayBeHttp(bytes, start, end)) return null;
  const host = readHttpHost(bytes, start, end);
  if (host === undefined) return end - start < MOST_HEAD ? end - start + 1 : null;
  return host === null
    ? null
    : { by: "http-host", name: host, protocols: [], encryptedHello: null };
}

/** @returns The name, or `undefined` while it may still come. */
function readQuicHello({ bytes, length }: OrderedBytes): CarriedName | null | undefined {
  if (length < HANDSHAKE_HEADER) return undefined;
  const size = HANDSHAKE_HEADER + (bytes[1] << 16) + (bytes[2] << 8) + bytes[3];
  if (size > MOST_HELLO) return null;
  if (length < size) return undefined;
  const hello = readClientHello(bytes, 0, size);
  if (hello === null) return null;
  const { serverName, protocols, encryptedHello } = hello;
  return { by: "quic-sni", name: serverName, protocols, encryptedHello };
}
