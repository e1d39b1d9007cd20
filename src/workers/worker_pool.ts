import { fileURLToPath } from "node:url";
import { freeFanoutGroup } from "../../ffi/af_packet.ts";
import type { LiveOptions } from "../capture/live_options.ts";
import type { SourceKind } from "../capture/source_kind.ts";
import type { PacketWork, WorkStatistics } from "./packet_work.ts";
import type { Cidr } from "../config/cidr.ts";
import type { DesignatedResolver } from "../dns/designated_resolver.ts";
import type { NameWrite } from "../dns/name_write.ts";
import { LatestValues } from "../model/latest_values.ts";
import { KeyMerger } from "../engine/key_merger.ts";
import { OBSERVATION_WORDS, ObservationBatch } from "../model/observation_batch.ts";
import { RECORD_ID, RECORD_NAME, RECORD_WORDS, RecordBatch } from "../model/record_batch.ts";
import type { Announcement } from "../names/devices/announcement.ts";
import type { OwnConnectionsState } from "../model/own_connections.ts";
import type { Log, LogLevel } from "../log.ts";
import { UserError } from "../user_error.ts";
import { addedStatistics } from "./added_statistics.ts";
import { Backlog } from "./backlog.ts";
import { errorOf } from "./failure.ts";
import { mayReadModules } from "./permission.ts";
import type { Lookup } from "../dns/lookup.ts";
import type { CarriedNameNumbers } from "../names/carried_name_numbers.ts";
import type { FromWorker, StartMessage, ToWorker } from "./messages.ts";

/** Observations of workers are merged at a flush, or when they need so many bytes. */
const MOST_OBSERVATION_BYTES = 16 * 1024 * 1024;

/** Numbers of names that are remembered of each thread. */
const REMEMBERED_NAMES = 100_000;

const WORKER = new URL("./capture_worker.ts", import.meta.url);

/** Of the upper half of a conversation's number: more than 2^45 of them no thread has, and there are fewer than 256 threads. */
const THREAD_SHIFT = 13;

/** Where what the workers observed goes. */
export interface WorkerOutput {
  /** Takes observations. The batch is used again as soon as this returns. */
  emit: (batch: ObservationBatch) => void;
  /** Takes when refusals were seen last. The batch is used again as soon as this returns. */
  see: (batch: ObservationBatch) => void;
  emitNames: (writes: readonly NameWrite[], seconds: number) => void;
  /** Takes records of conversations. The batch is used again as soon as this returns. */
  takeRecords: (batch: RecordBatch) => void;
  learn: (lookup: Lookup) => void;
  /** Gives numbers to the names that conversations carry. */
  carried: CarriedNameNumbers;
  /** Takes resolvers that others designate. */
  learnResolver: (resolver: DesignatedResolver) => void;
  /** Takes what hosts tell of themselves, and when, in seconds since 1970-01-01 UTC. */
  learnDevice: (announcement: Announcement, seconds: number) => void;
}

/**
 * Threads that capture together: the kernel gives each packet of an interface to one of them, both
 * directions of a conversation to the same. What they observe is merged here.
 */
export class WorkerPool implements PacketWork {
  readonly #threads: readonly Thread[];
  readonly #failure = Promise.withResolvers<never>();
  /** What came since the last flush of all: names first have to be known, whoever saw them. */
  #observations: { words: Uint32Array; records: Uint32Array | null }[] = [];
  /** Refusals that were seen again since then: the first of them come first. */
  #seen: Uint32Array[] = [];
  /** Records of conversations, for the same reason; those of each thread have numbers of their own. */
  #records: Uint32Array[] = [];
  #observationBytes = 0;
  #output: WorkerOutput | null = null;
  #merger: KeyMerger | null = null;

  private constructor(count: number, log: Log) {
    // Whoever waits for something of the workers is told; else nobody may wait.
    this.#failure.promise.catch(() => {});
    this.#threads = Array.from(
      { length: count },
      (_, index) =>
        new Thread(index, log, this.#failure.reject, (it, thread) => this.#take(it, thread)),
    );
  }

