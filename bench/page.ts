/**
 * How soon the page of a large store answers: `deno run --allow-all bench/page.ts [conversations] [file]`.
 *
 * It makes a store of one day as a sensor writes it, if the file is not there, and starts the program's
 * `serve` on it. What a browser asks is asked in the same way: the overview and the first rows of the
 * table together. Told is the median until both are there. No filter is asked twice in a row, nor soon
 * enough to be remembered.
 *
 * @module
 */
import { flosensor, RunningProgram } from "../tests/cli/program.ts";
import { memoryOf } from "../tests/process_status.ts";
import { unusedPort } from "../tests/redis_server.ts";
import { writeManyConversations } from "./many_conversations.ts";

const HOUR = 3_600_000;
const ROUNDS = 5;
/** Rows that the page asks for at once. */
const ROWS = 200;
/** Filters, from narrow ones to those that choose almost all. */
const FILTERS = [
  "client:10.0.3.7",
  "client:10.0.3.0/24",
  "client:10.0.0.0/16",
  "server:198.18.0.0/16",
  "host:10.0.9.7",
  "port:443",
  "port:443 name:host77",
  "name:example",
  "by:syn",
  "unexplained",
  "refused",
  "local",
  "new",
  "-port:443",
  "-client:10.0.3.0/24 -name:host1",
  "10.0.3.7",
  "host1234",
];

/** The other views, each asked without a filter and with some of those above. */
const VIEWS: readonly (readonly [name: string, query: Record<string, string>])[] = [
  ["services", { of: "own" }],
  ["services", { of: "all" }],
  ["devices", {}],
  ["unexplained", {}],
  ["encrypted-dns", {}],
  ["refused", {}],
  ["names", {}],
];
const FILTERS_OF_VIEWS = ["", "client:10.0.3.0/24", "port:443", "server:198.18.0.0/16", "refused"];

const [count = "1000000", given] = Deno.args;
const directory = await Deno.makeTempDir({ prefix: "flosensor-bench-" });
const path = given ?? `${directory}/flows.db`;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** Memory of a process: its own, and with the program's code and other files. */
function memory(pid: number): string {
  const [own, all, most] = (["RssAnon", "VmRSS", "VmHWM"] as const)
    .map((kind) => `${Math.round(memoryOf(pid, kind) / 1e6)} MB`);
  return `${own}; with mapped files ${all}, at most ${most}`;
}

function tell(what: string, milliseconds: number, more = ""): void {
  console.log(`${what.padEnd(34)} ${(milliseconds / 1000).toFixed(3).padStart(7)} s  ${more}`);
}

try {
  if (given === undefined || !await Deno.stat(path).then(() => true, () => false)) {
    const start = performance.now();
    writeManyConversations(path, Number(count), Date.now());
    tell(`${count} conversations written`, performance.now() - start);
  }
  const port = await unusedPort();
  const url = `http://127.0.0.1:${port}`;
  await using server = new RunningProgram(["serve", path, "--listen", `127.0.0.1:${port}`]);
  await server.says(url);

  const ask = async (what: string, query: Record<string, string>) => {
    const response = await fetch(`${url}/api/${what}?${new URLSearchParams(query)}`);
    const { data, error } = await response.json();
    if (error !== undefined) throw new Error(`${what}: ${error}`);
    return data;
  };
  /** What the first view asks; how many flows there are, and how long it took in milliseconds. */
  const look = async (query: Record<string, string>) => {
    const start = performance.now();
    const [{ flows }] = await Promise.all([
      ask("overview", query),
      ask("flows", { ...query, sort: "-last", limit: String(ROWS) }),
    ]);
    return { flows: Number(flows), took: performance.now() - start };
  };

  for (
    const [span, text] of [[24 * HOUR, "the last day"], [6 * HOUR, "6 hours"], [
      null,
      "all time",
    ]] as const
  ) {
    const query: Record<string, string> = span === null ? {} : { span: String(span) };
    const first = await look(query);
    console.log(`\n${text}: ${first.flows} flows`);
    tell("first screen", first.took);
    const took = new Map(FILTERS.map((filter) => [filter, [] as number[]]));
    const flows = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const filter of FILTERS) {
        const answer = await look({ ...query, filter });
        took.get(filter)!.push(answer.took);
        flows.set(filter, answer.flows);
      }
    }
    for (const filter of FILTERS) {
      tell(filter, median(took.get(filter)!), `${flows.get(filter)} flows`);
    }
    console.log(`memory of the server: ${memory(server.pid)}`);
  }

  console.log("\nother views, the last day: without a filter, and the slowest with one");
  for (const [name, more] of VIEWS) {
    const took: number[] = [];
    for (const filter of FILTERS_OF_VIEWS) {
      const start = performance.now();
      await ask(name, { ...more, filter, span: String(24 * HOUR) });
      took.push(performance.now() - start);
    }
    const [all, ...filtered] = took;
    tell(`${name} ${more.of ?? ""}`, all, `${(Math.max(...filtered) / 1000).toFixed(3)} s`);
  }
  console.log(`memory of the server: ${memory(server.pid)}`);
  const start = performance.now();
  const { status, stderr } = await flosensor(["report", path]);
  if (status !== 0) throw new Error(stderr);
  console.log("");
  tell("flosensor report, its start included", performance.now() - start);
} finally {
  await Deno.remove(directory, { recursive: true });
}
