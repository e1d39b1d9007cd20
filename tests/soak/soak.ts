/**
 * Has a capture run for long, with mixed traffic and faults at random: `deno task soak [--minutes N]
 * [--seed S]`. As root; all happens in network namespaces that are made for it.
 *
 * Each second some connections are sent that are told from all others, among packets of real captures,
 * some of which are changed. In the end, each of them has been seen, or a packet was counted as dropped, or
 * the interface was away; each that was seen since Redis lost its data is in Redis; memory is what it was.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { RedisInNamespace } from "../cli/redis_in_namespace.ts";
import { PERMISSIONS, V8_OPTIONS } from "../cli/program.ts";
import { withFiles } from "../config/temporary_files.ts";
import { capturesOf, type CorpusCapture, ownCaptures } from "../fuzz/corpus.ts";
import { Mutator } from "../fuzz/mutator.ts";
import { run, until, withNamespaces } from "../namespaces.ts";
import type { NamespacePair } from "../namespaces.ts";
import { ACK, ethernet, FIN, ip, pcap, PSH, SYN, tcp, type Timed } from "../packets.ts";
import { memoryOf } from "../process_status.ts";
import { SeededRandom } from "../seeded_random.ts";
import { sharedCapture } from "../shared_captures.ts";
import { refuseWords, taskWords } from "../task_words.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CONFIG = `import { defineConfig } from "flosensor/config";
export default defineConfig({ ourNets: ["10.0.0.0/8", "192.168.0.0/16"], ttl: 86400 });
`;
const ETHERNET = 1;
const ETHERNET_BYTES = [60, 1514] as const;
/** Of a second. */
const MARKED = 40;
const OTHERS = 1200;
const PACKETS_PER_SECOND = 3000;
/** Seconds between two faults. */
const PAUSE = [5, 25] as const;
/** What a connection needs to get from the sender to the sensor, and a flush to Redis, in milliseconds. */
const ON_THE_WAY = 5000;
const MINUTE = 60_000;
/** So few that the bound is reached in the first minutes. */
const MOST_CONVERSATIONS = "10000";
/** From when on memory is compared, in minutes, and how much it may grow. */
const WARM = 10;
const FLAT = 1.05;
const MEBIBYTE = 1024 * 1024;

const USAGE = "deno task soak [--minutes 60] [--seed 1] [--no-store]";
const { values } = taskWords(USAGE, {
  options: {
    minutes: { type: "string", default: "60" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    "no-store": { type: "boolean", default: false },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(seed)) {
  refuseWords(USAGE, "--minutes and --seed take a number");
}
const random = new SeededRandom(seed);
const wait = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
const between = ([least, most]: readonly [number, number]) =>
  least + random.below(most - least + 1);

/** Times, in milliseconds since 1970-01-01 UTC, in which something was so. */
type Span = [from: number, to: number];

/** The program, and what it says. */
class Capture {
  /** When a marked connection was first told of, by its number. */
  readonly seen = new Map<number, number>();
  lines = 0;
  /** Of the last statistics: packets, keys, names. */
  statistics = "";
  /** All else on standard error. */
  readonly said: string[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #read: Promise<unknown>;

  constructor(pair: NamespacePair, config: string, redis: string, store: string) {
    const args = [
      ...["run", "--quiet", "--config", `${ROOT}deno.json`, ...V8_OPTIONS, ...PERMISSIONS],
      ...[`${ROOT}src/cli/program.ts`, "capture", pair.veth, "--redis", redis, "-c", config],
      ...["--json", "--stats", "1", "--max-conversations", MOST_CONVERSATIONS],
      ...(values["no-store"] ? [] : ["--store", store]),
    ];
    this.#process = pair.command(Deno.execPath(), args, {
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
    this.#read = Promise.all([
      this.#linesOf(this.#process.stdout, (line) => this.#takeLine(line)),
      this.#linesOf(this.#process.stderr, (line) => this.#takeSaid(line)),
    ]);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Resident memory, and what of it is the process's own, without files, in bytes. */
  get memory(): { readonly resident: number; readonly own: number } {
    return { resident: memoryOf(this.pid, "VmRSS"), own: memoryOf(this.pid, "RssAnon") };
  }

  signal(name: Deno.Signal): void {
    this.#process.kill(name);
  }

  async end(): Promise<Deno.CommandStatus> {
    await this.#read;
    return await this.#process.status;
  }

  /** A number of the last statistics that stands before some words. */
  counted(words: string): number {
    return Number(new RegExp(`(\\d+) ${words}`).exec(this.statistics)?.[1] ?? 0);
  }

  #takeLine(line: string): void {
    this.lines++;
    const { key } = JSON.parse(line);
    const [, high, middle, low] = MARKED_KEY.exec(key) ?? [];
    if (high === undefined) return;
    const number = (Number(high) - FIRST_MARKED) * 65_536 + Number(middle) * 256 + Number(low);
    if (!this.seen.has(number)) this.seen.set(number, Date.now());
  }

  #takeSaid(line: string): void {
    if (line.includes("packets: ")) this.statistics = line;
    else {
      this.said.push(line);
      console.log(`  ${line}`);
    }
  }

  async #linesOf(
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
    take: (line: string) => void,
  ): Promise<void> {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      lines.forEach(take);
    }
  }
}