  /**
   * Starts threads, each of which opens the interfaces.
   *
   * @param options How each interface is captured on; with the buffer of each thread.
   * @param maxConversations Conversations of each address family that all threads remember together.
   * @param user Whom the process will become before {@linkcode WorkerPool.start}.
   * @param sandbox Whether threads keep no capabilities that they don't need.
   * @throws {UserError} when one can't be opened.
   */
  static async open(
    count: number,
    source: SourceKind,
    names: readonly string[],
    options: Readonly<LiveOptions>,
    { config, user, sandbox, maxConversations }: {
      readonly config?: string;
      readonly user?: string;
      readonly sandbox: boolean;
      readonly maxConversations: number;
    },
    log: Log,
  ): Promise<WorkerPool> {
    requirePermission();
    const interfaces = [...new Set(names)].map((name) =>
      [name, { ...options, fanoutGroup: freeFanoutGroup(name) }] as const
    );
    const pool = new WorkerPool(count, log);
    try {
      // One after the other: what is wrong is wrong for all, and said once.
      for (const thread of pool.#threads) {
        thread.post({
          kind: "open",
          source,
          interfaces,
          maxConversations: Math.ceil(maxConversations / count),
          isDebug: log.isDebug,
          config,
          isEarly: user !== undefined,
          isSandboxed: sandbox && user === undefined,
          backlog: thread.backlog.shared,
        });
        await pool.#orFailure(thread.answer("opened"));
      }
      return pool;
    } catch (error) {
      pool.close();
      throw error;
    }
  }

  /**
   * Has the threads load the configuration and read packets.
   *
   * @throws {UserError} when the configuration can't be loaded.
   */
  async start(options: Omit<StartMessage, "kind">, output: WorkerOutput): Promise<void> {
    this.#output = output;
    this.#merger = new KeyMerger(output.emit, () => Math.floor(Date.now() / 1000));
    this.#postAll({ kind: "start", ...options });
    await this.#answers("started");
  }

  /** Has the threads load the configuration again. One that can't goes on as it was, and says so. */
  reload(ownNetworks: readonly Cidr[]): void {
    this.#postAll({ kind: "reload", ownNetworks });
  }

  /** Tells the threads of the sensor's own connections. */
  setOwnConnections(own: OwnConnectionsState): void {
    this.#postAll({ kind: "own", own });
  }

  async run(): Promise<void> {
    await this.#answers("ended");
    this.#merge();
  }

  async flush(): Promise<void> {
    const running = this.#threads.filter(({ hasEnded }) => !hasEnded);
    const answers = running.map((thread) => thread.answer("flushed", "ended"));
    for (const thread of running) thread.post({ kind: "flush" });
    await this.#orFailure(Promise.all(answers));
    this.#merge();
  }

  end(): void {
    this.#postAll({ kind: "end" });
  }

