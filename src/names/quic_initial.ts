import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";

/** The keys of a client's Initial packets (RFC 9001, section 5.2). */
export interface InitialKeys {
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  /** For header protection (RFC 9001, section 5.4). */
  readonly headerKey: Uint8Array;
}

/** How one version of QUIC derives keys. */
interface Version {
  readonly salt: Uint8Array;
  /** Before the names of the keys. */
  readonly label: string;
  /** What the two bits of the packet's type are for an Initial packet. */
  readonly initial: number;
}

/** A long header of QUIC, as far as it can be read without keys (RFC 9000, section 17.2). */
export interface LongHeader {
  readonly version: number;
  readonly isInitial: boolean;
  readonly destination: Uint8Array;
  /** Where the packet's number begins, which is protected. */
  readonly numberAt: number;
  /** Where the packet ends; another one may follow (section 12.2). */
  readonly end: number;
}

const LONG_HEADER = 0x80;
const MOST_CONNECTION_ID = 20;
const RETRY = 3;
const TAG = 16;
/** Where the sample for header protection begins, counted from the packet's number. */
const SAMPLE_AT = 4;
const SAMPLE = 16;
const HASH = 32;

/** RFC 9001, section 5.2. */
const VERSION_1: Version = likeVersion1("38762cf7f55934b34d179ae6a4c80cadccbb7f0a");
/** RFC 9369, sections 3.1 to 3.3. */
const VERSION_2: Version = {
  salt: fromHex("0dede3def700a6db819381be6e269dcbf9bd2ed9"),
  label: "quicv2",
  initial: 1,
};
/** draft-ietf-quic-tls-29 to -32, section 5.2. */
const DRAFT_29: Version = likeVersion1("afbfec289993d24c9e9786f19c6111e04390a899");
/** draft-ietf-quic-tls-23 to -28, section 5.2. */
const DRAFT_23: Version = likeVersion1("c3eef712c72ebb5a11a7d2432bb46365bef9f502");
/** draft-ietf-quic-tls-21 and -22, section 5.2. */
const DRAFT_21: Version = likeVersion1("7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a");
/** Google's, before RFC 9000: versions T050 and T051 (Chromium, net/third_party/quiche). */
const T050: Version = likeVersion1("7ff579e5acd072915580304c43a2367c60488310");
const T051: Version = likeVersion1("7a4edef4e7ccee5fa4506c19124fc8ccda6e033d");
const VERSIONS = new Map<number, Version>([
  [1, VERSION_1],
  [0x6b33_43cf, VERSION_2],
  [0x5430_3530, T050],
  [0x5430_3531, T051],
  // Facebook's, of draft 22 and of draft 27 (mvfst, quic/QuicConstants.h).
  [0xface_b001, DRAFT_21],
  [0xface_b002, DRAFT_23],
  [0xface_b00e, DRAFT_23],
]);
for (let draft = 21; draft <= 34; draft++) {
  const version = draft >= 29 ? DRAFT_29 : draft >= 23 ? DRAFT_23 : DRAFT_21;
  VERSIONS.set((0xff00_0000 | draft) >>> 0, version);
}
/** Versions that nobody speaks, so that servers name theirs (RFC 9000, section 15). */
const RESERVED_MASK = 0x0f0f_0f0f;
const RESERVED = 0x0a0a_0a0a;

/** A version that has version 1's names of keys and types of packets, and a salt of its own. */
function likeVersion1(salt: string): Version {
  return { salt: fromHex(salt), label: "quic", initial: 0 };
}

function versionOf(number: number): Version | null {
  const version = VERSIONS.get(number);
  if (version !== undefined) return version;
  return (number & RESERVED_MASK) === RESERVED ? DRAFT_29 : null;
}

/**
 * Reads a long header.
 *
 * @returns `null` if it is none of a known version, or is cut.
 */
export function readLongHeader(bytes: Uint8Array, start: number, end: number): LongHeader | null {
  if (end - start < 7 || (bytes[start] & LONG_HEADER) === 0) return null;
  const number = word(bytes, start + 1);
  const version = versionOf(number);
  if (version === null) return null;
  const destinationSize = bytes[start + 5];
  let at = start + 6 + destinationSize;
  if (destinationSize > MOST_CONNECTION_ID || at + 1 > end) return null;
  const destination = bytes.subarray(start + 6, at);
  at += 1 + bytes[at];
  const type = (bytes[start] >>> 4) & 3;
  const isInitial = type === version.initial;
  // Types are turned by one from version to version (RFC 9369, section 3.2).
  if (((type - version.initial) & 3) === RETRY) return null;
  if (isInitial) {
    const token = readVarint(bytes, at, end);
    if (token < 0) return null;
    at = varintEnd + token;
  }
  const length = readVarint(bytes, at, end);
  if (length < 0 || varintEnd + length > end) return null;
  return { version: number, isInitial, destination, numberAt: varintEnd, end: varintEnd + length };
}

