import type { NameWrite } from "../dns/name_write.ts";
import { STATE_NAMES } from "../model/conversation_states.ts";
import {
  IPV6_BIT,
  KIND_CLIENT,
  KIND_FLOW,
  KIND_ICMP,
  KIND_PEER,
  KIND_RST,
  TUNNEL_KIND_SHIFT,
  WORD_A,
  WORD_ABOUT,
  WORD_B,
  WORD_KIND,
  WORD_PORTS,
  WORD_SECONDS,
  WORD_TUNNEL,
} from "../model/observation_batch.ts";
import type { DeviceRecord } from "../model/device_record.ts";
import { PROTOCOL_TCP } from "../model/protocol_numbers.ts";
import { REASON_NAMES } from "../model/reason.ts";
import {
  RECORD_CLIENT,
  RECORD_FIRST,
  RECORD_FLAGS,
  RECORD_HEAD,
  RECORD_ID,
  RECORD_LAST,
  RECORD_LINK,
  RECORD_MILLISECONDS,
  RECORD_OCTETS,
  RECORD_PACKETS,
  RECORD_PORTS,
  RECORD_PROTOCOL_SHIFT,
  RECORD_REASON_SHIFT,
  RECORD_SERVER,
  RECORD_TUNNEL,
  RECORD_TUNNEL_ID,
} from "../model/record_batch.ts";
import { tunnelText } from "../model/tunnel_names.ts";
import { wideNumber } from "../model/wide_number.ts";
import { printable } from "../printable.ts";
import { cachedAddressText } from "./cached_address_text.ts";
import { keyText } from "./keys.ts";
import type { RecordWords } from "./record_of.ts";

/** Words of an address: that of a server is behind its client's. */
const ADDRESS_WORDS = 4;
/** IANA's protocol numbers. */
const UDP = 17;
const TYPES: Readonly<Record<number, string>> = {
  [KIND_CLIENT]: "client",
  [KIND_FLOW]: "flow",
  [KIND_PEER]: "peer",
  [KIND_RST]: "rst",
  [KIND_ICMP]: "icmp",
};

/**
 * Events as lines of JSON: docs/json.schema.json has their fields. There may be one for each packet, so
 * they are made of strings, and not of objects. Keys, addresses and words of ours consist of characters
 * that JSON strings take as they are; names, and names of interfaces, may not.
 */
export class JsonLines {
  readonly #options: RecordWords;
  /** The second that was written last, as text up to its fraction: most lines are of few. */
  #second = NaN;
  #secondText = "";

  constructor(options: RecordWords) {
    this.#options = options;
  }