  statistics(): WorkStatistics {
    const all = this.#threads.flatMap(({ statistics }) => statistics ?? []);
    return addedStatistics(all, {
      flows: this.#merger?.flows ?? 0,
      flowsBy: [...this.#merger?.flowsBy ?? []],
      keys: this.#merger?.written ?? 0,
    });
  }

  close(): void {
    // Where one has failed, what the others had seen is not lost.
    this.#merge();
    for (const thread of this.#threads) thread.terminate();
  }

  #take(message: FromWorker, thread: Thread): void {
    const { backlog } = thread;
    if (message.kind === "observations" || message.kind === "seen" || message.kind === "records") {
      const bytes = message.words.byteLength +
        (message.kind === "observations" ? message.records?.byteLength ?? 0 : 0);
      this.#keep(message, thread);
      this.#observationBytes += bytes;
      if (this.#observationBytes > MOST_OBSERVATION_BYTES) this.#merge();
      backlog.take(bytes);
    } else if (message.kind === "names") {
      this.#output!.emitNames(message.writes, message.seconds);
      backlog.take(message.bytes);
    } else if (message.kind === "lookups") {
      message.lookups.forEach(this.#output!.learn);
      for (const { number, names } of message.carried) {
        thread.names.set(number, this.#output!.carried.numberOf(names));
      }
      backlog.take(message.bytes);
    } else if (message.kind === "designated") {
      this.#output!.learnResolver(message.resolver);
    } else if (message.kind === "announcement") {
      this.#output!.learnDevice(message.announcement, message.seconds);
      backlog.take(message.bytes);
    }
  }

  /** Keeps what is merged later. */
  #keep(
    message: Extract<FromWorker, { kind: "observations" | "seen" | "records" }>,
    thread: Thread,
  ): void {
    if (message.kind === "seen") {
      this.#seen.push(message.words);
    } else if (message.kind === "records") {
      this.#setThread(message.words, thread);
      this.#records.push(message.words);
    } else {
      this.#setThread(message.records, thread);
      this.#observations.push(message);
    }
  }

  #merge(): void {
    for (const { words, records } of this.#observations) this.#merger!.take(words, records);
    this.#observations = [];
    for (const words of this.#seen) {
      const batch = new ObservationBatch(words.length / OBSERVATION_WORDS, words);
      batch.count = batch.capacity;
      this.#output!.see(batch);
    }
    this.#seen = [];
    for (const words of this.#records) {
      const batch = new RecordBatch(words);
      batch.count = words.length / RECORD_WORDS;
      this.#output!.takeRecords(batch);
    }
    this.#records = [];
    this.#observationBytes = 0;
  }

  /** Makes the numbers of conversations different from those of other threads, and those of names ours. */
  #setThread(records: Uint32Array | null, { number, names }: Thread): void {
    if (records === null) return;
    for (let at = 0; at < records.length; at += RECORD_WORDS) {
      const id = at + RECORD_ID;
      if ((records[id] | records[id + 1]) === 0) continue;
      records[id + 1] += number << THREAD_SHIFT;
      records[at + RECORD_NAME] = names.get(records[at + RECORD_NAME]) ?? 0;
    }
  }

  #postAll(message: ToWorker): void {
    for (const thread of this.#threads) thread.post(message);
  }

  async #answers(...kinds: FromWorker["kind"][]): Promise<void> {
    await this.#orFailure(Promise.all(this.#threads.map((thread) => thread.answer(...kinds))));
  }

  #orFailure<Result>(promise: Promise<Result>): Promise<Result> {
    return Promise.race([promise, this.#failure.promise]);
  }
}

/** A thread as it is seen from here. */
class Thread {
  /** What it counted up to its last flush. */
  statistics: WorkStatistics | null = null;
  hasEnded = false;
  /** Our numbers of the names that conversations carry, by the thread's. */
  readonly names = new LatestValues<number, number>(REMEMBERED_NAMES);
  /** What it has sent and nobody has taken. */
  readonly backlog = new Backlog();
  readonly #worker: Worker;
  readonly number: number;
  readonly #log: Log;
  readonly #fail: (error: Error) => void;
  #awaited: { kinds: readonly FromWorker["kind"][]; resolve: () => void }[] = [];

  constructor(
    number: number,
    log: Log,
    fail: (error: Error) => void,
    take: (message: FromWorker, thread: Thread) => void,
  ) {
    this.number = number;
    this.#log = log;
    this.#fail = fail;
    this.#worker = new Worker(WORKER, {
      type: "module",
      name: `capture ${number}`,
    });
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      this.#take(data);
      take(data, this);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      fail(new Error(`worker ${number}: ${event.message}`));
    };
  }

  post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  /** Waits for the next message of one of these kinds. */
  answer(...kinds: FromWorker["kind"][]): Promise<void> {
    return new Promise((resolve) => this.#awaited.push({ kinds, resolve }));
  }

  terminate(): void {
    this.#worker.terminate();
  }

  #take(message: FromWorker): void {
    switch (message.kind) {
      case "flushed":
      case "ended":
        this.statistics = message.statistics;
        // A flush that was asked for just before the end may be answered after it.
        this.hasEnded ||= message.kind === "ended";
        break;
      case "log":
        this.#say(message.level, message.message);
        break;
      case "failed":
        this.#fail(errorOf(message));
    }
    const isAnswered = ({ kinds }: { kinds: readonly string[] }) => kinds.includes(message.kind);
    const answered = this.#awaited.filter(isAnswered);
    this.#awaited = this.#awaited.filter((it) => !isAnswered(it));
    for (const { resolve } of answered) resolve();
  }

  /** What all of them have to say of an interface is said once. */
  #say(level: LogLevel, message: string): void {
    if (this.number === 0 || level === "error") this.#log[level](message);
    else this.#log.debug(`worker ${this.number}: ${message}`);
  }
}

/** @throws {UserError} when the worker's modules may not be read. */
function requirePermission(): void {
  if (mayReadModules(WORKER)) return;
  throw new UserError(
    `--workers: no permission to read ${fileURLToPath(WORKER)} and what it imports: ` +
      "run with --allow-read",
  );
}
