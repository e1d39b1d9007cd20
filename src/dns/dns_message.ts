import dnsPacket from "dns-packet";
import { addressText } from "../model/address_text.ts";
import { domainName } from "../model/domain_name.ts";
import {
  ANSWER,
  DNS_OUTCOME_NAMES,
  MALFORMED,
  NO_ADDRESS,
  NXDOMAIN,
  OTHER_OPCODE,
  OTHER_RESPONSE_CODE,
  QUERY,
} from "./dns_outcome.ts";
import type { DesignatedResolver } from "./designated_resolver.ts";
import { MessageBytes } from "./message_bytes.ts";

/** An A or AAAA record. */
export interface AddressRecord {
  /** The name that has the address. */
  readonly owner: string;
  /** Whether it is an AAAA record. */
  readonly isIpv6: boolean;
  /** Four words in network order, IPv4 in the last of them. */
  readonly words: Uint32Array;
  /** The address as keys have it. */
  readonly address: string;
}

/** A CNAME record. */
export interface AliasRecord {
  /** The name that points at another. */
  readonly owner: string;
  /** The name that it points at. */
  readonly target: string;
}

/**
 * An address that a service is said to have: ipv4hint or ipv6hint of an HTTPS or SVCB record (RFC
 * 9460, section 7.3). A client may connect to it without having looked it up.
 */
export interface HintRecord {
  /** The name whose service it is. */
  readonly owner: string;
  /** Whether it is an IPv6 address. */
  readonly isIpv6: boolean;
  /** Four words in network order, IPv4 in the last of them. */
  readonly words: Uint32Array;
}

/** That what is wanted of a name is at another one: an SVCB or HTTPS record (RFC 9460). */
export interface ServiceRecord {
  /** The name that points at the other one. */
  readonly owner: string;
  /** The other one; `null` where it is the same name. */
  readonly target: string | null;
  /** Configurations of encrypted hellos (RFC 9849): their numbers, and whom they are asked for by. */
  readonly configurations: readonly { readonly number: number; readonly publicName: string }[];
}

/** The name of an address: a PTR record in `in-addr.arpa` or `ip6.arpa`. */
export interface ReverseRecord {
  /** Whether it is an IPv6 address. */
  readonly isIpv6: boolean;
  /** Four words in network order, IPv4 in the last of them. */
  readonly words: Uint32Array;
  /** What it is called. */
  readonly name: string;
}

/** What a DNS response says, as far as keys are concerned. Names are as `domain_name.ts` has them. */
export interface DnsResponse {
  /** The name that was asked for; `null` where the message repeats no question, as in mDNS. */
  readonly question: string | null;
  /** The type of record that was asked for (RFC 1035, section 3.2.2); `null` where none is told. */
  readonly questionType: number | null;
  /** The A and AAAA records, in their order. */
  readonly addresses: readonly AddressRecord[];
  /** The CNAME records, in their order. */
  readonly aliases: readonly AliasRecord[];
  /** The addresses that HTTPS and SVCB records hint at. None is a key: they name flows. */
  readonly hints: readonly HintRecord[];
  /** HTTPS and SVCB records, where they point at another name or have configurations. */
  readonly services?: readonly ServiceRecord[];
  /** PTR records. None is a key. */
  readonly reverse?: readonly ReverseRecord[];
  /** For how many seconds all that was read may be remembered: the least of its records. */
  readonly ttl?: number;
  /** The resolvers that SVCB records designate. */
  readonly designated: readonly DesignatedResolver[];
}

/** What became of a message. */
export interface DnsReading {
  /** What it was, or why it was not used: an index of `DNS_OUTCOME_NAMES`. */
  readonly outcome: number;
  /** What it says; `null` where it was not used. */
  readonly response: DnsResponse | null;
}

/** What is used of dns-packet, which has no types of its own. */
interface NameCodec {
  decode: ((bytes: MessageBytes, offset: number) => string) & { bytes: number };
}

const nameCodec = (dnsPacket as unknown as { name: NameCodec }).name;

