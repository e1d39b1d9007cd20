/** Builds TLS ClientHellos and QUIC Initial packets for tests. */
import { Buffer } from "node:buffer";
import { createCipheriv, createHmac } from "node:crypto";
import { type Bytes, bytes, u16, u32 } from "../packets.ts";

/** What a ClientHello is to say. */
export interface HelloOptions {
  protocols?: readonly string[];
  /** The number of a configuration of an encrypted hello. */
  encryptedHello?: number;
  /** Bytes of a key share before the name: hybrid ones have some 1,200. */
  keyShare?: number;
}

const u24 = (number: number) => [number >>> 16, ...u16(number & 0xffff)];
const extension = (type: number, content: Uint8Array) =>
  bytes(u16(type), u16(content.length), content);
const withLength = (content: Uint8Array) => bytes(u16(content.length), content);

/** A ClientHello (RFC 8446, section 4.1.2), without the record around it. */
export function clientHello(name: string | null, options: HelloOptions = {}): Bytes {
  const { protocols = [], encryptedHello, keyShare = 0 } = options;
  const extensions = [
    extension(51, new Uint8Array(keyShare)),
    name === null ? [] : extension(0, withLength(bytes(0, withLength(bytes(name))))),
    protocols.length === 0 ? [] : extension(
      16,
      withLength(bytes(...protocols.map((protocol) => bytes(protocol.length, protocol)))),
    ),
    encryptedHello === undefined
      ? []
      : extension(0xfe0d, bytes(0, u16(1), u16(1), encryptedHello, u16(0), u16(0))),
  ];
  const body = bytes(
    ...[u16(0x0303), new Uint8Array(32), 0, u16(2), u16(0x1301), [1, 0]],
    withLength(bytes(...extensions)),
  );
  return bytes(1, u24(body.length), body);
}

/** Handshake bytes in TLS records of some length at most. */
export function records(handshake: Uint8Array, most = 16_384): Bytes {
  const parts: Bytes[] = [];
  for (let at = 0; at < handshake.length; at += most) {
    const part = handshake.subarray(at, at + most);
    parts.push(bytes(22, u16(0x0301), u16(part.length), part));
  }
  return bytes(...parts);
}

/** A version of QUIC: its number, salt, label of keys, type of Initial packets. */
export interface QuicVersion {
  number: number;
  salt: string;
  label: string;
  type: number;
}

export const QUIC_1: QuicVersion = {
  number: 1,
  salt: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a",
  label: "quic",
  type: 0,
};
export const QUIC_2: QuicVersion = {
  number: 0x6b3343cf,
  salt: "0dede3def700a6db819381be6e269dcbf9bd2ed9",
  label: "quicv2",
  type: 1,
};
export const QUIC_DRAFT_29: QuicVersion = {
  number: 0xff00001d,
  salt: "afbfec289993d24c9e9786f19c6111e04390a899",
  label: "quic",
  type: 0,
};

/** What an Initial packet is to be. */
export interface InitialOptions {
  version?: QuicVersion;
  /** The destination's connection ID in the header. */
  destination?: readonly number[];
  /** That which the keys come from: the first destination of the client. */
  keysOf?: readonly number[];
  token?: readonly number[];
  number?: number;
}

const varint = (number: number) => u16(0x4000 | number);

/** A CRYPTO frame (RFC 9000, section 19.6). */
export function crypto(offset: number, content: Uint8Array): Bytes {
  return bytes(6, varint(offset), varint(content.length), content);
}

/** A client's Initial packet (RFC 9001, section 5), padded to some length. */
export function initial(frames: Uint8Array, options: InitialOptions = {}, size = 1200): Bytes {
  const { version = QUIC_1, token = [], number = 0 } = options;
  const destination = options.destination ?? [1, 2, 3, 4, 5, 6, 7, 8];
  const secret = hmac(
    Buffer.from(version.salt, "hex"),
    Uint8Array.from(options.keysOf ?? destination),
  );
  const client = expand(secret, "client in", 32);
  const key = expand(client, `${version.label} key`, 16);
  const iv = expand(client, `${version.label} iv`, 12);
  const headerKey = expand(client, `${version.label} hp`, 16);
  const payload = bytes(frames, new Uint8Array(Math.max(0, size - frames.length - 60)));
  const header = bytes(
    0xc1 | (version.type << 4),
    ...[u32(version.number | 0), destination.length, destination, 0, varint(token.length), token],
    ...[varint(2 + payload.length + 16), u16(number)],
  );
  const nonce = new Uint8Array(iv);
  nonce[11] ^= number & 0xff;
  nonce[10] ^= number >>> 8;
  const cipher = createCipheriv("aes-128-gcm", key, nonce);
  cipher.setAAD(header);
  const encrypted = bytes(cipher.update(payload), cipher.final(), cipher.getAuthTag());
  const sample = encrypted.subarray(2, 18);
  const block = createCipheriv("aes-128-ecb", headerKey, null);
  block.setAutoPadding(false);
  const mask = block.update(sample);
  // Otherwise its memory stays.
  block.final();
  header[0] ^= mask[0] & 0x0f;
  header[header.length - 2] ^= mask[1];
  header[header.length - 1] ^= mask[2];
  return bytes(header, encrypted);
}

function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return createHmac("sha256", key).update(data).digest();
}

function expand(secret: Uint8Array, label: string, length: number): Uint8Array {
  const name = `tls13 ${label}`;
  const info = bytes(u16(length), name.length, name, 0, 1);
  return hmac(secret, info).subarray(0, length);
}
