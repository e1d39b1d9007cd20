/**
 * Whether a capture with a store keeps up with new conversations: as root,
 * `deno run -A bench/capture_store.ts [per second] [seconds]`.
 *
 * tcpreplay sends whole TCP connections of 8 packets over a veth pair, each between other addresses, and
 * `capture --store` takes them. Beside what it says at its end, its memory is told every 30 seconds, and
 * what is in the store.
 */
import { DatabaseSync } from "node:sqlite";
import { connection } from "../tests/conversations.ts";
import { withNamespaces } from "../tests/namespaces.ts";
import { pcap } from "../tests/packets.ts";
import { memoryOf } from "../tests/process_status.ts";
import { RunningProgram } from "../tests/cli/program.ts";

const CONVERSATIONS = 10_000;
const TELL_EVERY = 30_000;
/** Until conversations that said FIN are over, and the store was flushed; milliseconds. */
const SETTLE = 10_000;

const [rate = "5000", seconds = "300"] = Deno.args;
const loops = Math.max(1, Math.round(Number(rate) * Number(seconds) / CONVERSATIONS));
const packets = Array.from({ length: CONVERSATIONS }, (_, i) =>
  connection(
    `10.${i % 8}.${(i >> 3) % 250}.${100 + i % 50}`,
    1_024 + i % 60_000,
    `198.18.${i % 100}.${(i >> 5) % 200}`,
    443,
  )).flat();
const sent = packets.length * loops;

const directory = await Deno.makeTempDir({ prefix: "flosensor-bench-" });
const path = `${directory}/flows.db`;
const file = `${directory}/connections.pcap`;
await Deno.writeFile(file, pcap(packets.map((packet) => ({ packet, seconds: 1_790_000_000 }))));

/** Memory that is not shared with files, in MB. */
function memory(pid: number): number {
  return Math.round(memoryOf(pid, "RssAnon") / 1e6);
}

try {
  await withNamespaces(async (pair) => {
    await using capture = new RunningProgram(
      ["capture", "veth0", "10.0.0.0/8", "--no-redis", "--store", path, "--stats", "30"],
      { command: (program, args, options) => pair.command(program, args, options) },
    );
    await capture.says("capturing on");
    const start = performance.now();
    const timer = setInterval(() => {
      const passed = Math.round((performance.now() - start) / 1000);
      console.log(
        `${passed} s: ${memory(capture.pid)} MB memory, ` +
          `${Math.round(Deno.statSync(path).size / 1e6)} MB file`,
      );
    }, TELL_EVERY);
    const packetsPerSecond = Number(rate) * packets.length / CONVERSATIONS;
    await pair.replay(file, {
      packetsPerSecond,
      args: ["--preload-pcap", `--loop=${loops}`, "--unique-ip"],
    });
    clearInterval(timer);
    const took = (performance.now() - start) / 1000;
    await new Promise((resolve) => setTimeout(resolve, SETTLE));
    capture.signal("SIGTERM");
    const { status, stderr } = await capture.ended;
    console.log(
      `sent ${sent} packets of ${loops * CONVERSATIONS} conversations in ${took.toFixed(0)} s ` +
        `(${Math.round(loops * CONVERSATIONS / took)} conversations/s)`,
    );
    console.log(`capture ended with ${status}`);
    const last = stderr.slice(stderr.lastIndexOf("flosensor: packets:")).split("\n")[0];
    console.log([last, ...stderr.split("\n").filter((it) => /warning|error/.test(it))].join("\n"));
    using store = new DatabaseSync(path, { readOnly: true });
    const one = (sql: string) => Object.values(store.prepare(sql).get()!).join(", ");
    console.log(
      `store: ${one("SELECT count(*) FROM (SELECT DISTINCT run, conversation FROM slice)")} ` +
        `conversations, ${
          one("SELECT sum(packets_client + packets_server) FROM slice")
        } packets, ` +
        `lost ${one("SELECT lost_records, lost_observations, lost_names FROM run")}; ` +
        `integrity ${one("PRAGMA integrity_check")}`,
    );
  });
} finally {
  await Deno.remove(directory, { recursive: true });
}
