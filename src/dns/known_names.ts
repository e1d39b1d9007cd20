import { addressText } from "../model/address_text.ts";
import type { Lookup } from "./lookup.ts";
import { NameStore } from "./name_store.ts";

/** How many are remembered, where names are as long as they are on average. */
const DEFAULT_LIMIT = 100_000;
/** How many bytes the names need at most, whatever they are. */
const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;
/** Names of one client for one address: many share those of a content delivery network. */
const MOST_NAMES = 8;
/** Aliases that are followed, one behind the other. */
const MOST_ALIASES = 8;
/** Configurations of encrypted hellos: few operators have any. */
const MOST_CONFIGURATIONS = 1000;

/**
 * How long after the end of its time to live a lookup still explains a connection, in seconds. Programs
 * keep addresses for longer than they may: browsers, Java, what connects again by the address it has.
 */
export const GRACE = 600;

/** Stands for whoever hears what is sent to a multicast address. */
const EVERYONE = new Uint32Array(4);
/** First four bits of an IPv4 multicast address (RFC 5771), and first eight of an IPv6 one. */
const IPV4_MULTICAST = 0xe;
const IPV6_MULTICAST = 0xff;

/** A name that somebody looked up for an address. */
export interface KnownName {
  /** As `domainName` gives it. */
  readonly name: string;
  /** Whether it is a hint of an SVCB or HTTPS record, and no address that was asked for. */
  readonly isHint: boolean;
  /** Who asked, as `addressText` writes it. */
  readonly client: string;
  /** From when on it was known, without a gap, in seconds since 1970-01-01 UTC. */
  readonly from: number;
  /** Until when its time to live lasted. */
  readonly until: number;
}

/** Words of an entry: where its name is, from when until when it is known, the next entry of the same pair. */
const NAME_AT = 0;
const FROM = 1;
const UNTIL = 2;
const NEXT = 3;
/** Bits: who asked has an IPv6 address; it is a hint; then the words of that address. */
const ABOUT = 4;
const CLIENT = 5;
const ENTRY = 9;
const IS_IPV6 = 1;
const IS_HINT = 2;
const FIRST_ENTRIES = 1024;

/** What was looked up in some time. */
class Generation {
  /** The entry that was added last for a client and an address, and for an address; 0 is none. */
  readonly byPair = new Map<string, number>();
  readonly byAddress = new Map<string, number>();
  /** The name of an address, by PTR. */
  readonly reverse = new Map<string, number>();
  /** Who points at a name to a client, and until when. */
  readonly aliases = new Map<string, { readonly owner: string; readonly until: number }>();
  /** When a client was first answered anything. */
  readonly clients = new Map<string, number>();
  readonly names = new NameStore();
  #entries = new Uint32Array(FIRST_ENTRIES * ENTRY);
  #count = 1;

