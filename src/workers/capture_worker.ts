/**
 * A thread of its own that captures: its share of the packets of some interfaces goes through its
 * own meters, and what they observe goes to the main thread. See `messages.ts`.
 *
 * @module
 */
import type { LoopWatch } from "../../ffi/loop_watch.ts";
import { noteOtherUser } from "../../ffi/privileges.ts";
import type { InterfaceSource } from "../capture/interface_source.ts";
import { ListeningSockets } from "../capture/listening_sockets.ts";
import { openInterfaces } from "../capture/open_interfaces.ts";
import { correctionText } from "../engine/correction_text.ts";
import { loadModules } from "./load_modules.ts";
import { Meters } from "./meters.ts";
import { Reading } from "./reading.ts";
import type { Cidr } from "../config/cidr.ts";
import { type LoadedConfig, readConfig } from "../config/load.ts";
import { Mapping } from "../config/mapping.ts";
import { OBSERVATION_WORDS, type ObservationBatch } from "../model/observation_batch.ts";
import { RECORD_WORDS, type RecordBatch } from "../model/record_batch.ts";
import type { Announcement } from "../names/devices/announcement.ts";
import { OwnConnectionsCopy } from "../model/own_connections.ts";
import { EngineMemory } from "../engine/engine_memory.ts";
import type { Log, LogLevel } from "../log.ts";
import { Sandbox } from "../sandbox/sandbox.ts";
import { UserError } from "../user_error.ts";
import type { DesignatedResolver } from "../dns/designated_resolver.ts";
import type { NameWrite } from "../dns/name_write.ts";
import { Backlog } from "./backlog.ts";
import { failureOf } from "./failure.ts";
import type { Lookup } from "../dns/lookup.ts";
import { CarriedNameNumbers } from "../names/carried_name_numbers.ts";
import type { FromWorker, NumberedNames, OpenMessage, StartMessage, ToWorker } from "./messages.ts";
import { watchLoop } from "./watch_loop.ts";
import type { WorkerScope } from "./worker_scope.ts";

/** What a write of a name, or a lookup, needs beside the name: in bytes, about. */
const BYTES_OF_ONE = 300;
/** Lookups are sent when they need so many bytes, also when nothing else is sent. */
const MOST_LOOKUP_BYTES = 1024 * 1024;

/** Different resolvers that are told of. */
const MOST_DESIGNATED = 1000;

/** Keys are suppressed for one window here: the main thread does the rest. */
const WINDOWS_HELD_HERE = 1;

const scope = globalThis as unknown as WorkerScope<ToWorker, FromWorker>;

/** A log whose lines the main thread writes. */
class PostedLog implements Log {
  readonly isDebug: boolean;

  constructor(isDebug: boolean) {
    this.isDebug = isDebug;
  }

  debug(message: string): void {
    if (this.isDebug) this.#post("debug", message);
  }

  info(message: string): void {
    this.#post("info", message);
  }

  warn(message: string): void {
    this.#post("warn", message);
  }

  error(message: string): void {
    this.#post("error", message);
  }

  #post(level: LogLevel, message: string): void {
    scope.postMessage({ kind: "log", level, message });
  }
}

/** The worker's side of the conversation. */
class CaptureWorker {
  #log: Log = new PostedLog(false);
  #config: string | undefined;
  /** Runs the configuration, where it was read early. */
  #runConfig: (() => Promise<LoadedConfig>) | null = null;
  #loaded: LoadedConfig | undefined;
  #sources: InterfaceSource[] = [];
  #memory: EngineMemory | null = null;
  #meters: Meters | null = null;
  #reading: Reading | null = null;
  #listening: ListeningSockets | null = null;
  #loopWatch: LoopWatch | null = null;
  readonly #own = new OwnConnectionsCopy();
  #backlog = new Backlog();
  #lookups: Lookup[] = [];
  #carried: NumberedNames[] = [];
  #lookupBytes = 0;
  readonly #designated = new Set<string>();

