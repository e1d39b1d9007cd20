import { type HttpAddress, parseHttpAddress } from "../model/http_address.ts";
import { UserError, WRONG_USAGE } from "../user_error.ts";

const DEFAULT_PORT = 3047;
const LOOPBACK = "127.0.0.1";

/** Where the page is served. */
export type PageAddress = HttpAddress;

/**
 * Reads where the page is served: `127.0.0.1:3047`, `[::1]:3047`, `router.example:3047`, or a port or a
 * host alone.
 *
 * @throws {UserError} when it is none of these.
 */
export function parsePageAddress(text: string): PageAddress {
  const address = parseHttpAddress(text, DEFAULT_PORT);
  if (address !== null) return address;
  throw new UserError(
    `--listen "${text}" is not where to listen: write ${LOOPBACK}:${DEFAULT_PORT}, ` +
      `[::1]:${DEFAULT_PORT} or a port`,
    WRONG_USAGE,
  );
}

/** Where it is served when nothing is said. */
export const DEFAULT_PAGE_ADDRESS: PageAddress = { hostname: LOOPBACK, port: DEFAULT_PORT };

/** Whether only this host can reach it. */
export function isLoopback({ hostname }: HttpAddress): boolean {
  return hostname === "localhost" || hostname === "::1" || /^127\./.test(hostname);
}

/** Host and port as in a URL. */
export function hostText({ hostname, port }: HttpAddress): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}
