import { addressBytes } from "../../model/address_bytes.ts";
import type { ConversationRecord } from "../../model/conversation_record.ts";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "../../model/protocol_numbers.ts";
import { flowNumber } from "../flow_number.ts";
import type { FlowSlice } from "./flow_slice.ts";
import { MessageBuffer } from "./message_buffer.ts";
import {
  EVERY_PACKET,
  IPV4_TEMPLATE,
  IPV6_TEMPLATE,
  SELECTOR_TEMPLATE,
  type Template,
} from "./templates.ts";

/** A message that can be sent. */
export interface IpfixMessage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How many slices are in it. */
  readonly slices: number;
}

/** RFC 7011, section 3.1. */
const VERSION = 10;
const LENGTH_AT = 2;
const EXPORT_TIME_AT = 4;
const SEQUENCE_NUMBER_AT = 8;
/** Section 3.3.2. */
const TEMPLATE_SET = 2;
const OPTIONS_TEMPLATE_SET = 3;
/** Section 3.2: the bit of elements that have an enterprise number. */
const ENTERPRISE_BIT = 0x8000;
/** RFC 5103, section 6.1. */
const REVERSE_ENTERPRISE = 29_305;
/** What a sensor observes is of one domain. */
const OBSERVATION_DOMAIN = 1;

/** RFC 5103, section 6.3: the source of a biflow is who initiated it. */
const DIRECTION_INITIATOR = 1;
/** flowEndReason (IANA, IPFIX Entities). */
const END_IDLE = 1;
const END_ACTIVE_TIMEOUT = 2;
const END_DETECTED = 3;
/** States in which a conversation's end was seen. */
const ENDED_STATES: readonly string[] = ["closed", "reset", "refused"];

/** A name that is longer than this would need another form of length (RFC 7011, section 7). */
const MOST_NAME_BYTES = 254;
const MOST_UINT64 = 2n ** 64n - 1n;

const encoder = new TextEncoder();

/** Makes the messages of one transport session, whose sequence numbers begin with 0. */
export class IpfixMessages {
  readonly #buffer: MessageBuffer;
  readonly #mostBytes: number;
  readonly #now: () => number;
  #sequence = 0;

  /**
   * @param mostBytes How long messages may get.
   * @param now A clock in milliseconds since 1970-01-01 UTC.
   */
  constructor(mostBytes: number, now: () => number) {
    // What does not fit is written first, and taken back.
    this.#buffer = new MessageBuffer(mostBytes + 512);
    this.#mostBytes = mostBytes;
    this.#now = now;
  }

