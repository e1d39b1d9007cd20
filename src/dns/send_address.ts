import { parseAddress } from "../model/address.ts";
import { UserError, WRONG_USAGE } from "../user_error.ts";
import { parseListenAddress } from "./listen_address.ts";

/** Where datagrams are sent to: one address, or a multicast group. */
export interface SendAddress {
  readonly transport: "udp";
  /** An IP address: a name would be looked up for each datagram, and each lookup be sent. */
  readonly hostname: string;
  readonly port: number;
}

/**
 * Reads `udp:address:port`; an IPv6 address stands in brackets.
 *
 * @throws {UserError} when it is something else.
 */
export function parseSendAddress(text: string): SendAddress {
  try {
    const { transport, ...to } = parseListenAddress(text);
    if (transport === "udp" && "port" in to && parseAddress(to.hostname) !== null) {
      return { transport, ...to };
    }
  } catch {
    // The way out is another than for a place to listen.
  }
  throw new UserError(
    `--send ${text}: write udp:ADDRESS:PORT, with an IP address (IPv6 in brackets)`,
    WRONG_USAGE,
  );
}
