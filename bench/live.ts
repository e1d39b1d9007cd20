/**
 * What live capture costs and loses, beside tcpdump: as root, `deno run -A bench/live.ts`.
 *
 * Makes two namespaces with a veth pair, sends UDP packets with tcpreplay, and takes them in turn
 * with tcpdump, which throws them away, with the sensor's own sources, whose packets are counted,
 * and with the whole sensor. Processor time is that of the whole receiving process while packets
 * were sent, its start-up not counted; of several rounds the median is told.
 * Options: `--packets=2000000 --rates=400000,top --rounds=3 --bytes=96,1000`, and `--traffic`: `udp`, `tcp`
 * for TLS records with data, `hellos` for as many connections as packets, each with a ClientHello (a rate
 * is then that of packets, of which each connection has two). `--main=mod.ts` measures another version.
 */
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { FFI_PATHS } from "../ffi/library.ts";
import { type NamespacePair, withNamespaces } from "../tests/namespaces.ts";
import { clientHello, records } from "../tests/names/hellos.ts";
import { ACK, ethernet, ip, ipUdp, pcap, PSH, SYN, tcp, udp } from "../tests/packets.ts";

/** What a receiver says at its end. */
interface Taken {
  packets: number;
  dropped: number;
}

/** A program that takes packets until it gets a signal. */
interface Receiver {
  label: string;
  program: string;
  args: string[];
  end: Deno.Signal;
  /** What it writes on one of its streams when it takes packets. */
  ready: string;
  /** Reads the result out of everything that it wrote. */
  taken(output: string): Taken;
}

const RECORDS = 50_000;
const CONVERSATIONS = 5_000;
const HEADERS = 14 + 20 + 8;
/** Clock ticks of /proc/PID/stat, proc(5): `sysconf(_SC_CLK_TCK)` is 100 on every Linux of today. */
const TICKS_PER_SECOND = 100;
const SETTLE_MILLISECONDS = 500;
/** Bytes taken of a packet, unless it is said otherwise: the default of the sensor. */
const SNAPLEN = 512;

/** As fast as tcpreplay can. */
const TOP = "top";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    packets: { type: "string", default: "2000000" },
    rates: { type: "string", default: `400000,${TOP}` },
    rounds: { type: "string", default: "3" },
    bytes: { type: "string", default: "96,1000" },
    traffic: { type: "string", default: "udp" },
    main: { type: "string", default: "../mod.ts" },
  },
});
const { traffic } = values;
const filter = traffic === "udp" ? "udp" : "tcp";
const isHellos = traffic === "hellos";
const loops = isHellos ? 1 : Math.max(1, Math.round(Number(values.packets) / RECORDS));
const packetsSent = isHellos ? Number(values.packets) : loops * RECORDS;

function tcpdump(): Receiver {
  const snaplen = String(SNAPLEN);
  return {
    label: `tcpdump -w /dev/null`,
    program: "tcpdump",
    args: ["-i", "veth0", "-n", "-s", snaplen, "-B", "32768", "-w", "/dev/null", filter],
    end: "SIGINT",
    ready: "listening on",
    taken: (output) => ({
      packets: Number(/(\d+) packets? captured/.exec(output)?.[1]),
      dropped: Number(/(\d+) packets? dropped by kernel/.exec(output)?.[1]),
    }),
  };
}

const FFI = `--allow-ffi=${FFI_PATHS.join(",")}`;

/** The sensor's own source, by itself. */
function source(kind: string): Receiver {
  const options = { source: kind, snaplen: SNAPLEN, bufferMebibytes: 32, filter };
  return {
    label: `source ${kind} alone`,
    program: Deno.execPath(),
    args: [
      ...["run", "--quiet", "--no-prompt", FFI, "--config", file("../deno.json")],
      ...[file("live_receiver.ts"), "veth0", JSON.stringify(options)],
    ],
    end: "SIGTERM",
    ready: "ready",
    taken(output) {
      const { packets, droppedByKernel } = JSON.parse(output.slice(output.indexOf("{")));
      return { packets, dropped: droppedByKernel };
    },
  };
}

/** The whole program, which writes its keys to nobody. */
function sensor(kind: string): Receiver {
  return {
    label: `flosensor capture --source ${kind}`,
    program: Deno.execPath(),
    args: [
      ...["run", "--quiet", "--no-prompt", "--ignore-env", "--allow-read", FFI],
      ...["--config", file("../deno.json"), file(values.main)],
      ...["capture", "veth0", "10.99.0.0/24", "--no-redis", "--json", "--source", kind],
      ...["--filter", filter, "--snaplen", String(SNAPLEN)],
    ],
    end: "SIGTERM",
    ready: "capturing on",
    taken: (output) => ({
      packets: Number(/, (\d+) decoded/.exec(output)?.[1]),
      dropped: Number(/(\d+) dropped by kernel/.exec(output)?.[1]),
    }),
  };
}

