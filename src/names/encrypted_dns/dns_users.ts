import type { DnsKind } from "../../model/dns_kind.ts";

/** Clients that are told apart, of each kind; beyond, they are not counted. */
const MOST_CLIENTS = 100_000;

const TEXTS: Readonly<Record<DnsKind, string>> = {
  DoT: "by DoT",
  DoQ: "by DoQ",
  DoH: "by DoH",
  DNSCrypt: "by DNSCrypt",
  DNS: "by DNS to servers outside",
};

/** Counts the clients that ask for names where the name servers of their network don't see it. */
export class DnsUsers {
  readonly #clients = new Map<DnsKind, Set<string>>();

  /** @param client Its address. */
  add(client: string, kind: DnsKind): void {
    let clients = this.#clients.get(kind);
    if (clients === undefined) this.#clients.set(kind, clients = new Set());
    if (clients.size < MOST_CLIENTS) clients.add(client);
  }

  /** How many there are of each kind, as a part of a line; empty where there are none. */
  text(): string {
    const kinds = Object.keys(TEXTS) as DnsKind[];
    return kinds.flatMap((kind) => {
      const count = this.#clients.get(kind)?.size ?? 0;
      return count === 0 ? [] : [`${count} ${TEXTS[kind]}`];
    }).join(", ");
  }
}
