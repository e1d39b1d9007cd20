import type { DesignatedResolver } from "../../dns/designated_resolver.ts";
import { parseAddress } from "../../model/address.ts";
import { addressText } from "../../model/address_text.ts";
import type { DnsKind } from "../../model/dns_kind.ts";
import type { DnsKinds, DnsUse, NumberedDnsUse } from "../../model/dns_kinds.ts";
import type { LocalNetworks } from "../../model/local_networks.ts";
import { PUBLIC_RESOLVERS } from "./public_resolvers.ts";

/** How {@linkcode DnsServices} are made. */
export interface DnsServicesOptions {
  /** Names and addresses of resolvers that are known besides: `encryptedDns` of the configuration. */
  readonly added?: readonly string[];
  /** Ports of plain name servers. @default {[53]} */
  readonly dnsPorts?: readonly number[];
  /** The own networks. By default, there are none, and no server is outside. */
  readonly local?: LocalNetworks;
}

/** DNS over TLS (RFC 7858, section 3.1), and over QUIC (RFC 9250, section 4.1.1). */
const TLS_PORT = 853;
const HTTPS_PORT = 443;
const DEFAULT_DNS_PORTS = [53];
const PORTS = 1 << 16;
/** Resolvers that are learned: a network announces a few. */
const MOST_LEARNED = 1000;

/** Knows which services are DNS that the name servers of a network don't see, and of which kind. */
export class DnsServices implements DnsKinds {
  /** Whether a port may be one of DNS at all: asked first, as most are not. */
  readonly #ports = new Uint8Array(PORTS);
  /** Kinds by name or address, then by port. */
  readonly #hosts = new Map<string, Map<number, DnsKind>>();
  /** Numbers of the addresses of known resolvers: see `addressNumber`. */
  readonly #addressNumbers = new Set<number>();
  /** By address, the port for DNSCrypt. */
  readonly #dnsCryptPorts = new Map<string, number>();
  readonly #learned: { host: string; port: number; kind: DnsKind }[] = [];
  #dnsPorts: ReadonlySet<number> = new Set();
  #local: LocalNetworks | null = null;

  constructor(options: DnsServicesOptions = {}) {
    this.set(options);
  }

