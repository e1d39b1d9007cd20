import assert from "node:assert/strict";
import { UNIT_MEMORY } from "../memory_limit.ts";
import { type Setting, startCapture } from "./capture_setting.ts";
import { FaultedCapture, METRICS_PLACE } from "./faulted_capture.ts";
import { HealthWatch } from "./health_watch.ts";
import { memoryOf } from "../process_status.ts";
import { CLIENTS, KEYS_PER_FLOW, NewFlows } from "./new_flows.ts";
import { REDIS_FAULTS, type RedisFault } from "./redis_faults.ts";
import { RedisInNamespace } from "./redis_in_namespace.ts";

/** A capture of new flows with something wrong with Redis. */
export interface RedisTrial {
  readonly name: string;
  /** What a user may rely on. */
  readonly promise: string;
  /** Seconds that it has to last, to be what it is. */
  readonly least: number;
  /** @returns What was seen, in words. */
  readonly run: (setting: Setting, seconds: number) => Promise<string>;
}

/** Flows of which more keys are waited with than there is room for, which is a million. */
const TOO_MANY = 300_000;
/** So many flows come in a second that the kernel does not drop any. */
const FAST = 50_000;
const FEW = 1_000;

/** All of them. */
export const REDIS_TRIALS: readonly RedisTrial[] = [
  ...REDIS_FAULTS.map((fault) => ({
    name: fault.name,
    promise: promiseOf(fault),
    least: fault.least ?? 0,
    run: (setting: Setting, seconds: number) =>
      FaultedCapture.with(setting, fault, Math.min(seconds, fault.most ?? seconds)),
  })),
  {
    name: "frozen when the sensor is ended",
    promise: "it has ended within 5 s, and says what is lost",
    least: 0,
    run: endFrozen,
  },
  {
    name: "away until too much waits",
    promise: "a million keys are kept, what is beyond is counted with its reason",
    least: 10,
    run: exceed,
  },
];

function promiseOf({ said, isSaidAtEnd = true, breaks = 0 }: RedisFault): string {
  const lines = said === null
    ? "not a word is said"
    : isSaidAtEnd
    ? "a line when it begins, one when it ends"
    : "one line";
  return `all keys arrive, ${breaks > 0 ? "some twice" : "none twice"}; ${lines}`;
}

async function endFrozen(setting: Setting): Promise<string> {
  await using redis = await RedisInNamespace.start(setting.pair);
  await using program = await startCapture(setting, [
    ...["veth0", CLIENTS, "--redis", redis.url, "--stats", "1", "--metrics", METRICS_PLACE],
  ]);
  await using health = await HealthWatch.start(setting.pair, METRICS_PLACE);
  redis.freeze();
  const flows = await NewFlows.start(setting.pair, setting.directory, FEW, FEW);
  await flows.ended;
  await program.says(` flows: ${FEW} (`);
  const begin = performance.now();
  program.signal("SIGTERM");
  await health.says(503, /^flosensor is stopping\n$/);
  const { status, stderr } = await program.ended;
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  assert.equal(status, 1, stderr);
  const lost = KEYS_PER_FLOW * FEW;
  const said = `error: Redis at ${redis.url}: ${lost} observations were lost (${lost}: no answer`;
  assert.equal(stderr.split(said).length, 2, stderr);
  return `ended after ${seconds} s, not ready: "flosensor is stopping"; ${lost} keys lost, as it said`;
}

async function exceed(setting: Setting): Promise<string> {
  await using redis = await RedisInNamespace.start(setting.pair);
  await using program = await startCapture(setting, [
    ...["veth0", CLIENTS, "--redis", redis.url, "--stats", "1", "--buffer", "64"],
    ...["--metrics", METRICS_PLACE],
  ]);
  await using health = await HealthWatch.start(setting.pair, METRICS_PLACE);
  await redis.halt();
  await program.says("is away (");
  await health.says(503, /^Redis at \S+ is away \(/);
  const flows = await NewFlows.start(setting.pair, setting.directory, TOO_MANY, FAST);
  await flows.ended;
  await program.says(` flows: ${TOO_MANY} (`);
  await program.says("observations were lost (");
  await redis.run();
  await program.says("is back after");
  await program.says(" written, 0 queued, ");
  await health.isReadyAgain();
  const mostResident = memoryOf(program.pid, "VmHWM");
  program.signal("SIGTERM");
  const { status, stderr } = await program.ended;
  assert.equal(status, 1, stderr);
  const reason = "too many were waiting while it was away: ";
  const said = new RegExp(
    `error: .*: (\\d+) observations were lost \\(\\1: ${reason}[^;]*\\)$`,
    "m",
  );
  const lost = said.exec(stderr)?.[1];
  assert.ok(lost !== undefined, stderr);
  const ofSensors = await redis.cli("--scan", "--pattern", "sensor;*");
  const there = Number(await redis.cli("DBSIZE")) - (ofSensors === "" ? 0 : 1);
  assert.match(stderr, /, 0 dropped by kernel, /);
  assert.equal(there + Number(lost), KEYS_PER_FLOW * TOO_MANY, stderr);
  assert.ok(mostResident < UNIT_MEMORY, `${mostResident} bytes of ${UNIT_MEMORY}`);
  return `${KEYS_PER_FLOW * TOO_MANY} keys: ${there} arrived, ${lost} were lost, as it said; ` +
    `${Math.round(mostResident / 2 ** 20)} MiB`;
}