  /**
   * An observation.
   *
   * @param words Observations, as in an `ObservationBatch`.
   * @param at Where its first word is.
   * @param records Records of conversations, or `null`.
   * @param recordAt Where that of a flow's conversation is, if there are any.
   */
  observation(
    words: Uint32Array,
    at: number,
    records: Uint32Array | null,
    recordAt: number,
  ): string {
    const head = words[at + WORD_KIND];
    const isIpv6 = (head & IPV6_BIT) !== 0;
    const kind = head & 0xff;
    const ports = words[at + WORD_PORTS];
    const about = words[at + WORD_ABOUT];
    const client = cachedAddressText(words, at + WORD_A, isIpv6);
    const start = '{"type":"' + TYPES[kind] + '","time":"' +
      this.#time(words[at + WORD_SECONDS], 0) +
      '","key":"' + keyText(words, at) + '","count":1';
    if (kind === KIND_CLIENT) return start + ',"client":"' + client + '"}\n';
    const other = cachedAddressText(words, at + WORD_B, isIpv6);
    if (kind === KIND_PEER) return start + ',"address":"' + client + '","peer":"' + other + '"}\n';
    const protocol = (about >>> 8) & 0xff;
    if (kind === KIND_FLOW) {
      const record = records !== null &&
          (records[recordAt + RECORD_ID] | records[recordAt + RECORD_ID + 1]) !== 0
        ? records
        : null;
      const clientPort = record === null ? null : record[recordAt + RECORD_PORTS] >>> 16;
      return start + ',"by":"' + REASON_NAMES[about & 0xff] + '"' +
        ends(client, clientPort, other, ports, protocol) +
        (record === null ? "" : this.#figures(record, recordAt)) +
        tunnel((about >>> TUNNEL_KIND_SHIFT) & 0xff, words[at + WORD_TUNNEL]) +
        (record === null
          ? this.#name(isIpv6, words, at, ports, protocol)
          : this.#names(record, recordAt)) +
        "}\n";
    }
    const text = start + ends(client, ports >>> 16, other, ports & 0xffff, protocol);
    return kind === KIND_RST ? text + "}\n" : text + ',"code":' + ((head >>> 16) & 0xff) + "}\n";
  }

  /**
   * A conversation that is over. It writes no key; it has one of a kind that Redis has not, so that
   * whoever selects lines by their key need not know of it.
   *
   * @param words Records of conversations, as in a `RecordBatch`.
   * @param at Where its first word is.
   */
  end(words: Uint32Array, at: number): string {
    const head = words[at + RECORD_HEAD];
    const isIpv6 = (head & IPV6_BIT) !== 0;
    const client = cachedAddressText(words, at + RECORD_CLIENT, isIpv6);
    const server = cachedAddressText(words, at + RECORD_SERVER, isIpv6);
    const ports = words[at + RECORD_PORTS];
    const port = ports & 0xffff;
    const flags = words[at + RECORD_FLAGS];
    const protocol = (head >>> RECORD_PROTOCOL_SHIFT) & 0xff;
    const last = this.#time(words[at + RECORD_LAST], words[at + RECORD_MILLISECONDS] >>> 16);
    return '{"type":"end","time":"' + last +
      '","key":"' + client + ";" + server + ";" + port + ';end","count":0' +
      ends(client, ports >>> 16, server, port, protocol) +
      ',"by":"' + REASON_NAMES[head >>> RECORD_REASON_SHIFT] + '"' +
      this.#figures(words, at) +
      ',"flags":[' + (flags & 0xff) + "," + ((flags >>> 8) & 0xff) + "]" +
      tunnel(words[at + RECORD_TUNNEL], words[at + RECORD_TUNNEL_ID]) +
      this.#names(words, at) + "}\n";
  }

  /**
   * A write of a key with names.
   *
   * @param seconds When, after the origin.
   */
  name({ key, name }: NameWrite, seconds: number): string {
    const first = key.indexOf(";");
    const last = key.lastIndexOf(";");
    const type = key.slice(last + 1);
    const base = { type, time: this.#time(seconds, 0), key };
    const client = key.slice(0, first);
    const what = key.slice(first + 1, last);
    // Who has a name is an address, or what another name is an alias of; what does not exist is a name.
    const event = name === null
      ? { ...base, count: 1, client, query: what }
      : { ...base, name, client, [type === "cname" ? "target" : "address"]: what };
    // A name may have backslashes and quotation marks in it.
    return printable(JSON.stringify(event)) + "\n";
  }

  /**
   * What is known of a device. It writes no key; it has one of a kind that Redis has not, as the end of a
   * conversation.
   */
  device({ hardware, vendor, isPrivate, addresses, names, first, last }: DeviceRecord): string {
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
    return printable(JSON.stringify(event)) + "\n";
  }

  #figures(words: Uint32Array, at: number): string {
    const milliseconds = words[at + RECORD_MILLISECONDS];
    const link = words[at + RECORD_LINK];
    const interfaceName = this.#options.interfaces?.[(link >>> 16) - 1];
    const vlan = link & 0xffff;
    return ',"id":' + wideNumber(words, at + RECORD_ID) +
      ',"state":"' + STATE_NAMES[words[at + RECORD_HEAD] & 0xff] +
      '","packets":[' + wideNumber(words, at + RECORD_PACKETS) + "," +
      wideNumber(words, at + RECORD_PACKETS + 2) +
      '],"bytes":[' + wideNumber(words, at + RECORD_OCTETS) + "," +
      wideNumber(words, at + RECORD_OCTETS + 2) +
      '],"first":"' + this.#time(words[at + RECORD_FIRST], milliseconds & 0xffff) +
      '","last":"' + this.#time(words[at + RECORD_LAST], milliseconds >>> 16) + '"' +
      (interfaceName === undefined
        ? ""
        : ',"interface":' + printable(JSON.stringify(interfaceName))) +
      (vlan === 0 ? "" : ',"vlan":' + vlan);
  }

  /** Which kind of DNS it is, and the server's name, where these are known. */
  #name(
    isIpv6: boolean,
    words: Uint32Array,
    at: number,
    port: number,
    protocol: number,
  ): string {
    const name = this.#options.names?.find(isIpv6, words, at + WORD_A, at + WORD_B) ?? null;
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

  /** RFC 3339, in UTC; years after 9999 as ECMA-262 has them. */
  #time(seconds: number, milliseconds: number): string {
    if (seconds !== this.#second) {
      const time = ((this.#options.origin?.seconds ?? 0) + seconds) * 1000;
      this.#second = seconds;
      this.#secondText = new Date(time).toISOString().slice(0, -"000Z".length);
    }
    return this.#secondText + (milliseconds < 10 ? "00" : milliseconds < 100 ? "0" : "") +
      milliseconds + "Z";
  }
}

/** Both ends, the port of the client where it is known, and the protocol. */
function ends(
  client: string,
  clientPort: number | null,
  server: string,
  port: number,
  protocol: number,
): string {
  return ',"client":"' + client + '"' +
    (clientPort === null ? "" : ',"client_port":' + clientPort) +
    ',"server":"' + server + '","port":' + port + ',"protocol":"' + protocolName(protocol) + '"';
}

function tunnel(kind: number, id: number): string {
  const text = tunnelText(kind, id);
  return text === null ? "" : ',"tunnel":"' + text + '"';
}

function protocolName(protocol: number): string {
  if (protocol === PROTOCOL_TCP) return "tcp";
  return protocol === UDP ? "udp" : String(protocol);
}
