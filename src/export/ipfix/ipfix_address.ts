import { UserError } from "../../user_error.ts";

/** Where a collector of IPFIX is. */
export interface IpfixAddress {
  readonly transport: "udp" | "tcp";
  /** Host name or address, without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** The address as text, for messages. */
  readonly text: string;
}

/** The port that IANA has for IPFIX. */
const DEFAULT_PORT = 4739;
const MOST_PORT = 65_535;

/**
 * Reads where a collector is: `udp://host[:port]` or `tcp://host[:port]`, an IPv6 address in brackets.
 *
 * @param text The text.
 * @param place Where the user wrote it, such as `--ipfix` or `config.ts:3`, for the error message.
 * @throws {UserError} when it is neither.
 */
export function parseIpfixAddress(text: string, place: string): IpfixAddress {
  const [, transport, bracketed, host, digits] =
    /^(udp|tcp):\/\/(?:\[([\da-f:.]+)\]|([^\s:/?#@[\]]+))(?::(\d{1,5}))?\/?$/i.exec(text) ?? [];
  const hostname = bracketed ?? host;
  const port = Number(digits ?? DEFAULT_PORT);
  if (hostname === undefined || port < 1 || port > MOST_PORT) {
    throw new UserError(
      `${place}: ${JSON.stringify(text)} names no collector of IPFIX: write udp://host[:port] or ` +
        `tcp://host[:port], with an IPv6 address in brackets and a port from 1 to ${MOST_PORT} (by ` +
        `default ${DEFAULT_PORT})`,
    );
  }
  const lower = transport.toLowerCase() as "udp" | "tcp";
  const shown = bracketed === undefined ? hostname : `[${bracketed}]`;
  return { transport: lower, hostname, port, text: `${lower}://${shown}:${port}` };
}
