import type { KnownNames } from "../../dns/known_names.ts";
import { addressText } from "../../model/address_text.ts";
import type { DnsKind } from "../../model/dns_kind.ts";
import {
  IPV6_BIT,
  KIND_FLOW,
  OBSERVATION_WORDS,
  type ObservationBatch,
  WORD_A,
  WORD_ABOUT,
  WORD_B,
  WORD_KIND,
  WORD_PORTS,
} from "../../model/observation_batch.ts";
import { PROTOCOL_TCP } from "../../model/protocol_numbers.ts";
import {
  RECORD_CLIENT,
  RECORD_HEAD,
  RECORD_NAME,
  RECORD_PORTS,
  RECORD_PROTOCOL_SHIFT,
  RECORD_SERVER,
  RECORD_WORDS,
  type RecordBatch,
} from "../../model/record_batch.ts";
import type { CarriedNameNumbers } from "../carried_name_numbers.ts";
import type { DnsServices } from "./dns_services.ts";

/** Clients that are told apart, of each kind; beyond, they are not counted. */
const MOST_CLIENTS = 100_000;

const KINDS: readonly DnsKind[] = ["DoT", "DoQ", "DoH", "DNSCrypt", "DNS"];

/** What {@linkcode DnsUsers} ask. */
export interface DnsUsersOptions {
  readonly services: DnsServices;
  readonly names: Pick<KnownNames, "find">;
  readonly carried: Pick<CarriedNameNumbers, "at">;
}

/** Counts the clients that ask for names where the name servers of their network don't see it. */
export class DnsUsers {
  readonly #options: DnsUsersOptions;
  /** Addresses by kind: those of IPv4 as numbers, as text is dear. */
  readonly #clients = new Map(KINDS.map((kind) => [kind, new Set<number | string>()]));

  constructor(options: DnsUsersOptions) {
    this.#options = options;
  }

  /** Counts the clients of flows. */
  take({ words, count }: ObservationBatch): void {
    const { services } = this.#options;
    const end = count * OBSERVATION_WORDS;
    for (let at = 0; at < end; at += OBSERVATION_WORDS) {
      // Most flows end here.
      if (!services.mayBe(words[at + WORD_PORTS])) continue;
      const head = words[at + WORD_KIND];
      if ((head & 0xff) !== KIND_FLOW) continue;
      const isIpv6 = (head & IPV6_BIT) !== 0;
      this.#add(this.#kindOf(isIpv6, words, at), isIpv6, words, at + WORD_A);
    }
  }

  /** Counts the clients of conversations that carry a name, or say what they speak. */
  takeRecords({ words, count }: RecordBatch): void {
    const { services, carried } = this.#options;
    for (let at = 0; at < count * RECORD_WORDS; at += RECORD_WORDS) {
      if (words[at + RECORD_NAME] === 0) continue;
      const head = words[at + RECORD_HEAD];
      const isIpv6 = (head & IPV6_BIT) !== 0;
      const names = carried.at(words[at + RECORD_NAME]);
      const kind = services.kindAt(isIpv6, words, at + RECORD_CLIENT, at + RECORD_SERVER, {
        port: words[at + RECORD_PORTS] & 0xffff,
        protocol: ((head >>> RECORD_PROTOCOL_SHIFT) & 0xff) === PROTOCOL_TCP ? "tcp" : "udp",
        names: names.map(({ name }) => name),
        applicationProtocols: names.flatMap(({ protocols }) => protocols),
      });
      this.#add(kind, isIpv6, words, at + RECORD_CLIENT);
    }
  }

  /** How many there are of each kind. */
  counts(): [DnsKind, number][] {
    return [...this.#clients].map(([kind, clients]) => [kind, clients.size]);
  }

  #add(kind: DnsKind | null, isIpv6: boolean, words: Uint32Array, client: number): void {
    if (kind === null) return;
    const clients = this.#clients.get(kind)!;
    if (clients.size === MOST_CLIENTS) return;
    clients.add(isIpv6 ? addressText(words, client, isIpv6) : words[client + 3]);
  }

  #kindOf(isIpv6: boolean, words: Uint32Array, at: number): DnsKind | null {
    const { services, names } = this.#options;
    const [client, server] = [at + WORD_A, at + WORD_B];
    return services.kindAt(isIpv6, words, client, server, {
      port: words[at + WORD_PORTS],
      protocol: ((words[at + WORD_ABOUT] >>> 8) & 0xff) === PROTOCOL_TCP ? "tcp" : "udp",
      names: [names.find(isIpv6, words, client, server)],
    });
  }
}