/** RFC 1035, section 4.1.1. */
const HEADER = 12;
const FLAGS = 2;
const QUESTIONS = 4;
const ANSWERS = 6;
const AUTHORITIES = 8;
const ADDITIONALS = 10;
const RESPONSE_BIT = 0x80;
const OPCODE_MASK = 0x78;
const RESPONSE_CODE_MASK = 0x0f;
const NO_ERROR = 0;
const NAME_ERROR = 3;

/** Type and class of a question. */
const QUESTION_FIXED = 4;
/** Type, class, time to live and length of the data of a record. */
const RECORD_FIXED = 10;
/** An IPv4 address. */
export const TYPE_A = 1;
const TYPE_CNAME = 5;
/** An IPv6 address (RFC 3596, section 2.1). */
export const TYPE_AAAA = 28;
const TYPE_PTR = 12;
/** RFC 9460, section 14.1. */
const TYPE_SVCB = 64;
const TYPE_HTTPS = 65;
/** Parameters of both: RFC 9460, section 14.3.2. */
const APPLICATION_PROTOCOLS = 1;
const SERVICE_PORT = 3;
const IPV4_HINT = 4;
const IPV6_HINT = 6;
/** RFC 9848, section 3; the version of its configurations (RFC 9849, section 4). */
const ENCRYPTED_HELLO = 5;
const CONFIGURATION_VERSION = 0xfe0d;
/** RFC 1035, section 3.5, and RFC 3596, section 2.5: labels of an address in reverse. */
const REVERSE_IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa\.$/;
const REVERSE_IPV6 = /^(?:[0-9a-f]\.){32}ip6\.arpa\.$/;
/** Of whom a resolver is: its name, or `resolver.arpa` for whoever is asked (RFC 9461, section 3; RFC 9462). */
const OF_RESOLVER = /^(?:_\d+\.)?_dns\./;
const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
const CLASS_IN = 1;
/** The class without what mDNS keeps in its highest bit (RFC 6762, section 10.2). */
const CLASS_MASK = 0x7fff;
const LABEL_KIND_MASK = 0xc0;
const POINTER_BYTES = 2;

/** The greatest time to live (RFC 2181, section 8). */
const MOST_TTL = 0x7fff_ffff;
/** Types that are read. */
const USED_TYPES: ReadonlySet<number> = new Set([
  ...[TYPE_A, TYPE_CNAME, TYPE_PTR, TYPE_AAAA, TYPE_SVCB, TYPE_HTTPS],
]);

/** For each outcome, the reading without a response. */
const NOT_USED: readonly DnsReading[] = DNS_OUTCOME_NAMES.map((_, outcome) => ({
  outcome,
  response: null,
}));

/**
 * Reads a DNS message (RFC 1035, section 4), of which responses are wanted only. Nothing outside of
 * it is read, and it never throws.
 *
 * Names are decoded by dns-packet. Records are walked over here, as only few kinds are needed, and
 * those that are not must not be able to spoil the rest: dns-packet decodes all there is, and gives
 * a message up for an odd byte in a record that nobody asked for.
 *
 * @param bytes Holds the message.
 * @param start Where it begins.
 * @param end Where it ends.
 * @param withAdditionals Whether addresses in the additional section count, as they do in mDNS
 * (RFC 6763, section 12), where they are no less an answer than the others.
 */
export function readDnsMessage(
  bytes: Uint8Array,
  start: number,
  end: number,
  withAdditionals = false,
): DnsReading {
  if (end - start < HEADER) return NOT_USED[MALFORMED];
  // Most of what is no response at all ends here, before anything is made for it.
  const flags = bytes[start + FLAGS];
  if ((flags & RESPONSE_BIT) === 0) return NOT_USED[QUERY];
  if ((flags & OPCODE_MASK) !== 0) return NOT_USED[OTHER_OPCODE];
  const code = bytes[start + FLAGS + 1] & RESPONSE_CODE_MASK;
  if (code !== NO_ERROR && code !== NAME_ERROR) return NOT_USED[OTHER_RESPONSE_CODE];
  const message = new MessageBytes(bytes.buffer, bytes.byteOffset + start, end - start);
  try {
    const response = new Reader(message).read(withAdditionals);
    if (code === NAME_ERROR) {
      return response.question === null ? NOT_USED[MALFORMED] : { outcome: NXDOMAIN, response };
    }
    const { addresses, aliases, hints } = response;
    const isEmpty = addresses.length + aliases.length + hints.length === 0;
    return { outcome: isEmpty ? NO_ADDRESS : ANSWER, response };
  } catch {
    return NOT_USED[MALFORMED];
  }
}

