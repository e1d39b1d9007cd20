/** Builds DNS messages for tests, with dnspacket's own encoder or byte by byte. */
import type { Buffer } from "node:buffer";
import dnsPacket from "dns-packet";
import { addressBytes, type Bytes, bytes, u16, u32 } from "../packets.ts";

/** A record as dns-packet encodes it. */
export interface TestRecord {
  type: string;
  name: string;
  data: unknown;
  ttl?: number;
  class?: string;
}

const { encode } = dnsPacket as unknown as { encode(message: unknown): Buffer };
const RESPONSE_CODE_NAME_ERROR = 3;

/** A response to a question for the addresses of a name. */
export function response(
  question: string,
  answers: readonly TestRecord[],
  { additionals = [], code = 0 }: { additionals?: readonly TestRecord[]; code?: number } = {},
): Bytes {
  const message = encode({
    type: "response",
    id: 1,
    flags: code,
    questions: [{ type: "A", name: question }],
    answers,
    additionals,
  });
  return Uint8Array.from(message);
}

/** A response that says that there is no such name. */
export function nameError(question: string, answers: readonly TestRecord[] = []): Bytes {
  return response(question, answers, { code: RESPONSE_CODE_NAME_ERROR });
}

export function address(name: string, data: string): TestRecord {
  return { type: data.includes(":") ? "AAAA" : "A", name, data };
}

export function alias(name: string, data: string): TestRecord {
  return { type: "CNAME", name, data };
}

export const TYPE_CNAME = 5;
/** Types of records that hint at addresses (RFC 9460). */
export const TYPE_SVCB = 64;
export const TYPE_HTTPS = 65;

/** A parameter of an HTTPS or SVCB record. */
export function parameter(key: number, value: Uint8Array): Bytes {
  return bytes(u16(key), u16(value.length), value);
}

/** The data of an HTTPS or SVCB record: priority, target, parameters. */
export function serviceData(priority: number, target: Uint8Array, ...parameters: Bytes[]): Bytes {
  return bytes(u16(priority), target, ...parameters);
}

/** The parameters alpn=h2, ipv4hint and ipv6hint. */
export function hints(...addresses: string[]): Bytes[] {
  const of = (isIpv6: boolean) =>
    bytes(...addresses.filter((it) => it.includes(":") === isIpv6).map(addressBytes));
  return [parameter(1, bytes(2, "h2")), parameter(4, of(false)), parameter(6, of(true))];
}

/** A message's header with its counts: questions, answers, authorities, additionals. */
export function header(counts: readonly number[], flags = 0x8180): Bytes {
  return bytes(u16(1), u16(flags), ...counts.map(u16));
}

/** A name of labels, with the zero byte at its end. */
export function wireName(...labels: (string | Uint8Array)[]): Bytes {
  return bytes(...labels.flatMap((label) => [bytes(label).length, bytes(label)]), 0);
}

/** A pointer to an offset in the message. */
export function pointer(offset: number): number[] {
  return u16(0xc000 | offset);
}

/** A record of class IN. */
export function record(
  name: Uint8Array | readonly number[],
  type: number,
  data: Uint8Array,
): Bytes {
  return bytes(name, u16(type), u16(1), u32(60), u16(data.length), data);
}

/** A message as it is sent over TCP. */
export function withLength(message: Uint8Array): Bytes {
  return bytes(u16(message.length), message);
}