  /** How many were learned, or clients learned them, if these are more. */
  get size(): number {
    return Math.max(this.#count - 1 + this.reverse.size + this.aliases.size, this.clients.size);
  }

  word(entry: number, word: number): number {
    return this.#entries[entry * ENTRY + word];
  }

  /** Adds an entry before all others of its pair. */
  add(
    pair: string,
    address: string,
    { isClientIpv6, client, seconds, ttl, name }: Lookup,
    isHint: boolean,
    from: number,
  ): void {
    if ((this.#count + 1) * ENTRY > this.#entries.length) {
      const entries = new Uint32Array(2 * this.#entries.length);
      entries.set(this.#entries);
      this.#entries = entries;
    }
    const entry = this.#count++;
    const at = entry * ENTRY;
    this.#entries[at + NAME_AT] = this.names.add(name);
    this.#entries[at + FROM] = from;
    this.#entries[at + UNTIL] = seconds + ttl;
    this.#entries[at + NEXT] = this.byPair.get(pair) ?? 0;
    this.#entries[at + ABOUT] = (isClientIpv6 ? IS_IPV6 : 0) | (isHint ? IS_HINT : 0);
    this.#entries.set(client, at + CLIENT);
    // Whatever was not among those that are told of is told of no more.
    let last = entry;
    for (let left = MOST_NAMES - 1; left > 0 && last !== 0; left--) last = this.word(last, NEXT);
    if (last !== 0) this.#entries[last * ENTRY + NEXT] = 0;
    this.byPair.set(pair, entry);
    this.byAddress.set(address, entry);
  }

  /** Notes that an entry was learned again, as the last of its pair. */
  extend(entry: number, until: number, pair: string, address: string): void {
    const entries = this.#entries;
    const at = entry * ENTRY;
    entries[at + UNTIL] = Math.max(entries[at + UNTIL], until);
    this.byAddress.set(address, entry);
    const first = this.byPair.get(pair)!;
    if (first === entry) return;
    let before = first;
    while (this.word(before, NEXT) !== entry) before = this.word(before, NEXT);
    entries[before * ENTRY + NEXT] = entries[at + NEXT];
    entries[at + NEXT] = first;
    this.byPair.set(pair, entry);
  }

  at(entry: number): KnownName {
    const about = this.word(entry, ABOUT);
    return {
      name: this.names.at(this.word(entry, NAME_AT)),
      isHint: (about & IS_HINT) !== 0,
      client: addressText(this.#entries, entry * ENTRY + CLIENT, (about & IS_IPV6) !== 0),
      from: this.word(entry, FROM),
      until: this.word(entry, UNTIL),
    };
  }
}

/**
 * The names that clients looked up for addresses, each with when. Bounded in number and bytes: when there
 * are many, those are forgotten that were not looked up for longest, half of them at once.
 *
 * What was answered to a multicast address, as mDNS does, was heard by all: it is the name of the
 * address for clients that looked up none themselves.
 */
export class KnownNames {
  /** How many were forgotten for want of room. */
  forgotten = 0;
  /** When the first was learned, in seconds since 1970-01-01 UTC; Infinity while there is none. */
  since = Infinity;
  readonly #limit: number;
  readonly #maxBytes: number;
  /** Looked up since there were half as many as there may be, and before that. */
  #newer = new Generation();
  #older = new Generation();
  #hasEveryones = false;
  /** Configurations of encrypted hellos by the name that is asked for without encryption. */
  readonly #configurations = new Map<string, Set<number>>();

  /**
   * @param limit How many pairs of client and address are remembered.
   * @param maxBytes How much memory their names may need.
   */
  constructor(limit: number = DEFAULT_LIMIT, maxBytes: number = DEFAULT_MAX_BYTES) {
    this.#limit = limit;
    this.#maxBytes = maxBytes;
  }

  /** Remembers what somebody was told. */
  learn(lookup: Lookup): void {
    const { kind, isClientIpv6, client, isIpv6, address, name, target, seconds, ttl } = lookup;
    if (kind === "encrypted-hello") return this.#learnConfiguration(name, ttl);
    this.since = Math.min(this.since, seconds);
    const newer = this.#newer;
    const asker = addressKey(isClientIpv6, client, 0);
    const isEveryones = isMulticast(isClientIpv6, client);
    this.#hasEveryones ||= isEveryones;
    if (!newer.clients.has(asker)) {
      newer.clients.set(asker, this.#older.clients.get(asker) ?? seconds);
    }
    if (kind === "alias") {
      newer.aliases.set(asker + target, { owner: name, until: seconds + ttl + GRACE });
    } else if (kind === "reverse") {
      newer.reverse.set(addressKey(isIpv6, address, 0), newer.names.add(name));
    } else if (kind !== "answer") {
      const answered = addressKey(isIpv6, address, 0);
      const whose = isEveryones ? addressKey(isIpv6, EVERYONE, 0) : asker;
      this.#learnAddress(whose + answered, answered, lookup);
      // What it was really asked for, where another answer led to this name.
      for (const owner of this.#ownersOf(asker, name, seconds)) {
        this.#learnAddress(whose + answered, answered, { ...lookup, name: owner });
      }
    }
    this.#makeRoom();
  }

  /** Whether none was looked up. */
  get isEmpty(): boolean {
    return this.#newer.size + this.#older.size === 0;
  }

  /**
   * The name that a client looked up last for an address, or `null`.
   *
   * @param words Holds both addresses.
   * @param client Where the first word of the client's is.
   * @param address Where that of the other is.
   */
  find(isIpv6: boolean, words: Uint32Array, client: number, address: number): string | null {
    // Where there is no DNS, flows pay nothing for it.
    if (this.isEmpty) return null;
    const answered = addressKey(isIpv6, words, address);
    const name = this.#last(addressKey(isIpv6, words, client) + answered);
    if (name !== null || !this.#hasEveryones) return name;
    return this.#last(addressKey(isIpv6, EVERYONE, 0) + answered);
  }

  /**
   * All names that a client looked up for an address, the one that it looked up last first.
   *
   * @param client Four words in network order, IPv4 in the last of them, from `clientAt` on.
   */
  namesOf(
    isClientIpv6: boolean,
    client: Uint32Array,
    clientAt: number,
    isIpv6: boolean,
    address: Uint32Array,
    addressAt: number,
  ): KnownName[] {
    const answered = addressKey(isIpv6, address, addressAt);
    const names = this.#all(addressKey(isClientIpv6, client, clientAt) + answered);
    if (!this.#hasEveryones) return names;
    return [...names, ...this.#all(addressKey(isIpv6, EVERYONE, 0) + answered)];
  }

  /** What anybody looked up last for an address, or `null`. */
  lastOf(isIpv6: boolean, words: Uint32Array, at: number): KnownName | null {
    const answered = addressKey(isIpv6, words, at);
    for (const generation of [this.#newer, this.#older]) {
      const entry = generation.byAddress.get(answered);
      if (entry !== undefined) return generation.at(entry);
    }
    return null;
  }

  /** The name of an address by PTR, as anybody was answered, or `null`. */
  reverseOf(isIpv6: boolean, words: Uint32Array, at: number): string | null {
    const address = addressKey(isIpv6, words, at);
    for (const { reverse, names } of [this.#newer, this.#older]) {
      const place = reverse.get(address);
      if (place !== undefined) return names.at(place);
    }
    return null;
  }

  /** When a client was first answered anything, or `null`. */
  firstOf(isIpv6: boolean, words: Uint32Array, at: number): number | null {
    const client = addressKey(isIpv6, words, at);
    return this.#newer.clients.get(client) ?? this.#older.clients.get(client) ?? null;
  }

  /** Notes that a client looks names up, in a way in which nobody sees which. */
  noteClient(isIpv6: boolean, words: Uint32Array, at: number, seconds: number): void {
    const client = addressKey(isIpv6, words, at);
    const before = this.#newer.clients.get(client) ?? this.#older.clients.get(client) ?? seconds;
    this.#newer.clients.set(client, Math.min(before, seconds));
    this.#makeRoom();
  }

  /**
   * Whether a name is asked for in place of another one, which is encrypted.
   *
   * @param name Without a dot at its end.
   * @param configuration The number that the hello names.
   */
  isPublicName(name: string, configuration: number): boolean {
    return this.#configurations.get(`${name}.`)?.has(configuration) ?? false;
  }

  #learnConfiguration(name: string, configuration: number): void {
    const known = this.#configurations.get(name);
    if (known !== undefined) {
      known.add(configuration & 0xff);
      return;
    }
    if (this.#configurations.size >= MOST_CONFIGURATIONS) {
      const [oldest] = this.#configurations.keys();
      this.#configurations.delete(oldest);
    }
    this.#configurations.set(name, new Set([configuration & 0xff]));
  }

  #learnAddress(pair: string, address: string, lookup: Lookup): void {
    const { kind, name, seconds, ttl } = lookup;
    const isHint = kind === "hint";
    let from = seconds;
    for (const generation of [this.#newer, this.#older]) {
      const entry = entryOf(generation, pair, name, isHint);
      if (entry === 0 || seconds > generation.word(entry, UNTIL) + GRACE) continue;
      if (generation === this.#newer) return generation.extend(entry, seconds + ttl, pair, address);
      from = Math.min(from, generation.word(entry, FROM));
    }
    this.#newer.add(pair, address, lookup, isHint, from);
  }

  /** The names that lead to a name, the one that leads to it directly first. */
  #ownersOf(asker: string, name: string, seconds: number): string[] {
    const owners: string[] = [];
    if (this.#newer.aliases.size + this.#older.aliases.size === 0) return owners;
    for (let target = name; owners.length < MOST_ALIASES;) {
      const key = asker + target;
      const alias = this.#newer.aliases.get(key) ?? this.#older.aliases.get(key);
      if (alias === undefined || alias.until < seconds || owners.includes(alias.owner)) break;
      owners.push(alias.owner);
      target = alias.owner;
    }
    return owners;
  }

  #makeRoom(): void {
    const { size, names } = this.#newer;
    if (size < this.#limit / 2 && names.bytes < this.#maxBytes / 2) return;
    for (const older of this.#older.byPair.keys()) {
      if (!this.#newer.byPair.has(older)) this.forgotten++;
    }
    this.#older = this.#newer;
    this.#newer = new Generation();
  }

  #last(pair: string): string | null {
    for (const generation of [this.#newer, this.#older]) {
      const entry = generation.byPair.get(pair);
      if (entry !== undefined) return generation.names.at(generation.word(entry, NAME_AT));
    }
    return null;
  }

  #all(pair: string): KnownName[] {
    const found: KnownName[] = [];
    for (const generation of [this.#newer, this.#older]) {
      let entry = generation.byPair.get(pair) ?? 0;
      for (; entry !== 0; entry = generation.word(entry, NEXT)) found.push(generation.at(entry));
    }
    return found;
  }
}

function entryOf(generation: Generation, pair: string, name: string, isHint: boolean): number {
  let entry = generation.byPair.get(pair) ?? 0;
  for (; entry !== 0; entry = generation.word(entry, NEXT)) {
    const isSame = ((generation.word(entry, ABOUT) & IS_HINT) !== 0) === isHint;
    if (isSame && generation.names.isAt(generation.word(entry, NAME_AT), name)) break;
  }
  return entry;
}

function isMulticast(isIpv6: boolean, address: Uint32Array): boolean {
  return isIpv6 ? address[0] >>> 24 === IPV6_MULTICAST : address[3] >>> 28 === IPV4_MULTICAST;
}

/** An address as a text that is made fast; those of one family have the same length. */
function addressKey(isIpv6: boolean, words: Uint32Array, at: number): string {
  const last = words[at + 3];
  if (!isIpv6) return String.fromCharCode(last >>> 16, last & 0xffff);
  let text = "6";
  for (let word = at; word < at + 4; word++) {
    text += String.fromCharCode(words[word] >>> 16, words[word] & 0xffff);
  }
  return text;
}
