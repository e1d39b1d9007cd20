import { dirname } from "node:path";
import { withMode } from "../../ffi/with_mode.ts";
import type { Log } from "../log.ts";
import { UserError } from "../user_error.ts";
import type { Complaints } from "./complaints.ts";
import { decodeDnstap, DNSTAP_CONTENT_TYPE, type DnstapPayload } from "./dnstap.ts";
import { FrameRoom, frames, FrameStreamError } from "./frame_streams.ts";
import type { ListenAddress } from "./listen_address.ts";
import { listenError, listenText } from "./listen_error.ts";
import { makeSocketFolder } from "./socket_folder.ts";

/** How a {@linkcode DnstapListener} goes about its work. */
export interface DnstapListenerOptions {
  /** Takes each payload, which is valid until this returns. */
  onPayload: (payload: DnstapPayload) => void;
  /**
   * Who may connect to a Unix socket, as of chmod(2).
   * @default {0o660}
   */
  socketMode?: number;
  /**
   * Connections at the same time. For one more, that is ended which was silent for longest.
   * @default {256}
   */
  maxConnections?: number;
  /**
   * How long, in milliseconds, a writer may take for the rest of a frame.
   * @default {10_000}
   */
  patience?: number;
}

/** What listeners counted. */
export interface DnstapCounts {
  /** Connections that are open now, and that there were. */
  open: number;
  connections: number;
  /** Connections that were ended because of what came over them, or to make room. */
  refused: number;
  /** Frames, and those of them that were not dnstap. */
  frames: number;
  noise: number;
}

/** What is known of a name server that is connected. */
interface Peer {
  /** When its last frame came, or it connected, on the clock of `performance.now()`. */
  heardAt: number;
  /** Whether any frame came. */
  hasSpoken: boolean;
}

const DEFAULT_SOCKET_MODE = 0o660;
/** Bits of a folder's mode, chmod(2): with the second, nobody replaces what is another's. */
const OTHERS_MAY_WRITE = 0o002;
const STICKY = 0o1000;
const DEFAULT_MAX_CONNECTIONS = 256;
/**
 * Bytes for frames of more than 64 KiB that are not whole, of all connections together. Few are so
 * long: a DNS message has 64 KiB at most.
 */
const LONG_FRAME_BYTES = 32 * 1024 * 1024;
/** Pause after an accept that failed, in milliseconds: no file descriptors, mostly. */
const ACCEPT_PAUSE = 100;

/** Listens for name servers that write dnstap as Frame Streams, any number of them at once. */
export class DnstapListener {
  readonly counts: DnstapCounts = { open: 0, connections: 0, refused: 0, frames: 0, noise: 0 };
  readonly #address: ListenAddress;
  readonly #text: string;
  readonly #listener: Deno.Listener<Deno.Conn>;
  /** The Unix socket. */
  readonly #made: Deno.FileInfo | null;
  readonly #options: DnstapListenerOptions;
  readonly #complaints: Complaints;
  readonly #log: Log;
  readonly #room = new FrameRoom(LONG_FRAME_BYTES);
  readonly #open = new Map<Deno.Conn, Peer>();
  #isClosed = false;

  private constructor(
    address: ListenAddress,
    listener: Deno.Listener<Deno.Conn>,
    made: Deno.FileInfo | null,
    options: DnstapListenerOptions,
    complaints: Complaints,
    log: Log,
  ) {
    this.#address = address;
    this.#text = listenText(address);
    this.#listener = listener;
    this.#made = made;
    this.#options = options;
    this.#complaints = complaints;
    this.#log = log;
  }

  /**
   * Begins to listen. A Unix socket that nobody listens on any more is replaced.
   *
   * @throws {UserError} when that can't be done.
   */
  static async open(
    address: Exclude<ListenAddress, { transport: "udp" }>,
    options: DnstapListenerOptions,
    complaints: Complaints,
    log: Log,
  ): Promise<DnstapListener> {
    try {
      const { listener, made } = address.transport === "unix"
        ? await listenUnix(address.path, options.socketMode ?? DEFAULT_SOCKET_MODE)
        : { listener: Deno.listen({ hostname: address.hostname, port: address.port }), made: null };
      const opened = new DnstapListener(address, listener, made, options, complaints, log);
      opened.#accept();
      return opened;
    } catch (error) {
      throw error instanceof UserError ? error : listenError(address, error);
    }
  }

  /** Ends all connections. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // First, as long as no other file can have its number.
    if (this.#address.transport === "unix") removeQuietly(this.#address.path, this.#made!);
    this.#listener.close();
    for (const connection of this.#open.keys()) closeQuietly(connection);
  }

  async #accept(): Promise<void> {
    while (!this.#isClosed) {
      try {
        this.#take(await this.#listener.accept());
      } catch (error) {
        if (this.#isClosed) return;
        const message = (error as Error).message;
        this.#complaints.say("accept", `${this.#text}: no connection can be taken (${message})`);
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE));
      }
    }
  }

  #take(connection: Deno.Conn): void {
    this.counts.connections++;
    const most = this.#options.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
    if (this.#open.size >= most) this.#endMostSilent();
    keepAlive(connection);
    const peer: Peer = { heardAt: performance.now(), hasSpoken: false };
    this.#open.set(connection, peer);
    this.counts.open++;
    this.#read(connection, peer).finally(() => this.#end(connection));
  }

  /**
   * Makes room for another connection: of those that never sent a frame the oldest goes, and then
   * whoever was silent for longest. A name server that was ended though it lives connects again.
   */
  #endMostSilent(): void {
    const peers = [...this.#open];
    const [[connection]] = peers.sort(([, one], [, other]) =>
      Number(one.hasSpoken) - Number(other.hasSpoken) || one.heardAt - other.heardAt
    );
    this.#refuse("too many", `there are ${peers.length}, and it was silent for longest`);
    this.#end(connection);
  }

