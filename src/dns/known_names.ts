import { NameStore } from "./name_store.ts";

/** How many are remembered, where names are as long as they are on average. */
const DEFAULT_LIMIT = 100_000;
/** How many bytes the names need at most, whatever they are. */
const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;

/** What was looked up in some time. */
interface Lookups {
  /** Where the name is of each pair of client and address. */
  readonly places: Map<string, number>;
  readonly names: NameStore;
}

/** Stands for whoever hears what is sent to a multicast address. */
const EVERYONE = new Uint32Array(4);
/** First four bits of an IPv4 multicast address (RFC 5771), and first eight of an IPv6 one. */
const IPV4_MULTICAST = 0xe;
const IPV6_MULTICAST = 0xff;

/**
 * The name that each client looked up last for each address. Bounded in number and bytes: when there
 * are many, those are forgotten that were not looked up for longest, half of them at once.
 *
 * What was answered to a multicast address, as mDNS does, was heard by all: it is the name of the
 * address for clients that looked up none themselves.
 */
export class KnownNames {
  /** How many were forgotten for want of room. */
  forgotten = 0;
  readonly #limit: number;
  readonly #maxBytes: number;
  /** Looked up since there were half as many as there may be, and before that. */
  #newer = noLookups();
  #older = noLookups();
  #hasEveryones = false;

  /**
   * @param limit How many pairs of client and address are remembered.
   * @param maxBytes How much memory their names may need.
   */
  constructor(limit: number = DEFAULT_LIMIT, maxBytes: number = DEFAULT_MAX_BYTES) {
    this.#limit = limit;
    this.#maxBytes = maxBytes;
  }

  /**
   * Remembers a name. Both addresses are four words in network order, IPv4 in the last of them; where
   * they are of two families, no flow can have both, and nothing is remembered.
   */
  learn(
    isClientIpv6: boolean,
    client: Uint32Array,
    isIpv6: boolean,
    address: Uint32Array,
    name: string,
  ): void {
    if (isClientIpv6 !== isIpv6) return;
    const isEveryones = isMulticast(isIpv6, client);
    this.#hasEveryones ||= isEveryones;
    const pair = pairText(isIpv6, isEveryones ? EVERYONE : client, 0, address, 0);
    const { places, names } = this.#newer;
    places.set(pair, names.add(name));
    if (places.size < this.#limit / 2 && names.bytes < this.#maxBytes / 2) return;
    for (const older of this.#older.places.keys()) if (!places.has(older)) this.forgotten++;
    this.#older = this.#newer;
    this.#newer = noLookups();
  }

  /** Whether none was looked up. */
  get isEmpty(): boolean {
    return this.#newer.places.size + this.#older.places.size === 0;
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
    const name = this.#get(pairText(isIpv6, words, client, words, address));
    if (name !== null || !this.#hasEveryones) return name;
    return this.#get(pairText(isIpv6, EVERYONE, 0, words, address));
  }

  #get(pair: string): string | null {
    for (const { places, names } of [this.#newer, this.#older]) {
      const place = places.get(pair);
      if (place !== undefined) return names.at(place);
    }
    return null;
  }
}

function noLookups(): Lookups {
  return { places: new Map(), names: new NameStore() };
}

function isMulticast(isIpv6: boolean, address: Uint32Array): boolean {
  return isIpv6 ? address[0] >>> 24 === IPV6_MULTICAST : address[3] >>> 28 === IPV4_MULTICAST;
}

/** Two addresses as a text that is made fast; it has two characters for each word. */
function pairText(
  isIpv6: boolean,
  one: Uint32Array,
  oneAt: number,
  other: Uint32Array,
  otherAt: number,
): string {
  let text = "";
  for (let word = isIpv6 ? 0 : 3; word < 4; word++) {
    const a = one[oneAt + word];
    const b = other[otherAt + word];
    text += String.fromCharCode(a >>> 16, a & 0xffff, b >>> 16, b & 0xffff);
  }
  return text;
}
