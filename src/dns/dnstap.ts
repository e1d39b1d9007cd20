/**
 * The payloads of dnstap, https://dnstap.info: what a name server says of the messages that it got
 * and sent.
 *
 * @module
 */
import protobuf from "protobufjs";
import { DNSTAP_PROTO } from "./dnstap_proto.ts";

/** What Frame Streams call dnstap. */
export const DNSTAP_CONTENT_TYPE = "protobuf:dnstap.Dnstap";

/** Types of message, in the order of their numbers, from 1 on. */
export const DNSTAP_TYPES = [
  "AUTH_QUERY",
  "AUTH_RESPONSE",
  "RESOLVER_QUERY",
  "RESOLVER_RESPONSE",
  "CLIENT_QUERY",
  "CLIENT_RESPONSE",
  "FORWARDER_QUERY",
  "FORWARDER_RESPONSE",
  "STUB_QUERY",
  "STUB_RESPONSE",
  "TOOL_QUERY",
  "TOOL_RESPONSE",
  "UPDATE_QUERY",
  "UPDATE_RESPONSE",
] as const;

/** The type of a message from a name server to a client. */
export const CLIENT_RESPONSE = 6;

/** A message of dnstap, in the words of its schema; what is optional there may be missing. */
export interface DnstapMessage {
  /** One of `DNSTAP_TYPES`, from 1 on. */
  readonly type: number;
  /** 1 is IPv4, 2 is IPv6. */
  readonly socketFamily?: number;
  /** 1 is UDP, 2 is TCP; see the schema for the others. */
  readonly socketProtocol?: number;
  /** Who asked: 4 or 16 bytes. */
  readonly queryAddress?: Uint8Array;
  /** Who answers. */
  readonly responseAddress?: Uint8Array;
  readonly queryPort?: number;
  readonly responsePort?: number;
  /** Seconds since 1970-01-01 UTC, and nanoseconds. */
  readonly queryTimeSec?: number;
  readonly queryTimeNsec?: number;
  readonly responseTimeSec?: number;
  readonly responseTimeNsec?: number;
  /** DNS messages as they were on the wire. */
  readonly queryMessage?: Uint8Array;
  readonly responseMessage?: Uint8Array;
  /** A name as it is on the wire. */
  readonly queryZone?: Uint8Array;
  readonly httpProtocol?: number;
}

/** A payload of dnstap. */
export interface DnstapPayload {
  /** Who says it: the name server's name, and its version. */
  readonly identity?: Uint8Array;
  readonly version?: Uint8Array;
  readonly extra?: Uint8Array;
  readonly message?: DnstapMessage;
}

const Dnstap = protobuf.parse(DNSTAP_PROTO).root.lookupType("dnstap.Dnstap");

/**
 * Decodes a payload.
 *
 * @param frame Holds it. Byte fields of the answer are views of it.
 * @returns `null` when it is none.
 */
export function decodeDnstap(frame: Uint8Array): DnstapPayload | null {
  try {
    // Numbers of 64 bits are seconds: as doubles they are exact for a long time.
    const decoded = Dnstap.toObject(Dnstap.decode(frame), { longs: Number });
    return decoded as DnstapPayload;
  } catch {
    return null;
  }
}

/** Encodes a payload, for tools and tests. */
export function encodeDnstap(payload: DnstapPayload): Uint8Array {
  return Dnstap.encode(Dnstap.create({ type: 1, ...payload })).finish();
}