function file(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

const RECEIVERS: readonly Receiver[] = [
  tcpdump(),
  source("libpcap"),
  source("af_packet"),
  sensor("libpcap"),
  sensor("af_packet"),
];

/** What one receiver did in one round. */
interface Measured {
  /** Packets a second. */
  sent: number;
  lost: number;
  dropped: number;
  seconds: number;
}

await withNamespaces(async (pair) => {
  console.log(`${packetsSent} packets over veth, median of ${values.rounds}`);
  for (const bytes of values.bytes.split(",").map(Number)) {
    const path = await Deno.makeTempFile({ dir: "/dev/shm", suffix: ".pcap" });
    await Deno.writeFile(path, isHellos ? hellos() : generated(bytes));
    for (const rate of values.rates.split(",")) await compare(pair, path, bytes, rate);
    await Deno.remove(path);
  }
});

async function compare(
  pair: NamespacePair,
  path: string,
  bytes: number,
  rate: string,
): Promise<void> {
  const measured = RECEIVERS.map((): Measured[] => []);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [index, receiver] of RECEIVERS.entries()) {
      measured[index].push(await measure(pair, receiver, path, rate));
    }
  }
  const nanoseconds = measured.map((rounds) =>
    median(rounds.map(({ seconds }) => seconds)) / packetsSent * 1e9
  );
  console.log(`\n${bytes} bytes, ${rate === TOP ? "as fast as tcpreplay can" : `${rate}/s`}\n`);
  console.log("| receiver | sent/s | lost | dropped | ns a packet | of tcpdump's |");
  console.log("|---|---:|---:|---:|---:|---:|");
  for (const [index, { label }] of RECEIVERS.entries()) {
    const of = (field: keyof Measured) => measured[index].map((round) => round[field]);
    const row = [
      label,
      median(of("sent")),
      // Of losses the worst is told.
      Math.max(...of("lost")),
      Math.max(...of("dropped")),
      nanoseconds[index].toFixed(0),
      (nanoseconds[index] / nanoseconds[0]).toFixed(2),
    ];
    console.log(`| ${row.join(" | ")} |`);
  }
}

function median(numbers: number[]): number {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1];
}

async function measure(
  pair: NamespacePair,
  receiver: Receiver,
  path: string,
  rate: string,
): Promise<Measured> {
  const command = pair.command(receiver.program, receiver.args, {
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  let output = "";
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) output += text;
  };
  const streams = [read(child.stdout), read(child.stderr)];
  let hasEnded = false;
  child.status.then(() => hasEnded = true);
  while (!output.includes(receiver.ready)) {
    if (hasEnded) throw new Error(`${receiver.label}: ${output}`);
    await pause(20);
  }
  const before = processorSeconds(child.pid);
  const packetsPerSecond = rate === TOP ? undefined : Number(rate);
  const said = await pair.replay(path, { packetsPerSecond, args: [`--loop=${loops}`, "-K"] });
  await pause(SETTLE_MILLISECONDS);
  const seconds = processorSeconds(child.pid) - before;
  child.kill(receiver.end);
  await Promise.all([...streams, child.status]);
  const { packets, dropped } = receiver.taken(output);
  const sent = Math.round(Number(/([\d.]+) pps/.exec(said)?.[1]));
  return { sent, lost: packetsSent - packets, dropped, seconds };
}

/** User and system time of a process up to now, proc(5). `ip netns exec` becomes its program. */
function processorSeconds(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // The second field, the program's name in brackets, may have spaces in it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [userTicks, systemTicks] = [fields[11], fields[12]];
  return (Number(userTicks) + Number(systemTicks)) / TICKS_PER_SECOND;
}

function generated(bytes: number): Uint8Array<ArrayBuffer> {
  const packets = Array.from({ length: CONVERSATIONS }, (_, conversation) => {
    const source = `10.1.${conversation >>> 8}.${conversation & 0xff}`;
    if (traffic === "udp") {
      const payload = "x".repeat(bytes - HEADERS);
      return ethernet(ipUdp(source, "10.99.0.1", udp(1024 + conversation, 53, payload)));
    }
    const size = bytes - HEADERS - 12;
    const data = new Uint8Array(size).fill(0xaa);
    data.set([0x17, 3, 3, size >>> 8, size & 0xff]);
    return ethernet(ip(source, "10.99.0.1", tcp(1024 + conversation, 443, PSH | ACK, data)));
  });
  const once = pcap(packets.map((packet) => ({ packet, seconds: 1 })));
  const header = once.subarray(0, 24);
  const file = new Uint8Array(header.length + (once.length - 24) * (RECORDS / CONVERSATIONS));
  file.set(header);
  for (let at = header.length; at < file.length; at += once.length - 24) {
    file.set(once.subarray(24), at);
  }
  return file;
}

/** Connections of some thousand clients, of each SYN and a ClientHello with the size of a browser's. */
function hellos(): Uint8Array<ArrayBuffer> {
  const packets = Array.from({ length: packetsSent / 2 }, (_, connection) => {
    const source = `10.1.${(connection >>> 8) & 0xff}.${connection & 0xff}`;
    const port = 1024 + (connection >>> 16) * 1000 + connection % 1000;
    const hello = records(clientHello(`${connection % 5000}.example.com`, { keyShare: 600 }));
    const [syn, first] = [tcp(port, 443, SYN), tcp(port, 443, PSH | ACK, hello)];
    first[7]++;
    return [syn, first].map((segment) => ethernet(ip(source, "10.99.0.1", segment)));
  });
  return pcap(packets.flat().map((packet) => ({ packet, seconds: 1 })));
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
