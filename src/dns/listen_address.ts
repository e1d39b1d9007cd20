import { UserError, WRONG_USAGE } from "../user_error.ts";

/** Where to listen: a Unix socket for dnstap, TCP for dnstap, UDP for lookups as JSON. */
export type ListenAddress =
  | { readonly transport: "unix"; readonly path: string }
  | { readonly transport: "tcp" | "udp"; readonly hostname: string; readonly port: number };

const MOST_PORT = 65_535;
/**
 * Reads `unix:/path`, `tcp:host:port` or `udp:host:port`; an IPv6 address stands in brackets.
 *
 * @throws {UserError} when it is none of these.
 */
export function parseListenAddress(text: string): ListenAddress {
  const path = /^unix:(.+)$/.exec(text)?.[1];
  if (path !== undefined) return { transport: "unix", path };
  const parts = /^(tcp|udp):(?:\[([^\]]+)\]|([^:[\]/]+)):(\d{1,5})$/.exec(text);
  const port = Number(parts?.[4]);
  if (parts !== null && port >= 1 && port <= MOST_PORT) {
    return { transport: parts[1] as "tcp" | "udp", hostname: parts[2] ?? parts[3], port };
  }
  const meant = meantBy(text);
  if (meant !== null) {
    throw new UserError(`"${text}" is not where to listen: write ${meant}`, WRONG_USAGE);
  }
  throw new UserError(
    `"${text}" is not where to listen: write unix:/path, tcp:host:port or udp:host:port, with an ` +
      "IPv6 address in brackets",
    WRONG_USAGE,
  );
}

/** What is missing in a path, or in a host and a port, to be one of the forms. */
function meantBy(text: string): string | null {
  if (/^\.{0,2}\//.test(text)) return `unix:${text}`;
  const [, transport, host, port] =
    /^(?:(tcp|udp):)?(?:\/\/)?(\[[^\]]+\]|[^:[\]/]*)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (host === undefined) return null;
  if (/^\d{1,5}$/.test(host) && port === undefined) {
    return `${transport ?? "tcp"}:127.0.0.1:${host}`;
  }
  if (port === undefined) return transport === undefined ? null : `${text}:PORT`;
  if (Number(port) < 1 || Number(port) > MOST_PORT) return `a port from 1 to ${MOST_PORT} after it`;
  return `${transport ?? "tcp"}:${host || "127.0.0.1"}:${port}`;
}
