import { parseAddress } from "./address.ts";

const LOOPBACK = "127.0.0.1";
const MOST_PORT = 65_535;

/** Where something is served over HTTP. */
export interface HttpAddress {
  /** An address, or a name that stands for one. */
  readonly hostname: string;
  readonly port: number;
}

/**
 * Reads where something is served: `127.0.0.1:3047`, `[::1]:3047`, `router.example:3047`, or a port or a
 * host alone. A port alone is one of loopback.
 *
 * @param defaultPort That of a host alone.
 * @returns `null` when it is none of these.
 */
export function parseHttpAddress(text: string, defaultPort: number): HttpAddress | null {
  if (/^\d{1,5}$/.test(text)) return checked(LOOPBACK, Number(text));
  if (parseAddress(text) !== null) return { hostname: text, port: defaultPort };
  const parts = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+|\*))?(?::(\d{1,5}))?$/i.exec(text);
  if (parts === null || text === "") return null;
  const [, ipv6, name, port] = parts;
  if (ipv6 !== undefined && parseAddress(ipv6)?.family !== 6) return null;
  const hostname = ipv6 ?? (name === "*" ? "0.0.0.0" : name ?? LOOPBACK);
  if (/^[\d.]+$/.test(hostname) && parseAddress(hostname) === null) return null;
  return checked(hostname, port === undefined ? defaultPort : Number(port));
}

function checked(hostname: string, port: number): HttpAddress | null {
  return port >= 1 && port <= MOST_PORT ? { hostname, port } : null;
}