/** Clients of marked connections are 10.100.0.0 and on: no capture has them. */
const FIRST_MARKED = 100;
const MARKED_KEY = /^10\.(1\d\d)\.(\d+)\.(\d+);198\.18\.\d+\.1;443;flow$/;

function clientOf(number: number): string {
  return `10.${FIRST_MARKED + (number >>> 16)}.${(number >>> 8) & 255}.${number & 255}`;
}

function serverOf(number: number): string {
  return `198.18.${number % 250}.1`;
}

/** A whole connection. */
function markedConnection(number: number): Uint8Array[] {
  const [client, server] = [clientOf(number), serverOf(number)];
  const port = 1024 + number % 60_000;
  const to = (flags: number, payload = "") =>
    ethernet(ip(client, server, tcp(port, 443, flags, payload)));
  const from = (flags: number, payload = "") =>
    ethernet(ip(server, client, tcp(443, port, flags, payload)));
  return [
    ...[to(SYN), from(SYN | ACK), to(ACK), to(PSH | ACK, "hello"), from(PSH | ACK, "hello")],
    ...[to(FIN | ACK), from(FIN | ACK), to(ACK)],
  ];
}

/** What is sent in a second: marked connections among other packets. */
function traffic(first: number, captures: readonly CorpusCapture[]): Uint8Array {
  const mutator = new Mutator(random);
  const packets: Uint8Array[] = [];
  while (packets.length < OTHERS) {
    const { packets: all } = random.of(captures);
    const from = random.below(all.length);
    for (const { packet, linkType } of all.slice(from, from + 100)) {
      if (linkType !== ETHERNET) continue;
      const changed = random.below(20) === 0 ? mutator.mutated(packet) : packet;
      if (changed.length < ETHERNET_BYTES[0] || changed.length > ETHERNET_BYTES[1]) continue;
      packets.push(changed);
    }
  }
  const pace = Math.floor(packets.length / MARKED);
  const timed: Timed[] = packets.flatMap((packet, i) => {
    const connection = i % pace === 0 && i / pace < MARKED
      ? markedConnection(first + i / pace)
      : [];
    return [...connection, packet].map((it) => ({ packet: it, seconds: 1 }));
  });
  return pcap(timed);
}

/** Makes something go wrong, and right again. */
interface Fault {
  readonly name: string;
  readonly happen: () => Promise<void>;
}