  /** The message that says what records hold, and that all packets are looked at. */
  templates(): IpfixMessage {
    this.#begin();
    this.#putSet(TEMPLATE_SET, () => {
      this.#putTemplate(IPV4_TEMPLATE);
      this.#putTemplate(IPV6_TEMPLATE);
    });
    this.#putSet(OPTIONS_TEMPLATE_SET, () => this.#putTemplate(SELECTOR_TEMPLATE, 1));
    this.#putSet(SELECTOR_TEMPLATE.id, () => {
      this.#buffer.putUint64(EVERY_PACKET.selectorId);
      this.#buffer.putUint16(EVERY_PACKET.selectorAlgorithm);
      this.#buffer.putUint32(EVERY_PACKET.samplingPacketInterval);
      this.#buffer.putUint32(EVERY_PACKET.samplingPacketSpace);
    });
    return this.#end(1, 0);
  }

  /** The next message, with as many slices as fit in it, from the first on. */
  records(slices: readonly FlowSlice[], from: number): IpfixMessage {
    const buffer = this.#buffer;
    this.#begin();
    let count = 0;
    while (from + count < slices.length) {
      const template = templateOf(slices[from + count].record);
      const setAt = buffer.length;
      const before = count;
      buffer.putUint16(template.id);
      buffer.putUint16(0);
      for (; from + count < slices.length; count++) {
        const slice = slices[from + count];
        if (templateOf(slice.record) !== template) break;
        const at = buffer.length;
        this.#putSlice(slice);
        if (buffer.length > this.#mostBytes) {
          buffer.truncate(at);
          break;
        }
      }
      if (count === before) {
        buffer.truncate(setAt);
        break;
      }
      buffer.setUint16(setAt + 2, buffer.length - setAt);
    }
    return this.#end(count, count);
  }

  #begin(): void {
    this.#buffer.truncate(0);
    this.#buffer.putUint16(VERSION);
    this.#buffer.putUint16(0);
    this.#buffer.putUint32(0);
    this.#buffer.putUint32(0);
    this.#buffer.putUint32(OBSERVATION_DOMAIN);
  }

  #end(dataRecords: number, slices: number): IpfixMessage {
    const buffer = this.#buffer;
    buffer.setUint16(LENGTH_AT, buffer.length);
    buffer.setUint32(EXPORT_TIME_AT, Math.floor(this.#now() / 1000));
    buffer.setUint32(SEQUENCE_NUMBER_AT, this.#sequence);
    this.#sequence = (this.#sequence + dataRecords) >>> 0;
    return { bytes: buffer.copy(), slices };
  }

  #putSet(id: number, put: () => void): void {
    const at = this.#buffer.length;
    this.#buffer.putUint16(id);
    this.#buffer.putUint16(0);
    put();
    this.#buffer.setUint16(at + 2, this.#buffer.length - at);
  }

  /** @param scopes How many of an options template's elements are its scope. */
  #putTemplate({ id, elements }: Template, scopes = 0): void {
    const buffer = this.#buffer;
    buffer.putUint16(id);
    buffer.putUint16(elements.length);
    if (scopes > 0) buffer.putUint16(scopes);
    for (const element of elements) {
      buffer.putUint16(element.isReverse ? element.id | ENTERPRISE_BIT : element.id);
      buffer.putUint16(element.length);
      if (element.isReverse) buffer.putUint32(REVERSE_ENTERPRISE);
    }
  }

  /** In the order of `templates.ts`. */
  #putSlice({ record, start, packets, bytes }: FlowSlice): void {
    const buffer = this.#buffer;
    buffer.putUint64(uint64(start));
    buffer.putUint64(uint64(record.last));
    buffer.putBytes(addressBytes(record.client));
    buffer.putBytes(addressBytes(record.server));
    buffer.putUint16(record.clientPort);
    buffer.putUint16(record.port);
    buffer.putUint8(record.protocol === "tcp" ? PROTOCOL_TCP : PROTOCOL_UDP);
    buffer.putUint8(DIRECTION_INITIATOR);
    buffer.putUint8(endReason(record));
    buffer.putUint16(record.vlan ?? 0);
    for (const end of [0, 1]) {
      buffer.putUint64(uint64(bytes[end]));
      buffer.putUint64(uint64(packets[end]));
    }
    buffer.putUint16(record.flags[1]);
    buffer.putUint16(record.flags[0]);
    buffer.putUint64(uint64(flowNumber(record)));
    const name = encoder.encode(record.interface ?? "").subarray(0, MOST_NAME_BYTES);
    buffer.putUint8(name.length);
    buffer.putBytes(name);
  }
}

function templateOf({ client }: ConversationRecord): Template {
  return client.includes(":") ? IPV6_TEMPLATE : IPV4_TEMPLATE;
}

function endReason({ isOver, state }: ConversationRecord): number {
  if (!isOver) return END_ACTIVE_TIMEOUT;
  return ENDED_STATES.includes(state) ? END_DETECTED : END_IDLE;
}

/** The times of a capture can be anything, those before 1970 and with fractions included. */
function uint64(number: number): bigint {
  const integer = BigInt(Math.max(Math.floor(number), 0));
  return integer > MOST_UINT64 ? MOST_UINT64 : integer;
}
