import type { Log } from "../log.ts";
import { OBSERVATION_WORDS, type ObservationBatch } from "../model/observation_batch.ts";
import { UserError } from "../user_error.ts";
import { warnOfVisible } from "../visible_secret.ts";
import type { NameWrite } from "../dns/name_write.ts";
import type { Heartbeat } from "./heartbeat.ts";
import { HeartbeatWriter } from "./heartbeat_writer.ts";
import { Losses } from "./losses.ts";
import { openRedis } from "./open_redis.ts";
import { OwnSockets } from "./own_sockets.ts";
import { Patience } from "./patience.ts";
import type { PasswordSource } from "./password_source.ts";
import { PendingCounts } from "./pending_counts.ts";
import { PendingNames } from "./pending_names.ts";
import { RedisReplyError } from "./redis_connection.ts";
import type { RedisTarget } from "./redis_target.ts";
import { parseRedisUrl, type RedisAddress } from "./redis_url.ts";
import type { Sink } from "./sink.ts";
import { UnusableRedisError } from "./unusable_redis_error.ts";
import { CounterBatch, NameBatch, type PendingKeys, type WriteBatch } from "./write_batches.ts";
import { indexesFrom, type WriteOutcome } from "./write_outcome.ts";

/** How a {@linkcode RedisSink} goes about its work. */
export interface RedisSinkOptions {
  /** Time to live of every key, in seconds, set again at each write. */
  ttl: number;
  /**
   * A capture goes on without Redis and tries again for as long as it takes. A replay fails: at
   * once when Redis can't be used at its start, after half a minute when it goes away in between.
   */
  mode: "capture" | "replay";
  /**
   * How many different keys may wait. Beyond that, the oldest is dropped and counted.
   * @default {1_000_000}
   */
  maxPendingKeys?: number;
  /**
   * Where the user wrote the URL, for messages.
   * @default {"--redis"}
   */
  place?: string;
  /** Holds the password. */
  passwordFile?: PasswordSource;
}

/** The place of a URL on the command line. */
const COMMAND_LINE = "--redis";
const DEFAULT_MAX_PENDING_KEYS = 1_000_000;
/** Keys with names may be a fifth of those: they are text, and need that much more memory. */
const NAMES_PART = 1 / 5;

/** Measured on loopback: fewer keys a call cost round trips, more only hold others up for longer. */
const KEYS_PER_CALL = 1_000;
/**
 * A call that is answered within the first has the next ones be of more keys, and one that takes longer
 * than the second of fewer, in milliseconds: a link may be so slow, or be cut so often, that 1,000 keys
 * would never get through.
 */
const QUICK_CALL = 2_000;
const SLOW_CALL = 5_000;
/** By how much fewer keys a call has after a connection ended without an answer to all calls. */
const FEWER = 4;
/** Enough for each server to keep it busy while its answers travel and the next keys' text is made. */
const CALLS_IN_FLIGHT = 4;
/** Pauses between attempts to reach Redis, in milliseconds: the first, doubled up to the last. */
const FIRST_PAUSE = 100;
const LAST_PAUSE = 10_000;
/** The last one where a part of a cluster is away: replicas take a master's place within seconds. */
const LAST_PAUSE_OF_PART = 1_000;
/** How long, in milliseconds, a replay waits for a Redis that went away: a restart takes seconds. */
const REPLAY_PATIENCE = 30_000;
/** So many pending keys are written without a flush: Redis is not to be idle until the next one. */
const MANY_KEYS = 10 * KEYS_PER_CALL;
/** For how long, in milliseconds, Redis has been back when that is said: it may come and go. */
const SETTLED = 2_000;
/** How often it is said at most, in milliseconds, that Redis is away for another reason of a kind. */
const ABSENCE_PAUSE = 60_000;

