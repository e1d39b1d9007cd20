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

/** What {@linkcode parseIpfixAddress} takes. */
export const IPFIX_ADDRESS_FORM =
  "udp://host[:port] or tcp://host[:port], with an IPv6 address in brackets";

/**
 * Reads where a collector is: `udp://host[:port]` or `tcp://host[:port]`, an IPv6 address in brackets.
 *
 * @returns `null` when it is neither.
 */
export function parseIpfixAddress(text: string): IpfixAddress | null {
  const [, transport, bracketed, host, digits] =
    /^(udp|tcp):\/\/(?:\[([\da-f:.]+)\]|([^\s:/?#@[\]]+))(?::(\d{1,5}))?\/?$/i.exec(text) ?? [];
  const hostname = bracketed ?? host;
  const port = Number(digits ?? DEFAULT_PORT);
  if (hostname === undefined || port < 1 || port > MOST_PORT) return null;
  const lower = transport.toLowerCase() as "udp" | "tcp";
  const shown = bracketed === undefined ? hostname : `[${bracketed}]`;
  return { transport: lower, hostname, port, text: `${lower}://${shown}:${port}` };
}
