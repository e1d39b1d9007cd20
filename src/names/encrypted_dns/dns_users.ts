import type { DnsKind } from "../../model/dns_kind.ts";

/** Clients that are told apart, of each kind; beyond, they are not counted. */
const MOST_CLIENTS = 100_000;

const KINDS: readonly DnsKind[] = ["DoT", "DoQ", "DoH", "DNSCrypt", "DNS"];

/** Counts the clients that ask for names where the name servers of their network don't see it. */
export class DnsUsers {
  readonly #clients = new Map<DnsKind, Set<string>>();

  /** @param client Its address. */
  add(client: string, kind: DnsKind): void {
    let clients = this.#clients.get(kind);
    if (clients === undefined) this.#clients.set(kind, clients = new Set());
    if (clients.size < MOST_CLIENTS) clients.add(client);
  }

  /** How many there are of each kind. */
  counts(): [DnsKind, number][] {
    return KINDS.map((kind) => [kind, this.#clients.get(kind)?.size ?? 0]);
  }
}