async function soak(pair: NamespacePair, directory: string): Promise<boolean> {
  const places = ["pcap", "encapsulated/pcap"].map(sharedCapture).filter((it) => existsSync(it));
  const files = places.flatMap((place) =>
    [...Deno.readDirSync(place)].map(({ name }) => `${place}/${name}`)
  );
  const captures = [...ownCaptures(), ...await capturesOf(files)]
    .filter(({ packets }) =>
      packets.some(({ linkType, packet }) =>
        linkType === ETHERNET && packet.length >= ETHERNET_BYTES[0]
      )
    );
  await using redis = await RedisInNamespace.start(pair);
  const capture = new Capture(pair, `${directory}/config.ts`, redis.url, `${directory}/flows.db`);
  await until(() => capture.said.some((line) => line.includes("capturing on")));

  /** When the interface was away, or came and went. */
  const away: Span[] = [];
  /** From when on Redis has what was written. */
  let redisSince = Date.now();
  const faults: readonly Fault[] = [
    {
      name: "Redis is killed, and comes back empty",
      happen: async () => {
        redisSince = Date.now();
        await redis.halt();
        await wait(1000 * between([1, 12]));
        await redis.run();
      },
    },
    {
      name: "Redis is restarted three times",
      happen: async () => {
        for (let i = 0; i < 3; i++) {
          redisSince = Date.now();
          await redis.halt();
          await redis.run();
          await wait(500);
        }
      },
    },
    {
      name: "Redis is frozen",
      happen: async () => {
        const pid = Number(/^process_id:(\d+)/m.exec(await redis.cli("INFO", "server"))![1]);
        Deno.kill(pid, "SIGSTOP");
        await wait(1000 * between([3, 20]));
        Deno.kill(pid, "SIGCONT");
      },
    },
    {
      name: "the interface goes down and up",
      happen: async () => {
        const from = Date.now();
        await pair.ip("link", "set", pair.veth, "down");
        await wait(1000 * between([1, 5]));
        await pair.ip("link", "set", pair.veth, "up");
        away.push([from, Date.now()]);
      },
    },
    {
      name: "the interface is removed and made again",
      happen: async () => {
        const from = Date.now();
        await pair.removeVeth();
        await wait(1000 * between([1, 5]));
        await pair.addVeth();
        away.push([from, Date.now()]);
      },
    },
    {
      name: "the program is stopped (SIGSTOP)",
      happen: async () => {
        capture.signal("SIGSTOP");
        await wait(1000 * between([1, 8]));
        capture.signal("SIGCONT");
      },
    },
    {
      name: "the configuration is loaded again (SIGHUP)",
      happen: () => Promise.resolve(capture.signal("SIGHUP")),
    },
  ];

  const begin = Date.now();
  const end = begin + minutes * MINUTE;
  /** When the packets of a marked connection were sent: the round in which they were. */
  const rounds: { first: number; span: Span; isSent: boolean }[] = [];
  let sent = 0;
  const send = async () => {
    const file = `${directory}/round.pcap`;
    for (let first = 0; Date.now() < end; first += MARKED) {
      await Deno.writeFile(file, traffic(first, captures));
      const from = Date.now();
      const { code, stdout } = await run(
        ...["ip", "netns", "exec", pair.sender, "tcpreplay", "-q", "-i", pair.peer] as const,
        ...[`--pps=${PACKETS_PER_SECOND}`, file],
      );
      sent += Number(/Successful packets:\s+(\d+)/.exec(stdout)?.[1] ?? 0);
      rounds.push({ first, span: [from, Date.now()], isSent: code === 0 });
      await wait(Math.max(0, from + 1000 - Date.now()));
    }
  };
  const counts = new Map<string, number>();
  const fail = async () => {
    while (true) {
      const pause = 1000 * between(PAUSE);
      // In the end, all is well for a while.
      if (Date.now() + pause + 40_000 > end) return;
      await wait(pause);
      const { name, happen } = random.of(faults);
      counts.set(name, (counts.get(name) ?? 0) + 1);
      console.log(`${Math.round((Date.now() - begin) / 1000)} s: ${name}`);
      await happen();
    }
  };
  const samples: { minute: number; resident: number; own: number }[] = [];
  const watch = setInterval(() => {
    const minute = (Date.now() - begin) / MINUTE;
    const { resident, own } = capture.memory;
    samples.push({ minute, resident, own });
    if (samples.length % 12 !== 0) return;
    console.log(
      `${minute.toFixed(1)} min: ${Math.round(resident / MEBIBYTE)} MiB, its own ` +
        `${Math.round(own / MEBIBYTE)}, ` + capture.statistics.replace(/^.*packets: /, ""),
    );
  }, 5000);
  try {
    await Promise.all([send(), fail()]);
  } finally {
    clearInterval(watch);
  }
  await wait(2 * ON_THE_WAY);
  const inRedis = new Set(await redis.keys());
  capture.signal("SIGTERM");
  const { code } = await capture.end();

  const marked = rounds.at(-1)!.first + MARKED;
  const lost = [...Array(marked).keys()].filter((number) => {
    if (capture.seen.has(number)) return false;
    const { span: [from, to], isSent } = rounds[Math.floor(number / MARKED)];
    const wasAway = away.some(([first, last]) =>
      from < last + ON_THE_WAY && to > first - ON_THE_WAY
    );
    return isSent && !wasAway;
  });
  const notInRedis = [...capture.seen].filter(([number, time]) =>
    time > redisSince + ON_THE_WAY &&
    !inRedis.has(`${clientOf(number)};${serverOf(number)};443;flow`)
  );
  const warm = samples.filter(({ minute }) => minute >= Math.min(WARM, minutes / 2));
  const quarter = Math.ceil(warm.length / 4);
  const [before, after] = [warm.slice(0, quarter), warm.slice(-quarter)].map((part) => ({
    resident: median(part.map(({ resident }) => resident)),
    own: median(part.map(({ own }) => own)),
  }));
  const dropped = capture.counted("dropped by kernel") + capture.counted("dropped by interface");
  const isFlat = after.resident <= before.resident * FLAT;
  const isWhole = lost.length <= dropped && notInRedis.length <= capture.counted("lost");
  console.log(`
${minutes} minutes, seed ${seed}; exit status ${code}
${[...counts].map(([name, count]) => `${count} times: ${name}`).join("\n")}
${sent} packets sent, ${capture.counted("received")} received, ${dropped} dropped and counted
${marked} marked connections: ${capture.seen.size} seen, ${
    marked - capture.seen.size - lost.length
  } sent while the interface was away, ${lost.length} not seen without that
${capture.lines} lines of JSON; of the connections that were seen since Redis lost its data ${notInRedis.length} are not in it; ${
    capture.counted("lost")
  } keys were counted as lost
resident memory (median): ${before.resident} MiB after ${
    Math.min(WARM, minutes / 2)
  } minutes, ${after.resident} MiB at the end; its own ${before.own} and ${after.own} MiB
${isFlat && isWhole ? "all is well" : "SOMETHING IS WRONG"}`);
  console.log(capture.statistics);
  return isFlat && isWhole;
}

/** In MiB. */
function median(kibibytes: readonly number[]): number {
  const sorted = kibibytes.toSorted((one, other) => one - other);
  return Math.round(sorted[sorted.length >> 1] / MEBIBYTE);
}

let isWell = false;
await withNamespaces((pair) =>
  withFiles({ "config.ts": CONFIG }, async (directory) => {
    isWell = await soak(pair, directory);
  })
);
Deno.exit(isWell ? 0 : 1);
