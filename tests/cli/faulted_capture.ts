import assert from "node:assert/strict";
import { join } from "node:path";
import type { LinkFault } from "../faulty_link.ts";
import { until } from "../namespaces.ts";
import { type Setting, startCapture } from "./capture_setting.ts";
import { HealthWatch } from "./health_watch.ts";
import { memoryOf } from "../process_status.ts";
import { CLIENTS, KEYS_PER_FLOW, NewFlows } from "./new_flows.ts";
import type { RunningProgram } from "./program.ts";
import type { RedisFault } from "./redis_faults.ts";
import { RedisInNamespace } from "./redis_in_namespace.ts";

const FLOWS_PER_SECOND = 500;
/** Where the sensor is asked how it is. */
export const METRICS_PLACE = "127.0.0.1:3048";
/** Seconds in which flows come before the fault and after it, at least. */
const BEFORE = 1;
const AFTER = 1;
/** How many keys may be on their way when a connection ends, and are written again: docs/redis.md. */
const KEYS_ON_THEIR_WAY = 4_000;
/** So many keys are asked for at once. */
const KEYS_AT_ONCE = 5_000;
/** What the sensor says of a Redis that can't be written to, and then can. */
const BEGIN = /^flosensor: warn(ing)?: Redis at .* (is away|refuses to be written to) \(/;
const END = /^flosensor: (info: )?Redis at .* is back after /;
/** What `/readyz` says of one, in one line. */
const WRONG = /^Redis at \S+ (is away|refuses to be written to) \([^\n]*\)\n$/;

/** A capture of new flows while something is wrong with its Redis. */
export class FaultedCapture {
  readonly redis: RedisInNamespace;
  readonly #setting: Setting;
  /** For how long something is wrong, in seconds. */
  readonly seconds: number;
  #program: RunningProgram | null = null;
  #link: Deno.ChildProcess | null = null;
  #linkInput: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>> | null = null;
  #holder: Deno.Conn | null = null;
  #health: HealthWatch | null = null;
  /** Keys that Redis had when it lost them all. */
  #emptied: string[] = [];

  private constructor(redis: RedisInNamespace, setting: Setting, seconds: number) {
    this.redis = redis;
    this.#setting = setting;
    this.seconds = seconds;
  }

  /** The sensor, once it runs. */
  get program(): RunningProgram {
    return this.#program!;
  }

  /** A file for the password of the user whose name is sensor. */
  get passwordFile(): string {
    return join(this.#setting.directory, "password");
  }

  readonly wait = (seconds: number = this.seconds): Promise<void> =>
    new Promise((resolve) => setTimeout(resolve, seconds * 1000));

  /** Starts a link to Redis that can go wrong, at a port of the namespace. */
  async startLink(port: number): Promise<void> {
    this.#link = this.#setting.pair.command(Deno.execPath(), [
      ...["run", "--quiet", "--no-config", "--allow-net"],
      ...[new URL("../faulty_link.ts", import.meta.url).pathname, String(port), "6379"],
    ], { stdin: "piped", stdout: "piped" }).spawn();
    this.#linkInput = this.#link.stdin.getWriter();
    const reader = this.#link.stdout.getReader();
    await reader.read();
    reader.releaseLock();
  }

  /** Has that link be as it is told. */
  async become(fault: LinkFault): Promise<void> {
    await this.#linkInput!.write(new TextEncoder().encode(JSON.stringify(fault) + "\n"));
  }

  /** Takes the place of all clients of Redis. */
  async takeAllPlaces(): Promise<void> {
    this.#holder = await Deno.connect({ transport: "unix", path: this.redis.socket });
    await this.#hold("CONFIG SET maxclients 1");
    await this.#hold("CLIENT KILL TYPE normal SKIPME yes");
  }

  async freePlaces(): Promise<void> {
    await this.#hold("CONFIG SET maxclients 1000");
    this.#holder!.close();
    this.#holder = null;
  }

  /** Ends Redis with all that it has, and starts it again without, after the fault's time. */
  async empty(): Promise<void> {
    // From here on nothing is written, so that it is known what there was.
    await this.redis.cli("CLIENT", "PAUSE", "60000", "WRITE");
    this.#emptied = await this.redis.keys();
    await this.redis.halt();
  }

  /**
   * Runs a capture with a fault, and sees that all is as it was promised.
   *
   * @param seconds For how long something is wrong.
   * @returns What was seen, in words.
   */
  static async with(setting: Setting, fault: RedisFault, seconds: number): Promise<string> {
    await using redis = await RedisInNamespace.start(setting.pair, fault.options);
    return await new FaultedCapture(redis, setting, seconds).#end(fault);
  }

  async #end(fault: RedisFault): Promise<string> {
    try {
      return await this.#run(fault);
    } finally {
      this.#holder?.close();
      await this.#health?.[Symbol.asyncDispose]();
      await this.#program?.[Symbol.asyncDispose]();
      await this.#linkInput?.close();
      await this.#link?.stdout.cancel();
      await this.#link?.status;
    }
  }

  async #run(fault: RedisFault): Promise<string> {
    const { pair, directory } = this.#setting;
    await fault.prepare?.(this);
    const args = [...fault.args ?? ["--redis", this.redis.url]];
    const hasPassword = await Deno.lstat(this.passwordFile).then(() => true, () => false);
    if (hasPassword) args.push("--redis-password-file", this.passwordFile);
    args.push("--metrics", METRICS_PLACE);
    this.#program = await startCapture(this.#setting, ["veth0", CLIENTS, ...args]);
    this.#health = await HealthWatch.start(pair, METRICS_PLACE);
    const count = FLOWS_PER_SECOND * (BEFORE + this.seconds + AFTER);
    const flows = await NewFlows.start(pair, directory, count, FLOWS_PER_SECOND);
    if (fault.isThereAtStart !== false) {
      await until(async () => Number(await this.redis.cli("DBSIZE")) > FLOWS_PER_SECOND / 10);
    }
    await fault.begin?.(this);
    if (fault.said !== null) await this.#says(fault.said);
    if (isSeen(fault)) await this.#health.says(503, fault.said!);
    await this.wait();
    await fault.end(this);
    if (isSeen(fault)) await this.#says(END);
    await this.#health.isReadyAgain();
    await flows.ended;
    return await this.#see(fault, count);
  }

  /** Waits for a line on standard error. */
  async #says(line: RegExp): Promise<void> {
    await until(() => this.program.stderr.split("\n").some((it) => line.test(it)))
      .catch((error) => {
        throw new Error(`${line}: ${this.program.stderr}`, { cause: error });
      });
  }

  async #see(fault: RedisFault, count: number): Promise<string> {
    const there = new Map(this.#emptied.map((key) => [key, 1]));
    const isThere = async () => {
      await this.#read(there, count);
      return there.size === KEYS_PER_FLOW * count;
    };
    await until(isThere).catch(() =>
      assert.fail(`${there.size} keys of ${count} flows: ${this.program.stderr}`)
    );
    const mostResident = memoryOf(this.program.pid, "VmHWM");
    const health = this.#seeHealth(fault);
    this.program.signal("SIGTERM");
    const { status, stderr } = await this.program.ended;
    assert.equal(status, 0, stderr);
    assert.match(stderr, new RegExp(`, 0 dropped by kernel, .* flows: ${count} \\(`), stderr);
    // A key may have been written again after it was found.
    const counts = new Map<string, number>();
    await this.#read(counts, count);
    const twice = [...counts.values()].reduce((sum, times) => sum + times - 1, 0);
    const begun = linesLike(stderr, BEGIN);
    const ended = linesLike(stderr, END);
    assert.ok(twice <= (fault.breaks ?? 0) * KEYS_ON_THEIR_WAY, `${twice} keys twice: ${stderr}`);
    if (!isSeen(fault)) {
      assert.deepEqual([begun, ended], [[], []], stderr);
    } else {
      // Where more is learnt of why, that is said as well.
      assert.ok(begun.length === 1 || begun.length === 2 && fault.said!.test(begun[1]), stderr);
      assert.equal(ended.length, 1, stderr);
    }
    return `${begun.length} and ${ended.length} lines; ${health}; ` +
      `${there.size} keys, ${twice} twice; ` +
      `${Math.round(mostResident / 2 ** 20)} MiB`;
  }

  /** @returns What was answered to probes, in words. */
  #seeHealth({ isSensorStopped = false, ...fault }: RedisFault): string {
    const { seen, troubles } = this.#health!;
    const text = JSON.stringify(seen);
    if (isSensorStopped) {
      // One of both may be asked before, or after.
      assert.ok(troubles.every(({ status }) => status === 0 || status === 200), text);
      return "no answer meanwhile";
    }
    // Something may be wrong with Redis, and never with the process.
    assert.ok(troubles.every(({ isAlive }) => isAlive), text);
    if (!isSeen(fault)) {
      assert.deepEqual(troubles, []);
      return "ready all the time";
    }
    assert.ok(troubles.every((it) => it.status === 503 && WRONG.test(it.text)), text);
    return `not ready: "${troubles.findLast((it) => fault.said!.test(it.text))!.text.trim()}"`;
  }

  /** Looks how often keys are there that were not found before. */
  async #read(counts: Map<string, number>, flows: number): Promise<void> {
    let keys: string[] = [];
    const ask = async () => {
      const values = (await this.redis.cli("MGET", ...keys)).split("\n");
      keys.forEach((key, i) => {
        if (values[i]) counts.set(key, Number(values[i]));
      });
      keys = [];
    };
    for (let flow = 0; flow < flows; flow++) {
      keys.push(...NewFlows.keys(flow).filter((key) => !counts.has(key)));
      if (keys.length >= KEYS_AT_ONCE) await ask();
    }
    if (keys.length > 0) await ask();
  }

  async #hold(command: string): Promise<void> {
    await this.#holder!.write(new TextEncoder().encode(`${command}\r\n`));
    await this.#holder!.read(new Uint8Array(64));
  }
}

/** Lines of a text that are like that. */
function linesLike(text: string, line: RegExp): string[] {
  return text.split("\n").filter((it) => line.test(it));
}

/** Whether something is wrong as long as it lasts, for whoever asks. */
function isSeen({ said, isSaidAtEnd = true }: RedisFault): boolean {
  return said !== null && isSaidAtEnd;
}
