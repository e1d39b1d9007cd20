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
  /** Who answers: 4 or 16 bytes. */
  readonly responseAddress?: Uint8Array;
  /** The port from which it was asked. */
  readonly queryPort?: number;
  /** The port from which it was answered. */
  readonly responsePort?: number;
  /** When it was asked, in seconds since 1970-01-01 UTC. */
  readonly queryTimeSec?: number;
  /** Nanoseconds beyond these. */
  readonly queryTimeNsec?: number;
  /** When it was answered, in seconds since 1970-01-01 UTC. */
  readonly responseTimeSec?: number;
  /** Nanoseconds beyond these. */
  readonly responseTimeNsec?: number;
  /** The question, a DNS message as it was on the wire. */
  readonly queryMessage?: Uint8Array;
  /** The answer, a DNS message as it was on the wire. */
  readonly responseMessage?: Uint8Array;
  /** The zone to which the question belongs, a name as it is on the wire. */
  readonly queryZone?: Uint8Array;
  /** The version of HTTP with DNS over HTTPS: 1, 2 or 3. */
  readonly httpProtocol?: number;
}

/** A payload of dnstap. */
export interface DnstapPayload {
  /** The name that the name server has for itself. */
  readonly identity?: Uint8Array;
  /** The name server's software and its version. */
  readonly version?: Uint8Array;
  /** Whatever the name server was told to add. */
  readonly extra?: Uint8Array;
  /** What is said. */
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
