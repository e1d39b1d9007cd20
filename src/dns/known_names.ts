/** Some 20 MB at most: names are short, and one that was looked up by many is kept once. */
const DEFAULT_LIMIT = 100_000;

/** Stands for whoever hears what is sent to a multicast address. */
const EVERYONE = new Uint32Array(4);
/** First four bits of an IPv4 multicast address (RFC 5771), and first eight of an IPv6 one. */
const IPV4_MULTICAST = 0xe;
const IPV6_MULTICAST = 0xff;

/**
 * The name that each client looked up last for each address. Bounded: what was not looked up for
 * longest is forgotten first.
 *
 * What was answered to a multicast address, as mDNS does, was heard by all: it is the name of the
 * address for clients that looked up none themselves.
 */
export class KnownNames {
  readonly #limit: number;
  /** In the order of the last lookup. */
  readonly #names = new Map<string, string>();
  #hasEveryones = false;

  /** @param limit How many pairs of client and address are remembered. */
  constructor(limit: number = DEFAULT_LIMIT) {
    this.#limit = limit;
  }

  /** How many pairs of client and address there are. */
  get size(): number {
    return this.#names.size;
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
    this.#names.delete(pair);
    this.#names.set(pair, name);
    if (this.#names.size > this.#limit) this.#forgetOldest();
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
    if (this.#names.size === 0) return null;
    const name = this.#names.get(pairText(isIpv6, words, client, words, address));
    if (name !== undefined || !this.#hasEveryones) return name ?? null;
    return this.#names.get(pairText(isIpv6, EVERYONE, 0, words, address)) ?? null;
  }

  #forgetOldest(): void {
    for (const pair of this.#names.keys()) {
      this.#names.delete(pair);
      return;
    }
  }
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
