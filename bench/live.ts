/**
 * What live capture costs and loses, beside tcpdump: as root, `deno run -A bench/live.ts`.
 *
 * Makes two namespaces with a veth pair, sends UDP packets with tcpreplay, and takes them in turn
 * with tcpdump, which throws them away, and with the sensor's own source, which counts them. The
 * processor time is that of the whole receiving process while packets were sent, its start-up not
 * counted. Options: `--packets=2000000 --rate=400000 --rounds=1`.
 */
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { FFI_PATHS } from "../ffi/library.ts";
import { type NamespacePair, withNamespaces } from "../tests/namespaces.ts";
import { ethernet, ipUdp, pcap, udp } from "../tests/packets.ts";

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

const { values } = parseArgs({
  args: Deno.args,
  options: {
    packets: { type: "string", default: "2000000" },
    rate: { type: "string", default: "400000" },
    rounds: { type: "string", default: "1" },
  },
});
const loops = Math.max(1, Math.round(Number(values.packets) / RECORDS));
const rate = Number(values.rate);

function tcpdump(snaplen: number): Receiver {
  return {
    label: `tcpdump -w /dev/null -s ${snaplen} -B 32 MiB`,
    program: "tcpdump",
    args: ["-i", "veth0", "-n", "-s", String(snaplen), "-B", "32768", "-w", "/dev/null", "udp"],
    end: "SIGINT",
    ready: "listening on",
    taken: (output) => ({
      packets: Number(/(\d+) packets? captured/.exec(output)?.[1]),
      dropped: Number(/(\d+) packets? dropped by kernel/.exec(output)?.[1]),
    }),
  };
}

function sensor(options: { snaplen: number; bufferMebibytes: number }): Receiver {
  const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  return {
    label: `LiveSource, snaplen ${options.snaplen}, buffer ${options.bufferMebibytes} MiB`,
    program: Deno.execPath(),
    args: [
      ...["run", "--quiet", "--no-prompt", `--allow-ffi=${FFI_PATHS.join(",")}`],
      ...["--config", file("../deno.json"), file("live_receiver.ts")],
      ...["veth0", JSON.stringify({ ...options, filter: "udp" })],
    ],
    end: "SIGTERM",
    ready: "ready",
    taken(output) {
      const { packets, droppedByKernel } = JSON.parse(output.slice(output.indexOf("{")));
      return { packets, dropped: droppedByKernel };
    },
  };
}

const RECEIVERS: { bytes: number; receiver: Receiver }[] = [
  { bytes: 96, receiver: tcpdump(512) },
  { bytes: 96, receiver: sensor({ snaplen: 512, bufferMebibytes: 32 }) },
  { bytes: 96, receiver: sensor({ snaplen: 512, bufferMebibytes: 2 }) },
  { bytes: 1000, receiver: tcpdump(512) },
  { bytes: 1000, receiver: sensor({ snaplen: 128, bufferMebibytes: 32 }) },
  { bytes: 1000, receiver: sensor({ snaplen: 512, bufferMebibytes: 32 }) },
  { bytes: 1000, receiver: sensor({ snaplen: 65_535, bufferMebibytes: 32 }) },
];

await withNamespaces(async (pair) => {
  console.log(`${loops * RECORDS} packets at up to ${rate} packets/s over veth\n`);
  console.log("bytes  sent/s   lost     dropped  processor s  receiver");
  for (const bytes of new Set(RECEIVERS.map((entry) => entry.bytes))) {
    const file = await Deno.makeTempFile({ suffix: ".pcap" });
    await Deno.writeFile(file, generated(bytes));
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const { receiver } of RECEIVERS.filter((entry) => entry.bytes === bytes)) {
        await measure(pair, receiver, file, bytes);
      }
    }
    await Deno.remove(file);
  }
});

async function measure(
  pair: NamespacePair,
  receiver: Receiver,
  file: string,
  bytes: number,
): Promise<void> {
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
  while (!output.includes(receiver.ready)) await pause(20);
  const before = processorSeconds(child.pid);
  const said = await pair.replay(file, { packetsPerSecond: rate, args: [`--loop=${loops}`, "-K"] });
  await pause(SETTLE_MILLISECONDS);
  const seconds = processorSeconds(child.pid) - before;
  child.kill(receiver.end);
  await Promise.all([...streams, child.status]);
  const { packets, dropped } = receiver.taken(output);
  const sent = Math.round(Number(/([\d.]+) pps/.exec(said)?.[1]));
  console.log(
    [
      String(bytes).padEnd(5),
      String(sent).padEnd(7),
      String(loops * RECORDS - packets).padEnd(7),
      String(dropped).padEnd(7),
      seconds.toFixed(2).padEnd(11),
      receiver.label,
    ].join("  "),
  );
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
    const payload = "x".repeat(bytes - HEADERS);
    return ethernet(ipUdp(source, "10.99.0.1", udp(1024 + conversation, 53, payload)));
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

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