/** Derives the keys of a client's Initial packets from the first destination that it named. */
export function clientInitialKeys(number: number, destination: Uint8Array): InitialKeys {
  const { salt, label } = versionOf(number)!;
  const initial = hmac(salt, destination);
  const client = expandLabel(initial, "client in", HASH);
  return {
    key: expandLabel(client, `${label} key`, 16),
    iv: expandLabel(client, `${label} iv`, 12),
    headerKey: expandLabel(client, `${label} hp`, 16),
  };
}

/**
 * Decrypts an Initial packet.
 *
 * @param start Where its header begins.
 * @returns Its frames, or `null` if it is not encrypted with these keys.
 */
export function decryptInitial(
  bytes: Uint8Array,
  start: number,
  { numberAt, end }: LongHeader,
  { key, iv, headerKey }: InitialKeys,
): Uint8Array | null {
  const sampleAt = numberAt + SAMPLE_AT;
  if (sampleAt + SAMPLE > end) return null;
  const cipher = createCipheriv("aes-128-ecb", headerKey, null);
  cipher.setAutoPadding(false);
  const mask = cipher.update(bytes.subarray(sampleAt, sampleAt + SAMPLE));
  // One that does not come to its end keeps a kilobyte of Deno's memory for ever.
  cipher.final();
  const first = bytes[start] ^ (mask[0] & 0x0f);
  const numberSize = (first & 3) + 1;
  const headerEnd = numberAt + numberSize;
  if (headerEnd + TAG > end) return null;
  // `slice` of a Buffer would not copy.
  const header = new Uint8Array(bytes.subarray(start, headerEnd));
  header[0] = first;
  const nonce = new Uint8Array(iv);
  for (let i = 0; i < numberSize; i++) {
    const at = numberAt - start + i;
    header[at] ^= mask[1 + i];
    nonce[nonce.length - numberSize + i] ^= header[at];
  }
  const decipher = createDecipheriv("aes-128-gcm", key, nonce);
  decipher.setAAD(header);
  decipher.setAuthTag(bytes.subarray(end - TAG, end));
  try {
    const frames = decipher.update(bytes.subarray(headerEnd, end - TAG));
    decipher.final();
    return frames;
  } catch {
    return null;
  }
}

const PADDING = 0x00;
const PING = 0x01;
const ACK = 0x02;
const ACK_WITH_ECN = 0x03;
const CRYPTO = 0x06;
/** The same of Google's T050 and T051. */
const GOOGLE_CRYPTO = 0x08;

/**
 * Visits the CRYPTO frames of an Initial packet (RFC 9000, section 19.6), up to a frame that can't be in
 * one (section 17.2.2).
 */
export function visitCryptoFrames(
  frames: Uint8Array,
  visit: (offset: number, start: number, end: number) => void,
): void {
  const end = frames.length;
  for (let at = 0; at < end;) {
    const type = frames[at++];
    if (type === PADDING || type === PING) continue;
    if (type === CRYPTO || type === GOOGLE_CRYPTO) {
      const offset = readVarint(frames, at, end);
      if (offset < 0) return;
      const size = readVarint(frames, varintEnd, end);
      if (size < 0 || varintEnd + size > end) return;
      at = varintEnd + size;
      visit(offset, at - size, at);
    } else if (type === ACK || type === ACK_WITH_ECN) {
      at = skipAck(frames, at, end, type === ACK_WITH_ECN);
      if (at < 0) return;
    } else {
      return;
    }
  }
}

/** @returns Where the next frame begins, or -1 if this one is cut (RFC 9000, section 19.3). */
function skipAck(frames: Uint8Array, start: number, end: number, hasEcn: boolean): number {
  // Largest, delay; the count of ranges; the first range.
  let at = start;
  let ranges = 0;
  for (let field = 0; field < 4; field++) {
    const value = readVarint(frames, at, end);
    if (value < 0) return -1;
    if (field === 2) ranges = value;
    at = varintEnd;
  }
  for (let field = 0; field < 2 * ranges + (hasEcn ? 3 : 0); field++) {
    if (readVarint(frames, at, end) < 0) return -1;
    at = varintEnd;
  }
  return at;
}

/** Where the number ends that {@linkcode readVarint} has read. */
let varintEnd = 0;

/** A number of variable length (RFC 9000, section 16), or -1 if it is cut or larger than any length. */
function readVarint(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return -1;
  const size = 1 << (bytes[at] >>> 6);
  if (at + size > end) return -1;
  let value = bytes[at] & 0x3f;
  for (let i = 1; i < size; i++) value = value * 256 + bytes[at + i];
  varintEnd = at + size;
  return value > 0xffff_ffff ? -1 : value;
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return createHmac("sha256", key).update(data).digest();
}

/** HKDF-Expand-Label of TLS 1.3 (RFC 8446, section 7.1), for up to one hash's length. */
function expandLabel(secret: Uint8Array, label: string, length: number): Uint8Array {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.from([length >>> 8, length & 0xff, name.length, ...name, 0, 1]);
  return hmac(secret, info).subarray(0, length);
}

function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "hex"));
}
