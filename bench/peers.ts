/**
 * How fast saved captures are read, as whole processes, beside other flow tools and beside tcpdump's
 * plain copy, which is the limit. The programs run in turn, so that what else goes on on the machine
 * meets all of them; medians are shown, and written to bench/results.md.
 *
 *     deno task bench [--runs=N] [--long] [capture.pcap ...]
 *
 * Its own captures are made under build/bench, with --long one of 3.4 GB among them, which has to fit
 * into the system's cache of files; files that are named are read as well.
 */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { SavefileSource } from "../src/capture/savefile_source.ts";
import { CAPTURES, LONG_CAPTURES, writeCapture } from "./captures.ts";
import { type Measured, measured } from "./measured_process.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const FOLDER = `${ROOT}build/bench`;
const SCRATCH = `${FOLDER}/scratch`;
const RESULTS = `${ROOT}bench/results.md`;
const DEFAULT_RUNS = "5";
const MILLION = 1e6;
/** A capture of one packet: what a run of it takes is start and end of the process. */
const ONE_PACKET = "one";

/** A program that reads captures. */
interface Peer {
  readonly name: string;
  /** Debian's package. */
  readonly package: string;
  readonly program: string;
  readonly args: (file: string) => string[];
  /** How it is asked for its version. */
  readonly version: readonly string[];
}

const PEERS: readonly Peer[] = [
  {
    name: "flosensor",
    package: "",
    program: Deno.execPath(),
    args: (file) => [
      ...["run", "--config", `${ROOT}deno.json`, "--no-prompt", "--ignore-env", "--allow-read"],
      ...[`${ROOT}src/cli/program.ts`, "replay", file],
      ...["10.0.0.0/8", "2001:db8:1::/48", "--no-redis"],
    ],
    version: ["--version"],
  },
  {
    name: "tcpdump -w /dev/null",
    package: "tcpdump",
    program: "tcpdump",
    args: (file) => ["-r", file, "-w", "/dev/null"],
    version: ["--version"],
  },
  {
    name: "softflowd",
    package: "softflowd",
    program: "softflowd",
    // Its flows go to the discard port of this machine; before NetFlow 9 there is no IPv6.
    args: (file) => ["-r", file, "-n", "127.0.0.1:9", "-v", "9", "-m", "1000000", "-d"],
    version: ["-h"],
  },
  {
    name: "nfpcapd",
    package: "nfdump",
    program: "nfpcapd",
    args: (file) => ["-r", file, "-w", SCRATCH],
    version: ["-V"],
  },
  {
    name: "argus",
    package: "argus-server",
    program: "argus",
    args: (file) => ["-X", "-r", file, "-w", `${SCRATCH}/argus`],
    version: ["-h"],
  },
];

const { values, positionals } = parseArgs({
  options: {
    runs: { type: "string", default: DEFAULT_RUNS },
    long: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const runs = Number(values.runs);
const peers: Peer[] = [];
const report: string[] = [];
for (const peer of PEERS) {
  if (await isInstalled(peer.program)) peers.push(peer);
  else say(`${peer.name} is not installed: apt-get install ${peer.package}`);
}
say(await machine());
for (const peer of peers) say(`- ${peer.name}: ${await version(peer)}`);
say("");
say(
  "flosensor runs with its default mapping and without a store; the others write what they find.",
);
say(`Median of ${runs} runs, in turn. Time is that of the whole process, its start included.`);
for (const file of [...madeCaptures(), ...positionals.map((path) => resolve(path))]) {
  await compare(file);
}
await sayStart();
Deno.writeTextFileSync(RESULTS, `# Results of deno task bench\n\n${report.join("\n")}\n`);
await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", RESULTS] }).output();
console.log(`written to ${RESULTS}`);

async function compare(file: string): Promise<void> {
  const packets = await packetsOf(file);
  const measurements = await measureInTurn(peers, file);
  const own = median(measurements.get("flosensor")!.map(({ seconds }) => seconds));
  say("", `## ${basename(file)}: ${(packets / MILLION).toFixed(2)} M packets`, "");
  say("| program | M packets/s | seconds | processor s | peak MiB | its time / flosensor's |");
  say("|---|---:|---:|---:|---:|---:|");
  for (const [name, all] of measurements) {
    const seconds = median(all.map((run) => run.seconds));
    const cells = [
      name,
      (packets / MILLION / seconds).toFixed(2),
      seconds.toFixed(2),
      median(all.map((run) => run.processorSeconds)).toFixed(2),
      Math.max(...all.map((run) => run.peakMebibytes)).toFixed(0),
      (seconds / own).toFixed(2),
    ];
    say(`| ${cells.join(" | ")} |`);
  }
}

async function sayStart(): Promise<void> {
  const path = `${FOLDER}/${ONE_PACKET}.pcap`;
  writeCapture(path, { packets: 1, conversations: 1, bytes: 96 });
  const all = (await measureInTurn(peers.slice(0, 1), path)).get("flosensor")!;
  const milliseconds = median(all.map(({ seconds }) => seconds)) * 1000;
  say("", "## Start", "");
  say(`A capture of one packet, from the start of \`deno run\` with a warm cache to its end:`);
  say(`${milliseconds.toFixed(0)} ms, so the first packet is decoded before that.`);
}

async function measureInTurn(of: readonly Peer[], file: string): Promise<Map<string, Measured[]>> {
  const all = new Map<string, Measured[]>(of.map(({ name }) => [name, []]));
  for (let run = 0; run < runs; run++) {
    for (const { name, program, args } of of) {
      rmSync(SCRATCH, { recursive: true, force: true });
      mkdirSync(SCRATCH, { recursive: true });
      all.get(name)!.push(await measured(program, args(file), SCRATCH));
    }
  }
  rmSync(SCRATCH, { recursive: true, force: true });
  return all;
}

function madeCaptures(): string[] {
  mkdirSync(FOLDER, { recursive: true });
  const captures = { ...CAPTURES, ...values.long ? LONG_CAPTURES : {} };
  return Object.entries(captures).map(([name, shape]) => {
    const path = `${FOLDER}/${name}.pcap`;
    if (!existsSync(path)) writeCapture(path, shape);
    return path;
  });
}

async function packetsOf(path: string): Promise<number> {
  const source = SavefileSource.open(path);
  while (await source.next() !== null);
  source.close();
  return source.statistics().received;
}

async function isInstalled(program: string): Promise<boolean> {
  try {
    await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" })
      .output();
    return true;
  } catch {
    return false;
  }
}

async function version({ program, version }: Peer): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(program, { args: [...version] }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  return text.split("\n").find((line) => /\d+\.\d+/.test(line))?.trim() ?? "?";
}

async function machine(): Promise<string> {
  const processor = /^model name\s*:\s*(.*)$/m.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1];
  const cores = navigator.hardwareConcurrency;
  const kernel = Deno.osRelease();
  return `${new Date().toISOString().slice(0, 10)}, ${processor}, ${cores} cores, Linux ${kernel}`;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function say(...lines: string[]): void {
  report.push(...lines);
  for (const line of lines) console.log(line);
}
