/**
 * Has the program take what nobody meant: captures that are changed in their packets and in their
 * structure, messages, configurations, requests: `deno task fuzz [--seconds N] [--seed S] [--target NAME]
 * [files…]`.
 *
 * What fails is made smaller and kept in tests/fuzz/found.json, which tests read. Which branches were
 * taken is counted in a copy of the program (build/fuzz), and what took new ones is changed further.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { WRONG_USAGE } from "../../src/user_error.ts";
import { sharedCapture } from "../shared_captures.ts";
import { refuseWords, taskWords } from "../task_words.ts";
import type { Branch } from "./count_branches.ts";
import { makeCountedBuild } from "./counted_build.ts";
import type { FuzzOrder, FuzzState } from "./fuzz_child.ts";
import type { FoundFailure } from "./fuzz_run.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BUILD = `${ROOT}build/fuzz`;
/** What found inputs are kept in. */
const FOUND = `${ROOT}tests/fuzz/found.json`;
const CURRENT = `${ROOT}build/fuzz-input`;
/** For files of configurations and lines of JSON. */
const TEMPORARY = `${ROOT}build/fuzz-files`;
/** Not taken, one in a line. */
const LEFT = `${ROOT}build/fuzz-branches.txt`;
const DEFAULT_SECONDS = 60;
/** A program that says nothing for so long, in milliseconds, hangs. */
const HANG = 120_000;
const MINUTE = 60_000;
const MEBIBYTE = 1_048_576;
/** Resident memory is compared from when everything was used once: a tenth of the time. */
const WARM = 0.1;

const USAGE = "deno task fuzz [--seconds 60] [--seed 1] [--target NAME] [FILE...]";
const { values, positionals } = taskWords(USAGE, {
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: String(DEFAULT_SECONDS) },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    target: { type: "string", multiple: true, default: [] },
  },
});
const seconds = Number(values.seconds);
const seed = Number(values.seed);
if (!(seconds > 0) || !Number.isInteger(seed)) {
  refuseWords(USAGE, "--seconds and --seed take a number");
}

/** Captures below a folder, or a file itself. */
function capturesIn(path: string): string[] {
  if (!existsSync(path)) refuseWords(USAGE, `${path}: there is no such file`);
  if (!Deno.statSync(path).isDirectory) return [path];
  return [...Deno.readDirSync(path)].map(({ name }) => `${path}/${name}`).sort();
}

const places = positionals.length > 0
  ? positionals
  : ["pcap", "encapsulated/pcap"].map(sharedCapture).filter((folder) => existsSync(folder));
const captures = places.flatMap(capturesIn);
console.log(`seed ${seed}, ${seconds} s, ${captures.length} captures`);
const branches = await makeCountedBuild(BUILD);
await Deno.mkdir(TEMPORARY, { recursive: true });
console.log(`${branches.length} branches are counted`);

const order: FuzzOrder = { seed, seconds, captures, targets: values.target, current: CURRENT };
const child = new Deno.Command(Deno.execPath(), {
  args: [
    ...["run", "--quiet", "--no-prompt", "--no-check", "--config", `${BUILD}/deno.json`],
    // It runs configurations that are changed at random.
    ...["--allow-read", `--allow-write=${CURRENT},${TEMPORARY}`, "--allow-net=127.0.0.1"],
    ...["--allow-env", "--allow-sys", "--allow-run=redis-server"],
    ...["--lock", `${BUILD}/tools/deno.lock`, `${BUILD}/tests/fuzz/fuzz_child.ts`],
    JSON.stringify(order),
  ],
  cwd: BUILD,
  env: { TMPDIR: TEMPORARY },
  stdout: "piped",
}).spawn();

const reached = new Set<number>();
const failures: FoundFailure[] = [];
const resident: number[] = [];
let state: FuzzState | null = null;
let hangs = false;
let saidAt = performance.now();
let alarm = setTimeout(noteHang, HANG);

