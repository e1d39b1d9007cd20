import { KernelText } from "../../ffi/kernel_text.ts";
import { networkInterfaces } from "../../ffi/network_interfaces.ts";
import { parseAddress } from "../model/address.ts";
import type { LocalServices } from "../model/local_services.ts";
import type { Log } from "../log.ts";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "../packet/packet_header.ts";

/** How often they are read, in milliseconds: a service that starts is known half a minute later. */
const INTERVAL = 30_000;
/** Pieces of a file that are read without a turn of the event loop, some 0.3 ms. */
const PIECES_IN_A_ROW = 16;
/** A table of sockets is read up to here: some 100,000 UDP sockets. */
const MOST_PIECES = 4096;

/** The port range for clients where the kernel does not tell: ip(7), ip_local_port_range. */
const DEFAULT_RANGE: readonly [number, number] = [32_768, 60_999];
const RANGE_PATH = "/proc/sys/net/ipv4/ip_local_port_range";

/** A table of sockets, proc(5), and in which state of its fourth column one is a service. */
interface SocketTable {
  readonly path: string;
  readonly protocol: number;
  readonly state: string;
}

/** `<net/tcp_states.h>`: TCP_LISTEN; a UDP socket that is not connected is in TCP_CLOSE. */
const TABLES: readonly SocketTable[] = [
  { path: "/proc/self/net/tcp", protocol: PROTOCOL_TCP, state: "0A" },
  { path: "/proc/self/net/tcp6", protocol: PROTOCOL_TCP, state: "0A" },
  { path: "/proc/self/net/udp", protocol: PROTOCOL_UDP, state: "07" },
  { path: "/proc/self/net/udp6", protocol: PROTOCOL_UDP, state: "07" },
];

/** For which addresses a socket listens on its port: words of one, or all of the host's. */
type Listener = Int32Array | "any4" | "any";

/** Which sockets of this host are services, found again every half minute. */
export class ListeningSockets implements LocalServices {
  readonly #log: Pick<Log, "debug">;
  /** By port: 1 for TCP, 2 for UDP. So that a port that nothing listens on costs no more. */
  #ports = new Uint8Array(65_536);
  #listeners = new Map<number, Listener[]>();
  #addresses4 = new Set<number>();
  #addresses6: readonly Int32Array[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  #isComplaintSaid = false;

  /** @param log Told once if the sockets can't be read, which is no error: there is other evidence. */
  constructor(log: Pick<Log, "debug">) {
    this.#log = log;
  }

  /** Reads them, and again from time to time until they are closed. */
  async start(): Promise<void> {
    await this.refresh();
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => this.start(), INTERVAL);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** Reads them no more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Reads them once. Where that is not possible, nothing is known to listen. */
  async refresh(): Promise<void> {
    try {
      await this.#read();
    } catch (error) {
      this.#complain(error instanceof Error ? error.message : String(error));
    }
  }

  has(
    words: Int32Array,
    at: number,
    addressWords: number,
    port: number,
    protocol: number,
  ): boolean {
    if ((this.#ports[port] & portBit(protocol)) === 0) return false;
    const listeners = this.#listeners.get((protocol << 16) | port)!;
    for (let i = 0; i < listeners.length; i++) {
      const listener = listeners[i];
      if (typeof listener !== "string") {
        if (listener.length === addressWords && isEqual(listener, words, at)) return true;
      } else if (listener === "any" || addressWords === 1) {
        if (this.#isOwn(words, at, addressWords)) return true;
      }
    }
    return false;
  }

  async #read(): Promise<void> {
    const ports = new Uint8Array(65_536);
    const listeners = new Map<number, Listener[]>();
    const clientPorts = clientPortRange();
    for (const table of TABLES) {
      using text = KernelText.open(table.path);
      // A kernel without IPv6 has no tables for it.
      if (text === null && !table.path.endsWith("6")) this.#complain(`${table.path} can't be read`);
      if (text === null) continue;
      for await (const { address, port } of services(text, table)) {
        const isClients = port >= clientPorts[0] && port <= clientPorts[1];
        if (table.protocol === PROTOCOL_UDP && isClients) continue;
        ports[port] |= portBit(table.protocol);
        const key = (table.protocol << 16) | port;
        const others = listeners.get(key);
        if (others === undefined) listeners.set(key, [address]);
        else others.push(address);
      }
    }
    this.#readAddresses();
    this.#ports = ports;
    this.#listeners = listeners;
  }

  #readAddresses(): void {
    const addresses = networkInterfaces().flatMap((it) => it.addresses)
      .map(({ address }) => parseAddress(address)!);
    this.#addresses4 = new Set(
      addresses.filter(({ family }) => family === 4).map(({ words }) => words[3] | 0),
    );
    this.#addresses6 = addresses.filter(({ family }) => family === 6)
      .map(({ words }) => Int32Array.from(words));
  }

  #isOwn(words: Int32Array, at: number, addressWords: number): boolean {
    if (addressWords === 1) return this.#addresses4.has(words[at]) || isLoopback(words[at]);
    return this.#addresses6.some((address) => isEqual(address, words, at));
  }

  #complain(reason: string): void {
    if (this.#isComplaintSaid) return;
    this.#isComplaintSaid = true;
    this.#log.debug(`what this host listens on is not known: ${reason}`);
  }
}

function portBit(protocol: number): number {
  return protocol === PROTOCOL_TCP ? 1 : 2;
}

/** 127.0.0.0/8: RFC 1122, section 3.2.1.3. */
function isLoopback(address: number): boolean {
  return address >>> 24 === 127;
}

function isEqual(address: Int32Array, words: Int32Array, at: number): boolean {
  for (let word = 0; word < address.length; word++) {
    if (address[word] !== words[at + word]) return false;
  }
  return true;
}

/** Ports that clients get which do not ask for one, from and to. */
function clientPortRange(): readonly [number, number] {
  const text = KernelText.readShort(RANGE_PATH);
  const [from, to] = (text ?? "").trim().split(/\s+/).map(Number);
  return Number.isInteger(from) && Number.isInteger(to) ? [from, to] : DEFAULT_RANGE;
}

/** The services of a table. Of TCP, connections are not read: Linux lists what listens before them. */
async function* services(
  text: KernelText,
  { protocol, state }: SocketTable,
): AsyncGenerator<{ address: Listener; port: number }> {
  let rest = "";
  for (let pieces = 1; pieces <= MOST_PIECES; pieces++) {
    const piece = text.next();
    if (piece === null) return;
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    let found = 0;
    for (const line of lines) {
      const [, local, , columnState] = line.trim().split(/ +/, 4);
      if (columnState !== state) continue;
      found++;
      const [address, port] = local.split(":");
      yield { address: listenerOf(address), port: parseInt(port, 16) };
    }
    if (protocol === PROTOCOL_TCP && found === 0 && pieces > 1) return;
    if (pieces % PIECES_IN_A_ROW === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** An address as the kernel prints it: words of 32 bits, each in the byte order of the machine. */
function listenerOf(hexadecimal: string): Listener {
  const words = Int32Array.from(
    hexadecimal.match(/.{8}/g) ?? [],
    (word) => parseInt(word.match(/../g)!.reverse().join(""), 16) | 0,
  );
  if (words.every((word) => word === 0)) return words.length === 1 ? "any4" : "any";
  // IPv4 in an IPv6 socket: RFC 4291, section 2.5.5.2.
  const isMapped = words.length === 4 && words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
  return isMapped ? words.slice(3) : words;
}