  #end(connection: Deno.Conn): void {
    closeQuietly(connection);
    if (this.#open.delete(connection)) this.counts.open--;
  }

  /** Whatever happens to a connection, it ends that connection and nothing else. */
  async #read(connection: Deno.Conn, peer: Peer): Promise<void> {
    const { patience } = this.#options;
    const options = { contentType: DNSTAP_CONTENT_TYPE, patience, room: this.#room };
    this.#log.debug(`${this.#text}: a name server has connected`);
    try {
      for await (const frame of frames(connection, options)) {
        peer.heardAt = performance.now();
        peer.hasSpoken = true;
        this.#takeFrame(frame);
      }
      this.#log.debug(`${this.#text}: a name server has gone`);
    } catch (error) {
      if (error instanceof FrameStreamError) this.#refuse(error.kind, error.message);
      // The peer was reset, is unreachable, timed out, was ended here: there are as many as errno(3) has.
      else this.#log.debug(`${this.#text}: ${(error as Error).message}`);
    }
  }

  #takeFrame(frame: Uint8Array): void {
    this.counts.frames++;
    const payload = decodeDnstap(frame);
    if (payload === null) {
      this.counts.noise++;
      this.#complaints.say("noise", `${this.#text}: a frame that is not dnstap is left out`);
      return;
    }
    try {
      this.#options.onPayload(payload);
    } catch (error) {
      // A defect of ours, and no reason to stop listening to all the others.
      this.#complaints.say(
        "payload",
        `${this.#text}: a payload can't be taken, which is a defect: ${(error as Error).message}`,
      );
      this.#log.debug(String((error as Error).stack));
    }
  }

  #refuse(kind: string, message: string): void {
    this.counts.refused++;
    this.#complaints.say(kind, `${this.#text}: a connection is ended: ${message}`);
  }
}

/**
 * Has the kernel ask a silent peer whether it is still there, as often as `net.ipv4.tcp_keepalive_time`
 * says, so that the connection of one that has vanished ends. Of Unix sockets the kernel knows.
 */
function keepAlive(connection: Deno.Conn): void {
  if (!("setKeepAlive" in connection)) return;
  try {
    (connection as Deno.TcpConn).setKeepAlive(true);
  } catch {
    // It has ended already: reading says so.
  }
}

/** A Unix socket that we listen on. */
interface UnixSocket {
  readonly listener: Deno.Listener<Deno.Conn>;
  /** What was made, whatever has its name by now. */
  readonly made: Deno.FileInfo;
}

async function listenUnix(path: string, mode: number): Promise<UnixSocket> {
  makeSocketFolder(path);
  requireFolder(path);
  await removeStale(path);
  const listen = () => Deno.listen({ transport: "unix", path });
  const listener = withMode(mode, listen) ?? listen();
  try {
    const made = Deno.lstatSync(path);
    // Only where its mode could not be given to it from the start. A link would give it to another file.
    if (made.isSocket && ((made.mode ?? mode) & 0o777) !== mode) Deno.chmodSync(path, mode);
    return { listener, made };
  } catch (error) {
    listener.close();
    throw error;
  }
}

/** @throws {UserError} when everybody could put a socket of their own in the place of ours. */
function requireFolder(path: string): void {
  const folder = dirname(path);
  if (Deno.permissions.querySync({ name: "read", path: folder }).state !== "granted") return;
  const mode = Deno.statSync(folder).mode ?? 0;
  if ((mode & OTHERS_MAY_WRITE) === 0 || (mode & STICKY) !== 0) return;
  throw new UserError(
    `unix:${path}: all users may write ${folder}, and so put another socket there: ` +
      `chmod o-w ${folder}`,
  );
}

/**
 * Removes a socket that was left behind by a process that was killed.
 *
 * @throws {UserError} when there is something else of that name, or somebody listens on it.
 */
async function removeStale(path: string): Promise<void> {
  let information: Deno.FileInfo;
  try {
    information = Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  if (!information.isSocket) {
    throw new UserError(`unix:${path}: there is a file of this name that is no socket`);
  }
  try {
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    removeQuietly(path, information);
    return;
  }
  throw new Deno.errors.AddrInUse();
}

/** Removes a socket, unless another has its name by now: a newer sensor's. */
function removeQuietly(path: string, { dev, ino }: Deno.FileInfo): void {
  try {
    const there = Deno.lstatSync(path);
    if (there.dev === dev && there.ino === ino) Deno.removeSync(path);
  } catch {
    // It is gone already, or its directory is not ours to write to: the next start replaces it.
  }
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It was closed already.
  }
}
