import { parseAddress } from "../model/address.ts";
import { UserError } from "../user_error.ts";
import type { Complaints } from "./complaints.ts";
import { listenError, listenText } from "./listen_error.ts";
import { type Lookup, readLookup } from "./lookup_datagram.ts";

/** How a {@linkcode LookupListener} goes about its work. */
export interface LookupListenerOptions {
  onLookup: (lookup: Lookup) => void;
  /**
   * The address of the interface on which an IPv4 multicast group is joined. By default, the system
   * chooses one.
   */
  multicastInterface?: string;
}

/** What a listener counted. */
export interface LookupCounts {
  datagrams: number;
  /** Lines in them that were no lookup. */
  noise: number;
}

/** First four bits of an IPv4 multicast address (RFC 5771), and first eight of an IPv6 one. */
const IPV4_MULTICAST = 0xe;
const IPV6_MULTICAST = 0xff;
/** Pause after a datagram that could not be received, in milliseconds: there may be none for long. */
const RECEIVE_PAUSE = 100;
const ANY_IPV4 = "0.0.0.0";
const ANY_IPV6 = "::";

/** Listens for lookups that ShoDoHFlo's dnstap agent sends as datagrams, to one or to a group. */
export class LookupListener {
  readonly counts: LookupCounts = { datagrams: 0, noise: 0 };
  readonly #text: string;
  readonly #socket: Deno.DatagramConn;
  readonly #options: LookupListenerOptions;
  readonly #complaints: Complaints;
  readonly #decoder = new TextDecoder();
  #isClosed = false;

  private constructor(
    text: string,
    socket: Deno.DatagramConn,
    options: LookupListenerOptions,
    complaints: Complaints,
  ) {
    this.#text = text;
    this.#socket = socket;
    this.#options = options;
    this.#complaints = complaints;
  }

  /**
   * Begins to listen. Where the address is that of a multicast group, it is joined.
   *
   * @throws {UserError} when that can't be done.
   */
  static async open(
    address: { readonly transport: "udp"; readonly hostname: string; readonly port: number },
    options: LookupListenerOptions,
    complaints: Complaints,
  ): Promise<LookupListener> {
    const text = listenText(address);
    if (Deno.listenDatagram === undefined) {
      throw new UserError(`${text}: datagrams need Deno's option --unstable-net`);
    }
    let socket: Deno.DatagramConn | undefined;
    try {
      socket = await openSocket(address, options.multicastInterface);
    } catch (error) {
      throw error instanceof UserError ? error : listenError(address, error);
    }
    const listener = new LookupListener(text, socket, options, complaints);
    listener.#read();
    return listener;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }

  async #read(): Promise<void> {
    while (!this.#isClosed) {
      try {
        const [datagram] = await this.#socket.receive();
        this.counts.datagrams++;
        this.#takeLines(this.#decoder.decode(datagram));
      } catch (error) {
        if (this.#isClosed) return;
        this.#complaints.say("receive", `${this.#text}: ${(error as Error).message}`);
        await new Promise((resolve) => setTimeout(resolve, RECEIVE_PAUSE));
      }
    }
  }

  /** A datagram has a line, but whoever joins several into one is understood too. */
  #takeLines(text: string): void {
    for (const line of text.split("\n")) {
      if (line.trim() === "") continue;
      const lookup = readLookup(line);
      if (lookup === null) {
        this.counts.noise++;
        this.#complaints.say("lookup", `${this.#text}: a datagram that is no lookup is left out`);
      } else {
        this.#options.onLookup(lookup);
      }
    }
  }
}

async function openSocket(
  { hostname, port }: { hostname: string; port: number },
  multicastInterface: string | undefined,
): Promise<Deno.DatagramConn> {
  const address = parseAddress(hostname);
  const isIpv6 = address?.family === 6;
  const isMulticast = address !== null &&
    (isIpv6
      ? address.words[0] >>> 24 === IPV6_MULTICAST
      : address.words[3] >>> 28 === IPV4_MULTICAST);
  if (!isMulticast) return Deno.listenDatagram({ transport: "udp", hostname, port });
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: isIpv6 ? ANY_IPV6 : ANY_IPV4,
    port,
    // Others on this machine may listen to the group too.
    reuseAddress: true,
  });
  try {
    if (isIpv6) await socket.joinMulticastV6(hostname, 0);
    else await socket.joinMulticastV4(hostname, multicastInterface ?? ANY_IPV4);
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}