  /** Puts other options in the place of the present ones. What was learned stays. */
  set({ added = [], dnsPorts = DEFAULT_DNS_PORTS, local }: DnsServicesOptions): void {
    this.#dnsPorts = new Set(dnsPorts);
    this.#local = local ?? null;
    this.#hosts.clear();
    this.#addressNumbers.clear();
    this.#ports.fill(0);
    for (const { host, port, kind } of this.#learned) this.#add(host, port, kind);
    for (const port of [TLS_PORT, HTTPS_PORT, ...dnsPorts]) this.#ports[port] = 1;
    for (const { names, addresses, dnsCryptPort } of PUBLIC_RESOLVERS) {
      for (const host of [...names, ...addresses]) this.#add(host, HTTPS_PORT, "DoH");
      if (dnsCryptPort === undefined) continue;
      this.#ports[dnsCryptPort] = 1;
      for (const address of addresses) this.#dnsCryptPorts.set(address, dnsCryptPort);
    }
    for (const host of added) this.#add(withoutDot(host), HTTPS_PORT, "DoH");
  }

  /** Whether a service on this port may be DNS, where a client offers to speak these. */
  mayBe(port: number, applicationProtocols: readonly string[] = []): boolean {
    return this.#ports[port] !== 0 || applicationProtocols.length > 0;
  }

  /**
   * Learns a resolver that another one designates (RFC 9462). Each of its addresses and its name count,
   * with the port that is said, or that of the protocol.
   */
  learn({ name, addresses, applicationProtocols, port }: DesignatedResolver): void {
    for (const protocol of applicationProtocols) {
      const kind = kindOfProtocol(protocol) ?? (isHttp(protocol) ? "DoH" : null);
      if (kind === null) continue;
      const at = port ?? (kind === "DoH" ? HTTPS_PORT : TLS_PORT);
      for (const host of [withoutDot(name), ...addresses]) {
        if (this.#hosts.get(host)?.has(at) || this.#learned.length === MOST_LEARNED) continue;
        this.#learned.push({ host, port: at, kind });
        this.#add(host, at, kind);
      }
    }
  }

  /** Which kind of DNS a use of a service is, or `null` where it is none that is known. */
  kindOf(use: DnsUse): DnsKind | null {
    const { port, protocol } = use;
    for (const said of use.applicationProtocols ?? []) {
      const kind = kindOfProtocol(said);
      if (kind !== null) return kind;
    }
    if (this.#ports[port] === 0) return null;
    if (port === TLS_PORT) return protocol === "udp" ? "DoQ" : "DoT";
    if (this.#dnsPorts.has(port)) return this.#isOutside(use) ? "DNS" : null;
    let isNamed = false;
    for (const name of use.names) {
      if (name === null) continue;
      isNamed = true;
      const kind = this.#kindOfName(withoutDot(name), port);
      if (kind !== null) return kind;
    }
    // On the port of HTTPS, what is no QUIC names no server.
    const isDnsCrypt = this.#dnsCryptPorts.get(use.server) === port &&
      (port !== HTTPS_PORT || (protocol === "udp" && !isNamed));
    return isDnsCrypt ? "DNSCrypt" : this.#hosts.get(use.server)?.get(port) ?? null;
  }

  kindAt(
    isIpv6: boolean,
    words: Uint32Array,
    client: number,
    server: number,
    use: NumberedDnsUse,
  ): DnsKind | null {
    const { port, names, applicationProtocols = [] } = use;
    if (!this.mayBe(port, applicationProtocols)) return null;
    if (applicationProtocols.length === 0 && port !== TLS_PORT) {
      if (this.#dnsPorts.has(port)) {
        const isOutside = this.#local !== null && this.#local.hasAt(isIpv6, words, client) &&
          !this.#local.hasAt(isIpv6, words, server);
        return isOutside ? "DNS" : null;
      }
      const isNamed = names.some((name) => name !== null);
      if (!isNamed && !this.#addressNumbers.has(addressNumber(words, server))) return null;
    }
    return this.kindOf({
      ...use,
      client: addressText(words, client, isIpv6),
      server: addressText(words, server, isIpv6),
    });
  }

  #kindOfName(name: string, port: number): DnsKind | null {
    for (let from = 0; from >= 0;) {
      const kind = this.#hosts.get(name.slice(from))?.get(port);
      if (kind !== undefined) return kind;
      const dot = name.indexOf(".", from);
      from = dot < 0 ? -1 : dot + 1;
    }
    return null;
  }

  #isOutside({ client, server }: DnsUse): boolean {
    return this.#local !== null && this.#local.has(client) && !this.#local.has(server);
  }

  #add(host: string, port: number, kind: DnsKind): void {
    this.#ports[port] = 1;
    const address = parseAddress(host);
    if (address !== null) this.#addressNumbers.add(addressNumber(address.words, 0));
    const kinds = this.#hosts.get(host) ?? new Map<number, DnsKind>();
    this.#hosts.set(host, kinds.set(port, kind));
  }
}

/** The same for the same address, and mostly for no other. */
function addressNumber(words: Uint32Array, at: number): number {
  return (words[at] ^ words[at + 1] ^ words[at + 2] ^ words[at + 3]) >>> 0;
}

/** What is told by ALPN alone (RFC 7858 and RFC 9250 as IANA has them, and drafts of the latter). */
function kindOfProtocol(protocol: string): DnsKind | null {
  if (protocol === "dot") return "DoT";
  return /^doq(-|$)/.test(protocol) ? "DoQ" : null;
}

/** RFC 9113 and RFC 9114, as IANA has them: what DoH is spoken over. */
function isHttp(protocol: string): boolean {
  return protocol === "h2" || protocol === "h3" || protocol === "http/1.1";
}

function withoutDot(name: string): string {
  return name.replace(/\.$/, "").toLowerCase();
}
