import { lookup } from "node:dns/promises";
import { UserError } from "../../user_error.ts";
import type { IpfixAddress } from "../../model/ipfix_address.ts";
import type { IpfixTransport } from "./ipfix_transport.ts";

/**
 * What fits into a packet on any path of IPv6 (RFC 8200, section 5: 1,280 bytes), so that nothing is
 * sent in fragments.
 */
const MOST_BYTES = 1_280 - 40 - 8;
/**
 * After so many messages a pause of a millisecond: a collector's socket holds some 200 KB by default,
 * and what comes when it is full is lost without anyone's knowing.
 */
const BURST = 32;
const PAUSE = 1;

/** Messages to a collector in datagrams. Whether they arrive is not known. */
export class UdpTransport implements IpfixTransport {
  readonly mostBytes = MOST_BYTES;
  readonly isClosed = false;
  readonly isUnreliable = true;
  readonly #socket: Deno.DatagramConn;
  readonly #collector: Deno.NetAddr;
  #sent = 0;

  private constructor(socket: Deno.DatagramConn, collector: Deno.NetAddr) {
    this.#socket = socket;
    this.#collector = collector;
  }

  /**
   * Looks up the collector's address, and opens a socket.
   *
   * @throws {Error} when that can't be done now.
   */
  static async open({ hostname, port, text }: IpfixAddress): Promise<UdpTransport> {
    if (Deno.listenDatagram === undefined) {
      throw new UserError(`${text}: datagrams need Deno's option --unstable-net`);
    }
    const { address, family } = await lookup(hostname);
    const socket = Deno.listenDatagram({
      transport: "udp",
      hostname: family === 6 ? "::" : "0.0.0.0",
      port: 0,
    });
    return new UdpTransport(socket, { transport: "udp", hostname: address, port });
  }

  async send(message: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#socket.send(message, this.#collector);
    if (++this.#sent % BURST === 0) await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }

  close(): void {
    this.#socket.close();
  }
}