  async take(message: ToWorker): Promise<void> {
    try {
      await this.#take(message);
    } catch (error) {
      fail(error);
    }
  }

  async #take(message: ToWorker): Promise<void> {
    switch (message.kind) {
      case "open":
        return await this.#open(message);
      case "start":
        return await this.#start(message);
      case "reload":
        return await this.#reload(message.ownNetworks);
      case "own":
        this.#own.set(message.own);
        // A port that was ours may belong to another program next.
        return this.#meters?.engine.declassify();
      case "flush":
        return await this.#flush("flushed");
      case "end":
        return this.#reading?.end();
    }
  }

  async #open(message: OpenMessage): Promise<void> {
    const { source, interfaces, maxConversations, isDebug, config, isEarly } = message;
    this.#memory = new EngineMemory(maxConversations);
    this.#backlog = new Backlog(message.backlog);
    this.#log = new PostedLog(isDebug);
    this.#config = config;
    if (isEarly) {
      await loadModules();
      this.#runConfig = await readConfig(config);
    }
    const options = new Map(interfaces);
    this.#sources = openInterfaces(
      source,
      [...options.keys()],
      (name) => options.get(name)!,
      this.#log,
      this.#memory.input,
    );
    if (message.isSandboxed) {
      const opensInterfaces = this.#sources.some(({ needsPermission }) => needsPermission);
      new Sandbox(true, this.#log).keepCapabilities({ opensInterfaces });
    }
    scope.postMessage({ kind: "opened" });
  }

  async #start(message: StartMessage): Promise<void> {
    const { ownNetworks, own, wantsSeen, recordInterval, hasFlowRecords, hasCarriedNames, user } =
      message;
    const { wantsDevices } = message;
    if (user !== null) noteOtherUser(user);
    if (own !== null) this.#own.set(own);
    this.#loopWatch = watchLoop(this.#config);
    this.#listening = new ListeningSockets(this.#log);
    await this.#listening.start();
    this.#meters = new Meters({
      mapping: await this.#mapping(ownNetworks),
      emit: (batch) => this.#emit("observations", batch),
      onSeen: wantsSeen ? (batch) => this.#emit("seen", batch) : undefined,
      onRecords: recordInterval === null ? undefined : (batch) => this.#emitRecords(batch),
      recordInterval: recordInterval ?? undefined,
      hasFlowRecords,
      emitNames: (writes, seconds) => this.#emitNames(writes, seconds),
      names: {
        learn: (lookup) => {
          // Of both, the caller uses the memory again.
          const client = lookup.client.slice();
          const address = lookup.address.slice();
          this.#lookups.push({ ...lookup, client, address });
          this.#countLookup(lookup.name.length + lookup.target.length);
        },
      },
      carried: hasCarriedNames ? this.#carriedNumbers() : undefined,
      onDesignated: (resolver) => this.#postDesignated(resolver),
      onAnnouncement: wantsDevices
        ? (announcement, seconds) => this.#postAnnouncement(announcement, seconds)
        : undefined,
      clock: () => Date.now() / 1000,
      memory: this.#memory!,
      windowsSuppressed: WINDOWS_HELD_HERE,
      ownConnections: own === null ? undefined : this.#own,
      localServices: this.#listening,
      onCorrection: this.#log.isDebug
        ? (facts, before, after) => this.#log.debug(correctionText(facts, before, after))
        : undefined,
    });
    this.#reading = new Reading(this.#sources, this.#meters, () => this.#backlog.room());
    scope.postMessage({ kind: "started" });
    this.#reading.run().then(() => this.#end()).catch(fail);
  }

  async #mapping(ownNetworks: readonly Cidr[]): Promise<Mapping> {
    // Functions can't be sent from thread to thread: each loads the configuration itself.
    const runConfig = this.#runConfig ?? await readConfig(this.#config, this.#loaded);
    this.#runConfig = null;
    this.#loaded = await runConfig();
    return new Mapping(this.#loaded.config, ownNetworks, this.#log);
  }

  async #reload(ownNetworks: readonly Cidr[]): Promise<void> {
    try {
      this.#meters?.setMapping(await this.#mapping(ownNetworks));
    } catch (error) {
      // The main thread has just loaded the same files: they have changed in between.
      if (!(error instanceof UserError)) throw error;
      this.#log.error(`${error.message}; a worker goes on with the configuration of before`);
    }
  }

  #emit(kind: "observations" | "seen", batch: ObservationBatch): void {
    this.#postLookups();
    const words = batch.words.slice(0, batch.count * OBSERVATION_WORDS);
    const records = batch.records?.slice(0, batch.count * RECORD_WORDS) ?? null;
    this.#backlog.add(words.byteLength + (records?.byteLength ?? 0));
    const moved = records === null ? [words.buffer] : [words.buffer, records.buffer];
    scope.postMessage({ kind, words, records }, moved);
  }

  #emitRecords(batch: RecordBatch): void {
    this.#postLookups();
    const words = batch.words.slice(0, batch.count * RECORD_WORDS);
    this.#backlog.add(words.byteLength);
    scope.postMessage({ kind: "records", words }, [words.buffer]);
  }

  #emitNames(writes: readonly NameWrite[], seconds: number): void {
    const bytes = writes.reduce(
      (sum, { key, name }) => sum + key.length + (name?.length ?? 0) + BYTES_OF_ONE,
      0,
    );
    this.#backlog.add(bytes);
    scope.postMessage({ kind: "names", writes, seconds, bytes });
  }

  #carriedNumbers(): CarriedNameNumbers {
    return new CarriedNameNumbers(undefined, (number, names) => {
      this.#carried.push({ number, names });
      this.#countLookup(JSON.stringify(names).length);
    });
  }

  #countLookup(bytes: number): void {
    this.#lookupBytes += bytes + BYTES_OF_ONE;
    if (this.#lookupBytes > MOST_LOOKUP_BYTES) this.#postLookups();
  }

  #postLookups(): void {
    if (this.#lookups.length + this.#carried.length === 0) return;
    const bytes = this.#lookupBytes;
    this.#backlog.add(bytes);
    const [lookups, carried] = [this.#lookups, this.#carried];
    scope.postMessage({ kind: "lookups", lookups, carried, bytes });
    this.#lookups = [];
    this.#carried = [];
    this.#lookupBytes = 0;
  }

  /** Few are designated, and each many times. */
  #postDesignated(resolver: DesignatedResolver): void {
    const text = JSON.stringify(resolver);
    if (this.#designated.has(text) || this.#designated.size === MOST_DESIGNATED) return;
    this.#designated.add(text);
    scope.postMessage({ kind: "designated", resolver });
  }

  #postAnnouncement(announcement: Announcement, seconds: number): void {
    const { addresses, name } = announcement;
    const bytes = BYTES_OF_ONE * (1 + addresses.length) + (name?.length ?? 0);
    this.#backlog.add(bytes);
    scope.postMessage({ kind: "announcement", announcement, seconds, bytes });
  }

  async #flush(kind: "flushed" | "ended"): Promise<void> {
    const reading = this.#reading!;
    await reading.flush();
    if (kind === "ended") this.#meters!.engine.flush();
    this.#postLookups();
    scope.postMessage({ kind, statistics: reading.statistics() });
  }

  async #end(): Promise<void> {
    this.#meters?.engine.end();
    this.#meters?.engine.endRecords();
    await this.#flush("ended");
    this.#listening?.close();
    this.#loopWatch?.close();
    this.#reading!.close();
  }
}

function fail(error: unknown): void {
  scope.postMessage(failureOf(error));
}

const worker = new CaptureWorker();
scope.onmessage = ({ data }) => void worker.take(data);