/** Walks over one message. Whatever contradicts itself throws. */
class Reader {
  readonly #message: MessageBytes;
  readonly #addresses: AddressRecord[] = [];
  readonly #aliases: AliasRecord[] = [];
  readonly #hints: HintRecord[] = [];
  readonly #services: ServiceRecord[] = [];
  readonly #reverse: ReverseRecord[] = [];
  #ttl = Infinity;
  readonly #designated: DesignatedResolver[] = [];
  #at = HEADER;
  /** Where the last compressed name points to, and what it is: many records have the same. */
  #pointer = 0;
  #pointed = "";

  constructor(message: MessageBytes) {
    this.#message = message;
  }

  read(withAdditionals: boolean): DnsResponse {
    let question: string | null = null;
    let questionType: number | null = null;
    for (let left = this.#uint16(QUESTIONS); left > 0; left--) {
      if (question === null) {
        question = this.#takeName();
        questionType = this.#uint16(this.#skip(QUESTION_FIXED));
      } else {
        this.#skipName();
        this.#skip(QUESTION_FIXED);
      }
    }
    for (let left = this.#uint16(ANSWERS); left > 0; left--) this.#takeRecord();
    if (withAdditionals) {
      for (let left = this.#uint16(AUTHORITIES); left > 0; left--) this.#skipRecord();
      for (let left = this.#uint16(ADDITIONALS); left > 0; left--) this.#takeRecord();
    }
    return {
      question,
      questionType,
      addresses: this.#addresses,
      aliases: this.#aliases,
      hints: this.#hints,
      designated: this.#designated,
      services: this.#services,
      reverse: this.#reverse,
      ttl: this.#ttl === Infinity ? 0 : this.#ttl,
    };
  }

  #takeRecord(): void {
    const nameAt = this.#at;
    this.#skipName();
    const fixed = this.#skip(RECORD_FIXED);
    const length = this.#uint16(fixed + 8);
    const data = this.#skip(length);
    if ((this.#uint16(fixed + 2) & CLASS_MASK) !== CLASS_IN) return;
    const type = this.#uint16(fixed);
    if (!USED_TYPES.has(type)) return;
    // What is greater counts as none (RFC 2181, section 8).
    const ttl = this.#uint16(fixed + 4) * 0x1_0000 + this.#uint16(fixed + 6);
    this.#ttl = Math.min(this.#ttl, ttl > MOST_TTL ? 0 : ttl);
    if (type === TYPE_CNAME) this.#takeAlias(nameAt, data, length);
    else if (type === TYPE_A && length === IPV4_BYTES) this.#takeAddress(nameAt, data, false);
    else if (type === TYPE_AAAA && length === IPV6_BYTES) this.#takeAddress(nameAt, data, true);
    else if (type === TYPE_HTTPS || type === TYPE_SVCB) this.#takeService(nameAt, data, length);
    else if (type === TYPE_PTR) this.#takeReverse(nameAt, data);
    else if (type === TYPE_A || type === TYPE_AAAA) throw new RangeError("an address's length");
  }

  #takeAlias(nameAt: number, data: number, length: number): void {
    const target = this.#nameAt(data);
    if (nameCodec.decode.bytes !== length) throw new RangeError("a name's length");
    this.#aliases.push({ owner: this.#nameAt(nameAt), target });
  }

  /** Reads a PTR record; one that contradicts itself does the rest of the message no harm. */
  #takeReverse(nameAt: number, data: number): void {
    const words = reverseAddress(this.#nameAt(nameAt));
    if (words === null) return;
    const name = this.#nameOrNull(data);
    if (name === null) return;
    const isIpv6 = words.length > 1;
    const all = isIpv6 ? Uint32Array.from(words) : Uint32Array.of(0, 0, 0, words[0]);
    this.#reverse.push({ isIpv6, words: all, name });
  }

  #nameOrNull(offset: number): string | null {
    try {
      return this.#nameAt(offset);
    } catch {
      return null;
    }
  }

  /**
   * Reads the parameters of an HTTPS or SVCB record (RFC 9460, section 2.2): priority, the target's name,
   * and parameters, each with its number and length. One that contradicts itself says nothing, and
   * does the rest of the message no harm.
   */
  #takeService(nameAt: number, data: number, length: number): void {
    const end = data + length;
    // An alias (priority 0) has no parameters.
    let at = this.#endOfPlainName(data + 2, end);
    const targetEnd = at;
    const hints: { at: number; isIpv6: boolean }[] = [];
    let configurations: ServiceRecord["configurations"] = [];
    let applicationProtocols: string[] = [];
    let port: number | null = null;
    while (at < end) {
      const key = at + 4 <= end ? this.#uint16(at) : 0;
      const size = at + 4 <= end ? this.#uint16(at + 2) : 0;
      at += 4;
      if (at + size > end) return;
      const each = key === IPV4_HINT ? IPV4_BYTES : key === IPV6_HINT ? IPV6_BYTES : 0;
      if (each > 0 && size % each !== 0) return;
      if (key === ENCRYPTED_HELLO) configurations = this.#configurations(at, at + size);
      for (let hint = at; each > 0 && hint < at + size; hint += each) {
        hints.push({ at: hint, isIpv6: key === IPV6_HINT });
      }
      if (key === SERVICE_PORT && size === 2) port = this.#uint16(at);
      if (key === APPLICATION_PROTOCOLS) applicationProtocols = this.#textsIn(at, at + size);
      at += size;
    }
    // The root is the owner itself (RFC 9460, section 2.5).
    const hasTarget = targetEnd <= end && targetEnd - (data + 2) > 1 &&
      this.#message[targetEnd - 1] === 0;
    const isDesignating = applicationProtocols.length > 0;
    if (hints.length === 0 && !hasTarget && configurations.length === 0 && !isDesignating) return;
    const owner = this.#nameAt(nameAt);
    const target = hasTarget ? this.#nameOrNull(data + 2) : null;
    const found = hints.map((hint) => {
      return { owner, isIpv6: hint.isIpv6, words: this.#words(hint.at, hint.isIpv6) };
    });
    if (!OF_RESOLVER.test(owner)) {
      if (hasTarget || configurations.length > 0) {
        this.#services.push({ owner, target: target === owner ? null : target, configurations });
      }
      this.#hints.push(...found);
      return;
    }
    if (!isDesignating) return;
    const name = target ?? owner.replace(OF_RESOLVER, "");
    const addresses = found.map(({ isIpv6, words }) => addressText(words, 0, isIpv6));
    this.#designated.push({ name, addresses, applicationProtocols, port });
  }

  /** Texts that each have their length before them (RFC 9460, section 7.1.1), up to one that is cut. */
  #textsIn(start: number, end: number): string[] {
    const texts: string[] = [];
    for (let at = start; at < end; at += 1 + this.#message[at]) {
      const next = at + 1 + this.#message[at];
      if (next > end) break;
      texts.push(String.fromCharCode(...this.#message.subarray(at + 1, next)));
    }
    return texts;
  }

  /** Configurations of encrypted hellos (RFC 9849, section 4), as far as they can be read. */
  #configurations(start: number, end: number): ServiceRecord["configurations"] {
    const found: { number: number; publicName: string }[] = [];
    for (let at = start + 2; at + 4 <= end;) {
      const version = this.#uint16(at);
      const content = at + 4;
      at = content + this.#uint16(at + 2);
      if (at > end) break;
      if (version !== CONFIGURATION_VERSION || at - content < 5) continue;
      // Number, kind of key; the key, the ciphers, the longest name, and then the public name.
      const ciphers = content + 5 + this.#uint16(content + 3);
      if (ciphers + 2 > at) continue;
      const name = ciphers + 2 + this.#uint16(ciphers) + 1;
      if (name >= at || name + 1 + this.#message[name] > at) continue;
      const publicName = domainName(
        String.fromCharCode(...this.#message.subarray(name + 1, name + 1 + this.#message[name])),
      );
      if (publicName !== null) found.push({ number: this.#message[content], publicName });
    }
    return found;
  }

  /** @returns Where a name ends that may not be compressed; `end` where it does not end before. */
  #endOfPlainName(start: number, end: number): number {
    let at = start;
    while (at < end && this.#message[at] !== 0) {
      if ((this.#message[at] & LABEL_KIND_MASK) !== 0) return end;
      at += 1 + this.#message[at];
    }
    return at + 1;
  }

  #takeAddress(nameAt: number, data: number, isIpv6: boolean): void {
    const words = this.#words(data, isIpv6);
    const address = addressText(words, 0, isIpv6);
    this.#addresses.push({ owner: this.#nameAt(nameAt), isIpv6, words, address });
  }

  #words(data: number, isIpv6: boolean): Uint32Array {
    const words = new Uint32Array(4);
    for (let word = isIpv6 ? 0 : 3, at = data; word < 4; word++, at += 4) {
      words[word] = this.#uint16(at) << 16 | this.#uint16(at + 2);
    }
    return words;
  }

  #skipRecord(): void {
    this.#skipName();
    const fixed = this.#skip(RECORD_FIXED);
    this.#skip(this.#uint16(fixed + 8));
  }

  #takeName(): string {
    const name = this.#nameAt(this.#at);
    this.#skip(nameCodec.decode.bytes);
    return name;
  }

  #nameAt(offset: number): string {
    const isPointer = (this.#message[offset] & LABEL_KIND_MASK) === LABEL_KIND_MASK;
    const pointer = isPointer ? this.#uint16(offset) : 0;
    if (isPointer && pointer === this.#pointer) {
      nameCodec.decode.bytes = POINTER_BYTES;
      return this.#pointed;
    }
    this.#message.pointers = 0;
    const decoded = nameCodec.decode(this.#message, offset);
    const name = decoded === "." ? decoded : decoded + ".";
    if (isPointer) {
      this.#pointer = pointer;
      this.#pointed = name;
    }
    return name;
  }

  /** Goes past a name without following its pointer. */
  #skipName(): void {
    for (;;) {
      const at = this.#skip(1);
      const length = this.#message[at];
      if (length === 0) return;
      const kind = length & LABEL_KIND_MASK;
      if (kind === LABEL_KIND_MASK) {
        this.#skip(1);
        return;
      }
      if (kind !== 0) throw new RangeError("a label of an unknown kind");
      this.#skip(length);
    }
  }

  /** @returns Where the bytes are that are gone past. */
  #skip(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#message.length) throw new RangeError("the message is cut");
    this.#at = at + bytes;
    return at;
  }

  #uint16(at: number): number {
    return (this.#message[at] << 8) | this.#message[at + 1];
  }
}

/** The words of the address that a name of reverse lookups stands for, or `null`. */
function reverseAddress(name: string): number[] | null {
  const ipv4 = REVERSE_IPV4.exec(name);
  if (ipv4 !== null) {
    const parts = ipv4.slice(1).map(Number).reverse();
    return parts.some((part) => part > 255)
      ? null
      : [parts.reduce((word, part) => word * 256 + part, 0)];
  }
  if (!REVERSE_IPV6.test(name)) return null;
  const digits = name.slice(0, 64).split(".").join("").split("").reverse().join("");
  return [0, 8, 16, 24].map((at) => parseInt(digits.slice(at, at + 8), 16));
}