/** What is known of a Redis that can't be written to. */
interface Absence {
  readonly since: number;
  /** When it began with those before it that are said as one with it, in a link that comes and goes. */
  readonly saidSince: number;
  error: Error;
  /** Host and port of the part that can't be written to; `null` where nothing can. */
  where: string | null;
  /** Which error was said, and when. */
  said: Error | null;
  saidAt: number;
}

/** Reasons for losses. */
const SLOWER = "it takes fewer than the traffic brings";
const REFUSED_KEYS = "it refused their keys";
const WHILE_AWAY = "too many were waiting while it was away";
const WHILE_REFUSING = "too many were waiting while it refused to be written to";

/**
 * Writes each observation's key to Redis: a counter, raised by 1, with its time to live. Keys that
 * have names get each of them once.
 *
 * What is pending is kept as numbers, each key once, within a bound. A batch whose answer did not
 * arrive is written again: the count may then be too high, which only means more observations, but a
 * key that is missing would mean a flow that was never seen.
 */
export class RedisSink implements Sink {
  readonly name = "redis";
  /** The sensor's own connections to Redis. */
  readonly sockets = new OwnSockets();

  #address: RedisAddress;
  readonly #options: RedisSinkOptions;
  readonly #log: Log;
  readonly #pending: PendingCounts;
  readonly #pendingNames: PendingNames;
  /** What waits for a part of a cluster to be back. */
  readonly #parked: PendingKeys;
  /** How many of the pending keys, and of those with names, a flush has asked for. */
  #toFlush = 0;
  #namesToFlush = 0;
  readonly #spareBatches: CounterBatch[] = [];

