import { Buffer } from "node:buffer";
import dnsPacket from "dns-packet";
import { addressText } from "../model/address_text.ts";
import { DNSTAP_TYPES, type DnstapMessage, type DnstapPayload } from "./dnstap.ts";

const SOCKET_FAMILIES = ["", "INET", "INET6"];
const SOCKET_PROTOCOLS = ["", "UDP", "TCP", "DOT", "DOH", "DNSCryptUDP", "DNSCryptTCP", "DOQ"];
const HTTP_PROTOCOLS = ["", "HTTP1", "HTTP2", "HTTP3"];
const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
const NANOSECOND_DIGITS = 9;

/** What is used of dns-packet's answer, which is different for each type of record. */
interface DecodedMessage {
  id: number;
  opcode: string;
  rcode: string;
  questions: { name: string; type: string; class: string }[];
  answers: unknown[];
  authorities: unknown[];
  additionals: unknown[];
}

const { decode } = dnsPacket as unknown as { decode(bytes: Buffer): DecodedMessage };

/**
 * A payload of dnstap as a value for `JSON.stringify`, in the words of the schema: numbers of an
 * enumeration as their names, addresses and times as text, messages as objects, or in base64 where
 * they can't be read.
 */
export function dnstapJson({ identity, version, extra, message }: DnstapPayload): unknown {
  return {
    type: "MESSAGE",
    identity: textOf(identity),
    version: textOf(version),
    extra: textOf(extra),
    message: message && messageJson(message),
  };
}

function messageJson(message: DnstapMessage): unknown {
  return {
    type: DNSTAP_TYPES[message.type - 1] ?? message.type,
    socket_family: named(SOCKET_FAMILIES, message.socketFamily),
    socket_protocol: named(SOCKET_PROTOCOLS, message.socketProtocol),
    http_protocol: named(HTTP_PROTOCOLS, message.httpProtocol),
    query_address: addressOfBytes(message.queryAddress),
    query_port: message.queryPort,
    response_address: addressOfBytes(message.responseAddress),
    response_port: message.responsePort,
    query_time: timeText(message.queryTimeSec, message.queryTimeNsec),
    response_time: timeText(message.responseTimeSec, message.responseTimeNsec),
    query_message: dnsMessageJson(message.queryMessage),
    response_message: dnsMessageJson(message.responseMessage),
  };
}

function named(names: readonly string[], number: number | undefined): string | number | undefined {
  return number === undefined ? undefined : names[number] || number;
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes && new TextDecoder().decode(bytes);
}

function addressOfBytes(bytes: Uint8Array | undefined): string | undefined {
  const words = bytes && addressWords(bytes);
  return words ? addressText(words, 0, bytes.length === IPV6_BYTES) : undefined;
}

/** Four words in network order, IPv4 in the last of them; `null` when it is no address. */
export function addressWords(bytes: Uint8Array): Uint32Array | null {
  if (bytes.length !== IPV4_BYTES && bytes.length !== IPV6_BYTES) return null;
  const words = new Uint32Array(4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const first = bytes.length === IPV4_BYTES ? 3 : 0;
  for (let word = first; word < 4; word++) words[word] = view.getUint32((word - first) * 4);
  return words;
}

/** As RFC 3339 has it, with nanoseconds. */
function timeText(seconds: number | undefined, nanoseconds: number = 0): string | undefined {
  if (seconds === undefined) return undefined;
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return undefined;
  const fraction = String(nanoseconds).padStart(NANOSECOND_DIGITS, "0");
  return date.toISOString().replace(/\.\d+Z$/, `.${fraction}Z`);
}

function dnsMessageJson(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined) return undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  try {
    const { id, opcode, rcode, questions, answers, authorities, additionals } = decode(buffer);
    return plain({ id, opcode, rcode, questions, answers, authorities, additionals });
  } catch {
    return buffer.toString("base64");
  }
}

/** The same without bytes: text where they are printable, else base64. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    const isText = value.every((byte) => byte >= 0x20 && byte < 0x7f);
    return Buffer.from(value).toString(isText ? "latin1" : "base64");
  }
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
}
