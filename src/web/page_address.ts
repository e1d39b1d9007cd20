import { parseAddress } from "../model/address.ts";
import { UserError, WRONG_USAGE } from "../user_error.ts";

const DEFAULT_PORT = 3047;
const LOOPBACK = "127.0.0.1";
const MOST_PORT = 65_535;

/** Where the page is served. */
export interface PageAddress {
  /** An address, or a name that stands for one. */
  readonly hostname: string;
  readonly port: number;
}

/**
 * Reads where the page is served: `127.0.0.1:3047`, `[::1]:3047`, `router.example:3047`, or a port or a
 * host alone.
 *
 * @throws {UserError} when it is none of these.
 */
export function parsePageAddress(text: string): PageAddress {
  if (/^\d{1,5}$/.test(text)) return checked(text, LOOPBACK, Number(text));
  const bare = parseAddress(text);
  if (bare !== null) return { hostname: text, port: DEFAULT_PORT };
  const parts = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+|\*))?(?::(\d{1,5}))?$/i.exec(text);
  if (parts === null || text === "") throw wrong(text);
  const [, ipv6, name, port] = parts;
  if (ipv6 !== undefined && parseAddress(ipv6)?.family !== 6) throw wrong(text);
  const hostname = ipv6 ?? (name === "*" ? "0.0.0.0" : name ?? LOOPBACK);
  if (/^[\d.]+$/.test(hostname) && parseAddress(hostname) === null) throw wrong(text);
  return checked(text, hostname, port === undefined ? DEFAULT_PORT : Number(port));
}

/** Where it is served when nothing is said. */
export const DEFAULT_PAGE_ADDRESS: PageAddress = { hostname: LOOPBACK, port: DEFAULT_PORT };

/** Whether only this host can reach it. */
export function isLoopback({ hostname }: PageAddress): boolean {
  return hostname === "localhost" || hostname === "::1" || /^127\./.test(hostname);
}

/** Host and port as in a URL. */
export function hostText({ hostname, port }: PageAddress): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

function checked(text: string, hostname: string, port: number): PageAddress {
  if (port >= 1 && port <= MOST_PORT) return { hostname, port };
  throw wrong(text);
}

function wrong(text: string): UserError {
  return new UserError(
    `--listen "${text}" is not where to listen: write ${LOOPBACK}:${DEFAULT_PORT}, ` +
      `[::1]:${DEFAULT_PORT} or a port`,
    WRONG_USAGE,
  );
}
