import { parseAddress } from "../model/address.ts";
import { isGroup } from "../model/group_address.ts";
import { UserError } from "../user_error.ts";
import type { Complaints } from "./complaints.ts";
import { listenError, listenText } from "./listen_error.ts";
import { type Lookup, readLookup } from "./lookup_datagram.ts";
import { MissingDatagrams } from "./missing_datagrams.ts";

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
  /** Datagrams that did not come, by the numbers in those that did. */
  missing: number;
}

/** Pause after a datagram that could not be received, in milliseconds: there may be none for long. */
const RECEIVE_PAUSE = 100;
const ANY_IPV4 = "0.0.0.0";
const ANY_IPV6 = "::";

/** Listens for lookups that ShoDoHFlo's dnstap agent sends as datagrams, to one or to a group. */
export class LookupListener {
  readonly counts: LookupCounts = { datagrams: 0, noise: 0, missing: 0 };
  readonly #missing = new MissingDatagrams();
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
        const [datagram, from] = await this.#socket.receive();
        this.counts.datagrams++;
        const { hostname, port } = from as Deno.NetAddr;
        const sender = listenText({ transport: "udp", hostname, port });
        this.#takeLines(this.#decoder.decode(datagram), sender);
      } catch (error) {
        if (this.#isClosed) return;
        this.#complaints.say("receive", `${this.#text}: ${(error as Error).message}`);
        await new Promise((resolve) => setTimeout(resolve, RECEIVE_PAUSE));
      }
    }
  }

  /** A datagram has a line, but whoever joins several into one is understood too. */
  #takeLines(text: string, sender: string): void {
    for (const line of text.split("\n")) {
      if (line.trim() === "") continue;
      const lookup = readLookup(line);
      if (lookup === null) {
        this.counts.noise++;
        this.#complaints.say("lookup", `${this.#text}: a datagram that is no lookup is left out`);
      } else {
        if (lookup.id !== null) this.#count(lookup.id, sender);
        this.#options.onLookup(lookup);
      }
    }
  }

  #count(id: number, sender: string): void {
    const missing = this.#missing.take(sender, id);
    this.counts.missing = this.#missing.count;
    if (missing === 0) return;
    const what = missing === 1 ? `1 datagram` : `${missing} datagrams`;
    this.#complaints.say(
      "missing",
      `${this.#text}: ${what} from ${sender} did not arrive before the one with id ${id}`,
    );
  }
}

async function openSocket(
  { hostname, port }: { hostname: string; port: number },
  multicastInterface: string | undefined,
): Promise<Deno.DatagramConn> {
  const address = parseAddress(hostname);
  const isIpv6 = address?.family === 6;
  const isMulticast = address !== null &&
    (isIpv6 ? isGroup(4, address.words[0]) : isGroup(1, address.words[3]));
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
