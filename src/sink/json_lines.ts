import type { NameWrite } from "../dns/name_write.ts";
import { addressText } from "../model/address_text.ts";
import { STATE_NAMES } from "../model/conversation_states.ts";
import type { DeviceRecord } from "../model/device_record.ts";
import {
  IPV6_BIT,
  KIND_CLIENT,
  KIND_FLOW,
  KIND_ICMP,
  KIND_PEER,
  KIND_RST,
  OBSERVATION_WORDS,
  type ObservationBatch,
  WORD_A,
  WORD_ABOUT,
  WORD_KIND,
  WORD_PORTS,
} from "../model/observation_batch.ts";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "../model/protocol_numbers.ts";
import { REASON_NAMES } from "../model/reason.ts";
import {
  IS_OVER,
  RECORD_CLIENT,
  RECORD_HEAD,
  RECORD_ID,
  RECORD_LINK,
  RECORD_PORTS,
  RECORD_PROTOCOL_SHIFT,
  RECORD_WORDS,
  type RecordBatch,
} from "../model/record_batch.ts";
import { TUNNEL_NAMES } from "../model/tunnel_names.ts";
import { printable } from "../printable.ts";
import { startProgram } from "../wasm_program.ts";
import * as layout from "./json_layout.ts";
import { PROGRAM } from "./json_program.ts";
import { LineBuffer } from "./line_buffer.ts";
import type { RecordWords } from "./record_of.ts";

/** What `assembly/json_lines.ts` exports; each function returns the end of what it wrote. */
interface JsonProgram {
  observation(into: number, observation: number, record: number): number;
  flowLinks(into: number, observation: number, record: number): number;
  end(into: number, record: number): number;
  endLinks(into: number, record: number): number;
}

/** What lines of JSON are made with. */
export interface JsonLinesOptions extends RecordWords {
  /** What the sensor is called, for each line. By default, lines have no such name. */
  readonly sensor?: string;
}

/** Bytes of a word, of an observation and of a record, and of a page of memory. */
const WORD = 4;
const OBSERVATION = OBSERVATION_WORDS * WORD;
const RECORD = RECORD_WORDS * WORD;
const PAGE = 65_536;
/** Words of an address: that of a server is behind its client's. */
const ADDRESS_WORDS = 4;

/** Texts of lines by their numbers. They consist of characters that JSON strings take as they are. */
const TEXTS: readonly (readonly [number, string])[] = [
  [layout.START_END, '{"type":"end","time":"'],
  [layout.START + KIND_CLIENT, '{"type":"client","time":"'],
  [layout.START + KIND_FLOW, '{"type":"flow","time":"'],
  [layout.START + KIND_PEER, '{"type":"peer","time":"'],
  [layout.START + KIND_RST, '{"type":"rst","time":"'],
  [layout.START + KIND_ICMP, '{"type":"icmp","time":"'],
  [layout.KEY, '","key":"'],
  [layout.CLIENT_KEY, "client;"],
  [layout.CLIENT_COUNT, '","count":1,"client":"'],
  [layout.FLOW_KEY, ';flow","count":1,"by":"'],
  [layout.PEER_KEY, ';peer","count":1,"address":"'],
  [layout.RST_KEY, ';rst","count":1'],
  [layout.ICMP_KEY, ';icmp","count":1'],
  [layout.END_KEY, ';end","count":0'],
  [layout.BY, ',"by":"'],
  [layout.CLIENT, ',"client":"'],
  [layout.CLIENT_PORT, ',"client_port":'],
  [layout.SERVER, ',"server":"'],
  [layout.PORT, '","port":'],
  [layout.PROTOCOL, ',"protocol":"'],
  [layout.PEER, '","peer":"'],
  [layout.CODE, ',"code":'],
  [layout.ID, ',"id":'],
  [layout.COMMUNITY_ID, ',"community_id":"'],
  [layout.STATE, '","state":"'],
  [layout.PACKETS, '","packets":['],
  [layout.BYTES, '],"bytes":['],
  [layout.FIRST, '],"first":"'],
  [layout.LAST, '","last":"'],
  [layout.VLAN, ',"vlan":'],
  [layout.FLAGS, ',"flags":['],
  [layout.TUNNEL, ',"tunnel":"'],
  [layout.QUOTE, '"'],
  [layout.TCP, protocolName(PROTOCOL_TCP)],
  [layout.UDP, protocolName(PROTOCOL_UDP)],
  ...REASON_NAMES.map((name, i) => [layout.REASONS + i, name] as const),
  ...STATE_NAMES.map((name, i) => [layout.STATES + i, name] as const),
  ...TUNNEL_NAMES.map((name, i) => [layout.TUNNELS + i, name] as const),
];