function noteHang(): void {
  hangs = true;
  child.kill("SIGKILL");
}

let rest = "";
for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
  clearTimeout(alarm);
  alarm = setTimeout(noteHang, HANG);
  const lines = (rest + text).split("\n");
  rest = lines.pop()!;
  for (const line of lines) {
    state = JSON.parse(line) as FuzzState;
    for (const branch of state.reached) reached.add(branch);
    resident.push(state.resident);
    sayProgress(state);
    for (const failure of state.failures) {
      failures.push(failure);
      const { target, number, error } = failure;
      console.log(`FAILED: ${target} ${number}, seed ${seed}\n${error}`);
    }
  }
}
clearTimeout(alarm);
const { code, signal } = await child.status;
// It has said what it was called with wrongly.
if (code === WRONG_USAGE && state === null) Deno.exit(WRONG_USAGE);
if (code !== 0) {
  failures.push({
    ...{ target: state?.target ?? "", seed, number: state?.number ?? 0 },
    error: hangs ? "it hangs" : `it ended with ${signal ?? code}`,
    input: existsSync(CURRENT) ? Deno.readFileSync(CURRENT).toBase64() : "",
  });
  console.log(`FAILED: ${failures.at(-1)!.error}: ${CURRENT} has the input`);
}

if (failures.length > 0) {
  const before: FoundFailure[] = JSON.parse(await Deno.readTextFile(FOUND));
  const all = JSON.stringify([...before, ...failures], null, 2);
  await Deno.writeTextFile(FOUND, `${all}\n`);
  console.log(`kept in ${FOUND}`);
}
sayCoverage(branches);
for (const [name, given] of Object.entries(state?.given ?? {})) {
  console.log(`${name}: ${Object.entries(given).map(([what, n]) => `${n} ${what}`).join(", ")}`);
}
const warm = resident.slice(Math.floor(resident.length * WARM));
const inMebibytes = (bytes: number) => Math.round(bytes / MEBIBYTE);
const middle = warm.length >> 1;
const most = (from: number, to: number) => inMebibytes(Math.max(...warm.slice(from, to)));
console.log(
  `resident memory: at most ${most(0, middle)} MiB in the first half, ` +
    `${most(middle, warm.length)} MiB in the second`,
);
console.log(`${state?.cases ?? 0} inputs, ${failures.length} failures, seed ${seed}`);
Deno.exit(failures.length > 0 ? 1 : 0);

/** Once a minute. */
function sayProgress({ cases, given }: FuzzState): void {
  const now = performance.now();
  if (now < saidAt + MINUTE) return;
  saidAt = now;
  const texts = Object.entries(given).map(([name, counts]) =>
    `${Object.values(counts)[0]} ${name}`
  );
  const { length } = failures;
  console.log(
    `${cases} inputs (${texts.join(", ")}), ${reached.size} branches, ${length} failures`,
  );
}

/** How many branches were taken, by folder; which were not is in a file. */
function sayCoverage(all: readonly Branch[]): void {
  const folders = new Map<string, { taken: number; all: number }>();
  const left: string[] = [];
  for (const [number, { file, line, kind }] of all.entries()) {
    const folder = file.slice(0, file.lastIndexOf("/"));
    const counts = folders.get(folder) ?? { taken: 0, all: 0 };
    counts.all++;
    if (reached.has(number)) counts.taken++;
    else left.push(`${file}:${line} ${kind}`);
    folders.set(folder, counts);
  }
  for (const [folder, { taken, all }] of [...folders].sort()) {
    if (taken === 0) continue;
    console.log(
      `${folder}: ${taken} of ${all} branches taken (${Math.round(100 * taken / all)} %)`,
    );
  }
  Deno.writeTextFileSync(LEFT, `${left.join("\n")}\n`);
  console.log(`those that were not taken: ${LEFT}`);
}