  #target: RedisTarget | null = null;
  #absence: Absence | null = null;
  /** It can be written to again, which was not said yet. */
  #return: {
    readonly absence: Absence;
    readonly text: string;
    readonly timer: ReturnType<typeof setTimeout>;
  } | null = null;
  /** Whether a part of a cluster can't be written to, as far as is known. */
  #missesPart = false;
  #pause = FIRST_PAUSE;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #isRetrying = false;
  #willMend = false;
  readonly #closing = new AbortController();
  readonly #patience = new Patience();
  #closed: Promise<void> | undefined;
  /** What ended a replay. */
  #failure: UserError | null = null;

  /** How many keys a call has at most. */
  #keysPerCall = KEYS_PER_CALL;
  #callsInFlight = 0;
  #keysInFlight = 0;
  #observationsInFlight = 0;
  #written = 0;
  #writtenKeys = 0;
  #refusedKeys = 0;
  readonly #losses: Losses;
  #heartbeats: HeartbeatWriter | null = null;
  #isClosed = false;
  #saidNoScripts = false;
  /** Resolved when something happened that a flush waits for. */
  #change = Promise.withResolvers<void>();

  private constructor(address: RedisAddress, options: RedisSinkOptions, log: Log) {
    this.#address = address;
    this.#options = { ...options };
    this.#log = log;
    this.#losses = new Losses(`Redis at ${address.text}`, "observations", log);
    const maxPendingKeys = options.maxPendingKeys ?? DEFAULT_MAX_PENDING_KEYS;
    this.#pending = new PendingCounts(maxPendingKeys);
    const maxPendingNames = Math.ceil(maxPendingKeys * NAMES_PART);
    this.#pendingNames = new PendingNames(maxPendingNames);
    this.#parked = {
      counts: new PendingCounts(maxPendingKeys),
      names: new PendingNames(maxPendingNames),
    };
  }

  /**
   * Connects to the Redis at `url` (see `parseRedisUrl`).
   *
   * @throws {UserError} when the URL or its password's file is wrong, or Redis refuses us, and in a replay also when it
   * can't be reached.
   */
  static async connect(url: string, options: RedisSinkOptions, log: Log): Promise<RedisSink> {
    const place = options.place ?? COMMAND_LINE;
    const address = parseRedisUrl(url, place, options.passwordFile);
    options.passwordFile?.read();
    // As redis-cli warns of one.
    if (address.password !== undefined && options.place === COMMAND_LINE) {
      warnOfVisible(place, "its password", "--redis-password-file", log);
    }
    const sink = new RedisSink(address, options, log);
    try {
      await sink.#open();
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof UserError) throw error;
      if (error instanceof UnusableRedisError) {
        throw new UserError(`Redis at ${address.text}: ${message}${error.remedy}`);
      }
      if (error instanceof RedisReplyError && !error.isPassing) {
        throw new UserError(
          `Redis at ${address.text} refuses us (${message}): ${remedyFor(message, place)}`,
        );
      }
      if (options.mode === "replay") {
        throw new UserError(
          `Redis at ${address.text} can't be used (${message}): start it, name another one with ` +
            "--redis URL, or leave it out with --no-redis",
        );
      }
      sink.#goAway(error as Error);
    }
    return sink;
  }

  get pending(): number {
    if (this.#isClosed) return 0;
    const { counts, names } = this.#parked;
    const parked = counts.total + names.total;
    return this.#pending.total + this.#pendingNames.total + this.#observationsInFlight + parked;
  }

  get written(): number {
    return this.#written;
  }

  /** Of names: counters need as much each, and are bounded by their number. */
  get pendingBytes(): number {
    return this.#pendingNames.bytes + this.#parked.names.bytes;
  }

  /** How many different keys are pending. */
  get pendingKeys(): number {
    return this.#writableKeys + this.#parkedKeys;
  }

  /** How many of them wait for nothing but their turn. */
  get #writableKeys(): number {
    return this.#pending.size + this.#pendingNames.size + this.#keysInFlight;
  }

  get #parkedKeys(): number {
    return this.#parked.counts.size + this.#parked.names.size;
  }

  /** How many keys were written up to now, a key each time it was. */
  get writtenKeys(): number {
    return this.#writtenKeys;
  }

  /** How many observations were given up: too many were pending, or Redis refused their keys. */
  get lost(): number {
    return this.#losses.total;
  }

  /** Whether Redis can't be written to at the moment. */
  get isAway(): boolean {
    return this.#absence !== null;
  }

  get trouble(): string | null {
    if (this.#absence === null) return null;
    const [what] = absenceWords(this.#absence.error);
    return `${this.#shown(this.#absence)} ${what} (${this.#absence.error.message})`;
  }

  /** Sets the time to live of all keys written from now on, in seconds. */
  set ttl(seconds: number) {
    this.#options.ttl = seconds;
  }

  /**
   * Has it say from now on that a sensor is there, and how it does.
   *
   * @param name The sensor's.
   * @param make Says it, with whether it has ended.
   */
  setHeartbeat(name: string, make: (isOver: boolean) => Heartbeat): void {
    this.#heartbeats = new HeartbeatWriter(name, make, () => this.#target, this.#log);
  }

  write(batch: ObservationBatch): void {
    let dropped = 0;
    for (let i = 0; i < batch.count; i++) {
      dropped += this.#pending.add(batch.words, i * OBSERVATION_WORDS, 1);
    }
    this.#drop(dropped);
    if (this.#pending.size < MANY_KEYS) return;
    this.#toFlush = this.#pending.size;
    this.#pump();
  }

  writeNames(writes: readonly NameWrite[]): void {
    let dropped = 0;
    for (const write of writes) dropped += this.#pendingNames.add(write);
    this.#drop(dropped);
  }

  /**
   * Writes what is pending now. In a capture it returns at once while Redis is away, and does not wait
   * for a part of it that is.
   *
   * @throws {UserError} in a replay, when Redis refuses, or was away for half a minute.
   */
  async flush(): Promise<void> {
    const isCapture = this.#options.mode === "capture";
    await this.#drain(() => {
      if (this.#failure !== null) throw this.#failure;
      if (this.#patience.hasBegun) return false;
      if (this.#absence === null) return true;
      if (isCapture) return this.#target !== null;
      if (performance.now() - this.#absence.since < REPLAY_PATIENCE) return true;
      throw this.#fail(this.#absence.error.message);
    }, () => isCapture ? this.#writableKeys : this.pendingKeys);
  }

  hurry(): void {
    this.#patience.begin();
    this.#signal();
  }

  /**
   * Writes what is pending, for a few seconds at most, and closes the connection.
   *
   * @throws {UserError} that says how many observations were lost, in the whole run.
   */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  abandon(reason: string): UserError | null {
    if (!this.#isClosed) this.#end(reason);
    return this.#lossError();
  }

  async #close(): Promise<void> {
    this.hurry();
    this.#patience.over.then(() => this.#signal());
    this.#pause = FIRST_PAUSE;
    const isIdle = this.#target === null && this.#failure === null && !this.#isRetrying;
    if (isIdle && this.pending > 0) this.#retryAfter(0);
    if (this.#missesPart) this.#mendAfterPause();
    await this.#drain(
      () => this.#failure === null && !this.#patience.isOver && !this.#isClosed,
      () => this.pendingKeys,
    );
    await this.#patience.wait(this.#heartbeats?.end() ?? Promise.resolve());
    if (!this.#isClosed) this.#end(this.#absence?.error.message ?? "no answer in time");
    const error = this.#lossError();
    if (error !== null) throw error;
  }

  /** Gives back what it holds. @param reason Why what is pending is given up. */
  #end(reason: string): void {
    this.#patience.end();
    this.#heartbeats?.close();
    clearTimeout(this.#retryTimer);
    this.#closing.abort();
    this.#sayReturn();
    this.#losses.add(this.pending, reason);
    this.#losses.close();
    this.#isClosed = true;
    this.#target?.destroy();
    this.#target = null;
    this.#signal();
  }

  #drop(count: number): void {
    if (count === 0) return;
    const absence = this.#absence;
    if (absence === null) this.#losses.add(count, SLOWER);
    else {
      const reason = isRefusal(absence.error) ? WHILE_REFUSING : WHILE_AWAY;
      this.#losses.add(count, reason, absence.error.message);
    }
  }

  /**
   * Writes until everything that is pending now is dealt with, or until `goesOn` says no.
   *
   * @param waiting How many keys there are that are waited for.
   */
  async #drain(goesOn: () => boolean, waiting: () => number): Promise<void> {
    // Keys that come while this goes on are for the next flush.
    let left = waiting();
    this.#makeAllDue();
    while (left > 0 && goesOn()) {
      const before = this.#writtenKeys + this.#refusedKeys;
      const change = this.#change.promise;
      this.#pump();
      await change;
      left -= this.#writtenKeys + this.#refusedKeys - before;
      left = Math.min(left, waiting());
    }
  }

  #makeAllDue(): void {
    this.#toFlush = this.#pending.size;
    this.#namesToFlush = this.#pendingNames.size;
  }

  #pump(): void {
    // Of what is on its way when a connection ends nobody knows whether it was written.
    const servers = this.#target?.servers.length ?? 0;
    const most = this.#keysPerCall < KEYS_PER_CALL ? 1 : CALLS_IN_FLIGHT * servers;
    while (this.#target !== null && this.#callsInFlight < most) {
      const batch = this.#takeNames() ?? this.#takeCounters();
      if (batch === null) return;
      this.#send(this.#target, batch);
    }
  }

  #takeNames(): WriteBatch | null {
    if (this.#namesToFlush === 0) return null;
    const batch = new NameBatch(
      this.#pendingNames,
      Math.min(this.#namesToFlush, this.#keysPerCall),
    );
    this.#namesToFlush = batch.size === 0 ? 0 : this.#namesToFlush - batch.size;
    return batch.size === 0 ? null : batch;
  }

  #takeCounters(): WriteBatch | null {
    if (this.#toFlush === 0) return null;
    const batch = this.#spareBatches.pop() ?? new CounterBatch(this.#pending, KEYS_PER_CALL);
    batch.fill(Math.min(this.#toFlush, this.#keysPerCall));
    this.#toFlush = batch.size === 0 ? 0 : this.#toFlush - batch.size;
    if (batch.size > 0) return batch;
    this.#spareBatches.push(batch);
    return null;
  }

  async #send(target: RedisTarget, batch: WriteBatch): Promise<void> {
    const { size, observations } = batch;
    this.#callsInFlight++;
    this.#keysInFlight += size;
    this.#observationsInFlight += observations;
    let undone: readonly number[] = indexesFrom(0, size);
    let isForPart = false;
    const begin = performance.now();
    try {
      const outcome = await batch.write(target.writers, String(this.#options.ttl));
      // What was on its way at the end was counted as lost.
      if (this.#isClosed) return;
      undone = outcome.undone;
      this.#adapt(performance.now() - begin);
      this.#account(outcome, batch);
      const { fault, where = null } = outcome;
      isForPart = fault !== null && target === this.#target && target.isPartlyUsable;
      if (isForPart) this.#missPart(fault!, where);
      else if (fault !== null) this.#leave(target, fault);
      else this.#comeBack();
    } catch (error) {
      this.#leave(target, error as Error);
    }
    if (this.#isClosed) return;
    this.#callsInFlight--;
    this.#keysInFlight -= size;
    this.#observationsInFlight -= observations;
    this.#putBack(batch, undone, isForPart);
    this.#pump();
    this.#signal();
  }

  /** @param took For how long, in milliseconds, a call waited for its answer. */
  #adapt(took: number): void {
    const keys = this.#keysPerCall;
    if (took < QUICK_CALL) this.#keysPerCall = Math.min(2 * keys, KEYS_PER_CALL);
    else if (took > SLOW_CALL) this.#keysPerCall = Math.ceil(keys / 2);
  }

  #account({ undone, refused, reason }: WriteOutcome, batch: WriteBatch): void {
    this.#writtenKeys += batch.size - undone.length - refused.length;
    let observations = batch.observations;
    for (const i of undone) observations -= batch.observationsAt(i);
    let refusedObservations = 0;
    for (const i of refused) refusedObservations += batch.observationsAt(i);
    this.#written += observations - refusedObservations;
    if (refused.length === 0) return;
    this.#losses.add(refusedObservations, REFUSED_KEYS, reason);
    if (this.#refusedKeys === 0) {
      this.#log.warn(
        `Redis at ${this.#address.text} refuses the key ${batch.keyAt(refused[0])} (${reason}): ` +
          "it is left out, as will be others like it",
      );
      this.#losses.noteSaid(REFUSED_KEYS);
    }
    this.#refusedKeys += refused.length;
  }

  /**
   * Makes what was not done of a batch pending again.
   *
   * @param isForPart Whether it has to wait for a part of a cluster.
   */
  #putBack(batch: WriteBatch, undone: readonly number[], isForPart: boolean): void {
    const pending = { counts: this.#pending, names: this.#pendingNames };
    this.#drop(batch.putBack(undone, isForPart ? this.#parked : pending));
    const due = isForPart ? 0 : undone.length;
    if (batch instanceof CounterBatch) {
      this.#toFlush += due;
      this.#spareBatches.push(batch);
    } else {
      this.#namesToFlush += due;
    }
  }

  async #open(): Promise<void> {
    const target = await openRedis(this.#address, {
      sockets: this.sockets,
      signal: this.#closing.signal,
      onNoScripts: (reason) => this.#sayNoScripts(reason),
    });
    target.onClosed = (error) => this.#leave(target, error);
    target.onPartLost = (error, where) => this.#missPart(error, where);
    this.#target = target;
  }

  #sayNoScripts(reason: string): void {
    if (this.#saidNoScripts) return;
    this.#saidNoScripts = true;
    this.#log.info(
      `Redis at ${this.#address.text} does not let us use scripts (${reason}): keys are written ` +
        "by single commands, which is slower",
    );
  }

  /** Gives a connection up because of an error, unless that was done already. */
  #leave(target: RedisTarget, error: Error): void {
    if (target !== this.#target) return;
    if (error instanceof RedisReplyError) {
      // A server that does not say what it is: it is a node of a cluster.
      const { nodes = [this.#address] } = this.#address;
      if (error.isOfCluster) this.#address = { ...this.#address, nodes };
    } else if (this.#callsInFlight > 0) this.#keysPerCall = Math.ceil(this.#keysPerCall / FEWER);
    this.#goAway(error);
    this.#failReplay(error);
  }

  #goAway(error: Error): void {
    this.#target?.destroy();
    this.#target = null;
    this.#missesPart = this.#willMend = false;
    this.#unpark();
    this.#beAway(error, null);
    this.#retryAfter(this.#pause);
    this.#pause = Math.min(2 * this.#pause, LAST_PAUSE);
    this.#signal();
  }

  /** Keys of a part of a cluster can't be written, and those of others can. */
  #missPart(error: Error, where: string | null): void {
    this.#missesPart = true;
    this.#beAway(error, where);
    if (!this.#willMend) this.#mendAfterPause();
    this.#failReplay(error);
  }

  #beAway(error: Error, where: string | null): void {
    this.#absence ??= this.#beginAbsence(error);
    this.#absence.error = error;
    this.#absence.where = where;
    this.#sayAbsence(this.#absence);
  }

  #mendAfterPause(): void {
    clearTimeout(this.#retryTimer);
    if (this.#closing.signal.aborted) return;
    this.#willMend = true;
    this.#retryTimer = setTimeout(() => this.#mend(), this.#pause);
    const isRefused = this.#absence !== null && isRefusal(this.#absence.error);
    const last = isRefused ? LAST_PAUSE : LAST_PAUSE_OF_PART;
    this.#pause = Math.min(2 * this.#pause, last);
  }

  /** Tries what could not be written because of a part of a cluster. */
  async #mend(): Promise<void> {
    const target = this.#target;
    if (target === null) return;
    let isWhole = false;
    try {
      isWhole = await target.mend();
    } catch (error) {
      this.#leave(target, error as Error);
    }
    if (this.#isClosed || target !== this.#target) return;
    this.#willMend = false;
    if (isWhole) {
      this.#missesPart = false;
      this.#unpark();
      this.#makeAllDue();
      if (this.#toFlush + this.#namesToFlush === 0) this.#comeBack();
      this.#pump();
    }
    if (this.#absence !== null && !this.#willMend) this.#mendAfterPause();
    this.#signal();
  }

  /** Has what waited for a part wait with all others. */
  #unpark(): void {
    const { counts, names } = this.#parked;
    const pending = { counts: this.#pending, names: this.#pendingNames };
    const move = (batch: WriteBatch) =>
      this.#drop(batch.putBack(indexesFrom(0, batch.size), pending));
    if (names.size > 0) move(new NameBatch(names, names.size));
    const batch = new CounterBatch(counts, KEYS_PER_CALL);
    while (counts.size > 0) {
      batch.fill(KEYS_PER_CALL);
      move(batch);
    }
  }

  /** One that begins before it was said that the last one ended is a part of that, in what is said. */
  #beginAbsence(error: Error): Absence {
    const since = performance.now();
    const before = this.#return?.absence ??
      { saidSince: since, said: null, saidAt: 0, where: null };
    clearTimeout(this.#return?.timer);
    this.#return = null;
    return { ...before, since, error };
  }

  /** A Redis that is away for another reason than was said may need to be mended in another way. */
  #sayAbsence(absence: Absence): void {
    const { error, said } = absence;
    const { message } = error;
    const now = performance.now();
    if (said !== null) {
      const isNewKind = mayBeMended(error) && !mayBeMended(said);
      const isDue = message !== said.message && now - absence.saidAt > ABSENCE_PAUSE;
      if (!isNewKind && !isDue) return;
    }
    absence.said = error;
    absence.saidAt = now;
    const [what, until] = absenceWords(error);
    this.#log.warn(
      `${this.#shown(absence)} ${what} (${message}): keys are kept until ${until}, ` +
        `${this.pendingKeys} are waiting`,
    );
  }

  /** What is away. */
  #shown({ where }: Absence): string {
    const redis = `Redis at ${this.#address.text}`;
    return where === null ? redis : `${redis}: its node ${where}`;
  }

  #retryAfter(pause: number): void {
    clearTimeout(this.#retryTimer);
    if (this.#closing.signal.aborted) return;
    this.#retryTimer = setTimeout(() => this.#retry(), pause);
  }

  async #retry(): Promise<void> {
    this.#isRetrying = true;
    try {
      await this.#open();
    } catch (error) {
      this.#isRetrying = false;
      if (this.#closing.signal.aborted) return;
      this.#goAway(error as Error);
      this.#failReplay(error as Error);
      return;
    }
    this.#isRetrying = false;
    // A Redis that answers may still refuse to be written to: it is back when it was written to.
    this.#makeAllDue();
    if (this.#toFlush + this.#namesToFlush === 0) this.#comeBack();
    this.#pump();
    this.#signal();
  }

  #comeBack(): void {
    if (this.#missesPart || this.#parkedKeys > 0) return;
    this.#pause = FIRST_PAUSE;
    if (this.#absence === null) return;
    const absence = this.#absence;
    const seconds = Math.ceil((performance.now() - absence.saidSince) / 1000);
    const text = `Redis at ${this.#address.text} is back after ${seconds} s: writing the ` +
      `${this.pendingKeys} keys that waited`;
    this.#absence = null;
    this.#return = { absence, text, timer: setTimeout(() => this.#sayReturn(), SETTLED) };
  }

  #sayReturn(): void {
    if (this.#return === null) return;
    clearTimeout(this.#return.timer);
    this.#log.info(this.#return.text);
    this.#return = null;
  }

  /** Ends a replay because of an error that will not pass by itself. */
  #failReplay(error: Error): void {
    if (this.#options.mode !== "replay") return;
    if (isLasting(error)) this.#fail(error.message);
    this.#signal();
  }

  #fail(reason: string): UserError {
    clearTimeout(this.#retryTimer);
    return this.#failure ??= new UserError(
      `Redis at ${this.#address.text} can't be written to (${reason}): ${this.pending} ` +
        "observations were not written",
    );
  }

  #lossError(): UserError | null {
    const text = this.#losses.text();
    return text === null ? null : new UserError(text);
  }

  #signal(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }
}

/** What is wrong with a server, and until when. */
function absenceWords(error: Error): readonly [what: string, until: string] {
  return isRefusal(error)
    ? ["refuses to be written to", "it takes them"]
    : ["is away", "it is back"];
}

/** Whether an error says that the server is there and healthy, and does not want what we have. */
function isRefusal(error: Error): boolean {
  return error instanceof RedisReplyError && !error.isPassing;
}

/** Whether an error will stay until somebody mends something. */
function isLasting(error: Error): boolean {
  return error instanceof UnusableRedisError || error instanceof UserError || isRefusal(error);
}

/** Whether somebody should know of an error, who can mend something. */
function mayBeMended(error: Error): boolean {
  return isLasting(error) || error instanceof RedisReplyError && error.isOfFull;
}

/** What to do about a server that refuses us. @param place Where the user wrote its URL. */
function remedyFor(message: string, place: string): string {
  return message.startsWith("DENIED")
    ? 'give it a password, or set "protected-mode no" there'
    : `mend user, password or database in ${place}`;
}
