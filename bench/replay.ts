/**
 * How fast a saved capture is replayed, as a whole process with Redis off, beside tcpdump's plain
 * copy of it to /dev/null. The programs run in turn; the median of their runs is shown.
 *
 *     deno run --allow-all bench/replay.ts [--runs=N] [capture.pcap]
 *
 * Without a capture, one of 5 M packets of 96 bytes in 50 k conversations is made.
 */
import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { SavefileSource } from "../src/capture/savefile_source.ts";
import { CAPTURES, writeCapture } from "./captures.ts";
import { type Measured, measured } from "./measured_process.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const FOLDER = `${ROOT}build/bench`;
const DEFAULT_CAPTURE = "5m-96";
const DEFAULT_RUNS = "5";
const MILLION = 1e6;

const { values, positionals: [file = madeCapture()] } = parseArgs({
  options: { runs: { type: "string", default: DEFAULT_RUNS } },
  allowPositionals: true,
});

/** Each program's command line for the capture. */
const COMMANDS: Record<string, [program: string, args: string[]]> = {
  flosensor: [Deno.execPath(), [
    ...["run", "--config", `${ROOT}deno.json`, "--no-prompt", "--ignore-env", "--allow-read"],
    ...[`${ROOT}mod.ts`, "replay", file, "10.0.0.0/8", "2001:db8:1::/48", "--no-redis"],
  ]],
  "tcpdump -w /dev/null": ["tcpdump", ["-r", file, "-w", "/dev/null"]],
};

const packets = await packetsOf(file);
const rows = new Map<string, Measured[]>(Object.keys(COMMANDS).map((name) => [name, []]));
for (let run = 0; run < Number(values.runs); run++) {
  for (const [name, [program, args]] of Object.entries(COMMANDS)) {
    rows.get(name)!.push(await measured(program, args));
  }
}
const own = median(rows.get("flosensor")!.map(({ seconds }) => seconds));
console.log(`${file}: ${(packets / MILLION).toFixed(2)} M packets, median of ${values.runs} runs`);
console.log(
  "program               M packets/s  seconds  processor s  peak MiB  time to flosensor's",
);
for (const [name, runs] of rows) {
  const seconds = median(runs.map((run) => run.seconds));
  console.log([
    name.padEnd(20),
    (packets / MILLION / seconds).toFixed(2).padStart(12),
    seconds.toFixed(2).padStart(8),
    median(runs.map((run) => run.processorSeconds)).toFixed(2).padStart(12),
    Math.max(...runs.map((run) => run.peakMebibytes)).toFixed(0).padStart(9),
    (seconds / own).toFixed(2).padStart(20),
  ].join(" "));
}

function madeCapture(): string {
  const path = `${FOLDER}/${DEFAULT_CAPTURE}.pcap`;
  if (existsSync(path)) return path;
  mkdirSync(FOLDER, { recursive: true });
  writeCapture(path, CAPTURES[DEFAULT_CAPTURE]);
  return path;
}

async function packetsOf(path: string): Promise<number> {
  const source = SavefileSource.open(path);
  while (await source.next() !== null);
  source.close();
  return source.statistics().received;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