/**
 * Events as lines of JSON: docs/json.schema.json has their fields. There may be one for each packet, so
 * all that is a number becomes text in WebAssembly, where the lines are gathered; names, and names of
 * interfaces, which may have any characters, are added here.
 */
export class JsonLines {
  /** Has the lines. */
  readonly buffer: LineBuffer;
  readonly #options: JsonLinesOptions;
  /** Ends each line. */
  readonly #tail: Uint8Array;
  /** By the interface's number, once it was seen. */
  readonly #interfaces: (Uint8Array | undefined)[] = [];
  readonly #program: JsonProgram;
  /** The memory. */
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #encoder = new TextEncoder();

  constructor(options: JsonLinesOptions = {}) {
    this.#options = options;
    const { sensor } = options;
    const tail = sensor === undefined ? "}\n" : `,"sensor":"${sensor}"}\n`;
    this.#tail = this.#encoder.encode(tail);
    const pages = Math.ceil(layout.MEMORY_SIZE / PAGE);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.#bytes = new Uint8Array(memory.buffer);
    this.#words = new Uint32Array(memory.buffer);
    this.buffer = new LineBuffer(
      new Uint8Array(memory.buffer, layout.LINES, layout.LINES_SIZE),
    );
    for (const [number, text] of TEXTS) {
      const at = layout.TEXTS + (number << layout.TEXT_SHIFT);
      this.#bytes[at] = this.#put(text, at + 1, layout.LONGEST_TEXT);
    }
    this.#program = startProgram<JsonProgram>(PROGRAM, memory, {
      addressText: (address: number, into: number) =>
        this.#put(addressText(this.#words, address / WORD, true), into, layout.LONGEST_ADDRESS),
      secondText: (second: number, into: number) =>
        this.#put(this.#secondText(second >>> 0), into, layout.LONGEST_SECOND),
    });
  }

  /**
   * Observations, with the records of flows that they come with.
   *
   * @param isFull Whether there is no room for another line. By default, there always is.
   * @returns How many became lines.
   */
  observations({ words, count, records }: ObservationBatch, isFull = () => false): number {
    for (let from = 0; from < count; from += layout.AT_ONCE) {
      const end = Math.min(count, from + layout.AT_ONCE);
      this.#copy(words, from, end, OBSERVATION_WORDS, layout.OBSERVATIONS);
      if (records !== null) this.#copy(records, from, end, RECORD_WORDS, layout.RECORDS);
      for (let i = 0; i < end - from; i++) {
        if (isFull()) return from + i;
        this.#observation(
          layout.OBSERVATIONS + i * OBSERVATION,
          records === null ? 0 : layout.RECORDS + i * RECORD,
        );
      }
    }
    return count;
  }

  /**
   * Conversations that are over, of records of these and others. They write no keys; they have one of a
   * kind that Redis has not, so that whoever selects lines by their key need not know of it.
   *
   * @param isFull Whether there is no room for another line. By default, there always is.
   * @returns How many there was no room for.
   */
  ends({ words, count }: RecordBatch, isFull = () => false): number {
    let lost = 0;
    for (let from = 0; from < count; from += layout.AT_ONCE) {
      const end = Math.min(count, from + layout.AT_ONCE);
      this.#copy(words, from, end, RECORD_WORDS, layout.RECORDS);
      for (let i = 0; i < end - from; i++) {
        const record = layout.RECORDS + i * RECORD;
        if ((this.#words[record / WORD + RECORD_HEAD] & IS_OVER) === 0) continue;
        if (isFull()) lost++;
        else this.#end(record);
      }
    }
    return lost;
  }

  /**
   * A write of a key with names.
   *
   * @param seconds When, after the origin.
   */
  name({ key, name }: NameWrite, seconds: number): void {
    const first = key.indexOf(";");
    const last = key.lastIndexOf(";");
    const type = key.slice(last + 1);
    const base = { type, time: `${this.#secondText(seconds)}000Z`, key };
    const client = key.slice(0, first);
    const what = key.slice(first + 1, last);
    // Who has a name is an address, or what another name is an alias of; what does not exist is a name.
    const event = name === null
      ? { ...base, count: 1, client, query: what }
      : { ...base, name, client, [type === "cname" ? "target" : "address"]: what };
    // A name may have backslashes and quotation marks in it.
    this.value(event);
  }

  /**
   * What is known of a device. It writes no key; it has one of a kind that Redis has not, as the end of a
   * conversation.
   */
  device({ hardware, vendor, isPrivate, addresses, names, first, last }: DeviceRecord): void {
    const key = `${hardware ?? addresses[addresses.length - 1].address};device`;
    const time = (milliseconds: number) => new Date(milliseconds).toISOString();
    const event = {
      ...{ type: "device", time: time(last), key, count: 0 },
      ...(hardware === null ? {} : { hardware, private: isPrivate }),
      ...(vendor === null ? {} : { vendor }),
      names,
      addresses: addresses.map((it) => {
        return { address: it.address, first: time(it.first), last: time(it.last) };
      }),
      first: time(first),
    };
    this.value(event, 0);
  }

  /**
   * Anything else.
   *
   * @param units How many observations it stands for.
   */
  value(event: unknown, units = 1): void {
    this.buffer.put(printable(JSON.stringify(event)).slice(0, -"}".length));
    this.#endLine(units);
  }

  /** @param record That of its conversation, which may be none, or 0. */
  #observation(observation: number, record: number): void {
    const program = this.#program;
    const words = this.#words;
    const at = observation / WORD;
    const recordAt = record / WORD;
    const head = words[at + WORD_KIND];
    const isFlow = (head & 0xff) === KIND_FLOW;
    const hasRecord = isFlow && record !== 0 &&
      (words[recordAt + RECORD_ID] | words[recordAt + RECORD_ID + 1]) !== 0;
    const itsRecord = hasRecord ? record : 0;
    this.#extend(program.observation(this.#room(), observation, itsRecord));
    if (isFlow) {
      if (hasRecord) this.#putInterface(words[recordAt + RECORD_LINK] >>> 16);
      this.#extend(program.flowLinks(this.#room(), observation, itsRecord));
      this.#putNames(hasRecord ? this.#names(words, recordAt) : this.#name(words, at));
    }
    this.#endLine(1);
  }

  #end(record: number): void {
    const at = record / WORD;
    this.#extend(this.#program.end(this.#room(), record));
    this.#putInterface(this.#words[at + RECORD_LINK] >>> 16);
    this.#extend(this.#program.endLinks(this.#room(), record));
    this.#putNames(this.#names(this.#words, at));
    // It has no key that anybody counts.
    this.#endLine(0);
  }

  /** Where the program may write a part of a line. */
  #room(): number {
    this.buffer.makeRoom(layout.LONGEST_PART);
    return layout.LINES + this.buffer.length;
  }

  #extend(end: number): void {
    this.buffer.extend(end - layout.LINES);
  }

  #endLine(units: number): void {
    this.buffer.putBytes(this.#tail);
    this.buffer.end(units);
  }

  #putNames(text: string): void {
    if (text !== "") this.buffer.put(text);
  }

  #putInterface(number: number): void {
    if (number === 0) return;
    const bytes = this.#interfaces[number] ??= this.#interfaceBytes(number);
    if (bytes !== undefined) this.buffer.putBytes(bytes);
  }

  #interfaceBytes(number: number): Uint8Array | undefined {
    const name = this.#options.interfaces?.[number - 1];
    return name === undefined
      ? undefined
      : this.#encoder.encode(',"interface":' + printable(JSON.stringify(name)));
  }

  /** Which kind of DNS it is, and the server's name, where these are known. */
  #name(words: Uint32Array, at: number): string {
    const isIpv6 = (words[at + WORD_KIND] & IPV6_BIT) !== 0;
    const port = words[at + WORD_PORTS];
    const protocol = (words[at + WORD_ABOUT] >>> 8) & 0xff;
    const name =
      this.#options.names?.find(isIpv6, words, at + WORD_A, at + WORD_A + ADDRESS_WORDS) ?? null;
    return this.#dns(isIpv6, words, at + WORD_A, port, protocol, [name]) +
      (name === null ? "" : ',"name":' + printable(JSON.stringify(name)));
  }

  /** @param client Where the client's address is, behind which there is the server's. */
  #dns(
    isIpv6: boolean,
    words: Uint32Array,
    client: number,
    port: number,
    protocol: number,
    names: readonly (string | null)[],
    applicationProtocols: readonly string[] = [],
  ): string {
    const { dnsServices } = this.#options;
    if (!dnsServices?.mayBe(port, applicationProtocols)) return "";
    const use = { port, protocol: protocolName(protocol), names, applicationProtocols };
    const kind = dnsServices.kindAt(isIpv6, words, client, client + ADDRESS_WORDS, use);
    return kind === null ? "" : ',"dns":"' + kind + '"';
  }

  /** The strongest name, all of them, and whether a lookup explains the conversation. */
  #names(records: Uint32Array, at: number): string {
    const head = records[at + RECORD_HEAD];
    const isIpv6 = (head & IPV6_BIT) !== 0;
    const client = at + RECORD_CLIENT;
    const port = records[at + RECORD_PORTS] & 0xffff;
    const protocol = (head >>> RECORD_PROTOCOL_SHIFT) & 0xff;
    const named = this.#options.names?.of(records, at);
    if (named === undefined) return this.#dns(isIpv6, records, client, port, protocol, []);
    const { names, isExplained, why, applicationProtocols } = named;
    const texts = names.map(({ name }) => name);
    let text = this.#dns(isIpv6, records, client, port, protocol, texts, applicationProtocols);
    if (names.length > 0) {
      // With a dot at the end, as in keys.
      const all = names.map(({ name, from, isOuter }) => ({
        name: `${name}.`,
        from,
        ...(isOuter === true ? { outer: true } : {}),
      }));
      text += ',"name":' + printable(JSON.stringify(all[0].name)) +
        ',"names":' + printable(JSON.stringify(all));
    }
    if (isExplained === null) return text;
    text += ',"explained":' + isExplained;
    return isExplained ? text : text + ',"why":' + printable(JSON.stringify(why));
  }

  /** RFC 3339, in UTC, up to the fraction; years after 9999 as ECMA-262 has them. */
  #secondText(second: number): string {
    const time = ((this.#options.origin?.seconds ?? 0) + second) * 1000;
    return new Date(time).toISOString().slice(0, -"000Z".length);
  }

  #copy(words: Uint32Array, from: number, end: number, size: number, into: number): void {
    this.#words.set(words.subarray(from * size, end * size), into / WORD);
  }

  /** @returns How many bytes it has. */
  #put(text: string, at: number, most: number): number {
    const { read, written } = this.#encoder.encodeInto(text, this.#bytes.subarray(at, at + most));
    if (read < text.length) throw new RangeError(`no room for '${text}'`);
    return written;
  }
}

function protocolName(protocol: number): string {
  if (protocol === PROTOCOL_TCP) return "tcp";
  return protocol === PROTOCOL_UDP ? "udp" : String(protocol);
}
