/** What probes are told while something is wrong; with Redis, in `redis_faults_test.ts`. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { ClickHouseServer, HAS_CLICKHOUSE, NO_CLICKHOUSE } from "../clickhouse_server.ts";
import { connection } from "../conversations.ts";
import { fillDisk } from "../fill_disk.ts";
import { isProgram } from "../installed.ts";
import { CAN_MAKE_NAMESPACES, run, until, WITHOUT_NAMESPACES } from "../namespaces.ts";
import { captureTest, IMPORT, type Setting, startCapture } from "./capture_setting.ts";
import { HealthWatch } from "./health_watch.ts";
import { PERMISSIONS, type ProgramOptions, RunningProgram } from "./program.ts";
import { capture, OWN_NETWORKS, SAMPLE_KEYS } from "./sample_capture.ts";

const HAS_PRLIMIT = isProgram("prlimit", "--version");
const PLACE = "127.0.0.1:3048";
const SOON = { config: `${IMPORT}export default defineConfig({ flushInterval: 0.1 });\n` };

/** Takes connections, and all that comes by them. */
const COLLECTOR = `import socket
listener, taken = socket.create_server(("127.0.0.1", 4739)), []
while True: taken.append(listener.accept())`;

/** Has connections pass all the time that nobody saw before, until it is ended. */
function newConnections({ pair, directory }: Setting): AsyncDisposable {
  let isOver = false;
  const send = async () => {
    for (let i = 0; !isOver; i++) {
      const file = join(directory, "connections.pcap");
      const packets = Array.from(
        { length: 100 },
        (_, at) => connection(`10.1.${i % 256}.${at + 1}`, 40_000, "198.51.100.80", 443),
      );
      await Deno.writeFile(file, capture(packets.flat()));
      await pair.replay(file);
    }
  };
  const sending = send();
  return {
    async [Symbol.asyncDispose]() {
      isOver = true;
      await sending.catch(() => {});
    },
  };
}

/** The process was well all the time, and ends well. */
async function end(program: RunningProgram, health: HealthWatch): Promise<void> {
  assert.ok(health.troubles.every(({ isAlive }) => isAlive), JSON.stringify(health.seen));
  program.signal("SIGTERM");
  const { status, stderr } = await program.ended;
  assert.equal(status, 0, stderr);
}

for (const source of ["libpcap", "af_packet"]) {
  captureTest(`probes are told that an interface is gone: --source ${source}`, async (setting) => {
    await using program = await startCapture(setting, [
      ...["veth0", ...OWN_NETWORKS, "--json", "--no-redis", "--source", source],
      ...["--metrics", PLACE],
    ]);
    await using health = await HealthWatch.start(setting.pair, PLACE);
    await health.isReadyAgain();
    await setting.pair.removeVeth();
    await health.says(503, /^veth0 has vanished\n$/);
    await setting.pair.addVeth();
    await health.isReadyAgain();
    await end(program, health);
  });
}

captureTest("probes are told that the disk of a store is full", async (setting) => {
  const disk = join(setting.directory, "disk");
  const filler = join(disk, "filler");
  await Deno.mkdir(disk);
  assert.equal((await run("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk)).code, 0);
  try {
    await using program = await startCapture(setting, [
      ...["veth0", ...OWN_NETWORKS, "--store", join(disk, "flows.db"), "--metrics", PLACE],
    ]);
    await using health = await HealthWatch.start(setting.pair, PLACE);
    await health.isReadyAgain();
    {
      await using _sent = newConnections(setting);
      await fillDisk(filler);
      await health.says(503, /^store \S+\/flows\.db can't be written \(the disk is full\)\n$/);
    }
    await Deno.remove(filler);
    await health.isReadyAgain();
    await end(program, health);
  } finally {
    await run("umount", "--lazy", disk);
  }
}, SOON);

captureTest("probes are told that a collector of IPFIX is away", async (setting) => {
  await using program = await startCapture(setting, [
    ...["veth0", ...OWN_NETWORKS, "--json", "--no-redis", "--ipfix", "tcp://127.0.0.1:4739"],
    ...["--metrics", PLACE],
  ]);
  await using health = await HealthWatch.start(setting.pair, PLACE);
  await health.says(503, /^tcp:\/\/127\.0\.0\.1:4739: connection refused\n$/);
  await using _collector = setting.pair.command("python3", ["-c", COLLECTOR]).spawn();
  await health.isReadyAgain();
  await end(program, health);
}, SOON);

captureTest("probes are told that a ClickHouse is away", async (setting) => {
  const spool = join(setting.directory, "spool");
  await using server = await ClickHouseServer.start({
    at: { namespace: setting.pair.sensor, address: "127.0.0.1" },
  });
  await using program = await startCapture(setting, [
    ...["veth0", ...OWN_NETWORKS, "--clickhouse", server.url, "--metrics", PLACE],
    ...["--clickhouse-spool", spool],
  ], PERMISSIONS.map((it) => it.replace("--allow-write=/,", `--allow-write=/,${spool},`)));
  await using health = await HealthWatch.start(setting.pair, PLACE);
  await health.isReadyAgain();
  {
    await using _sent = newConnections(setting);
    await server.halt();
    await health.says(
      503,
      /^ClickHouse at http:\/\/127\.0\.0\.1:\d+\/flosensor can't be written \(.*\)\n$/,
    );
  }
  await server.run();
  await health.isReadyAgain();
  await end(program, health);
}, {
  ...SOON,
  ignore: !CAN_MAKE_NAMESPACES || !HAS_CLICKHOUSE,
  reason: WITHOUT_NAMESPACES || NO_CLICKHOUSE,
});

/** Holds connections open to the port of its argument, as many as it gets, until its input ends. */
const HOLDER = `import socket, sys
held = []
for _ in range(300):
    try: held.append(socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2))
    except OSError: break
print(len(held), flush=True)
sys.stdin.read()`;
/** Files that the sensor may have open: more than it needs, fewer than connections that are held. */
const FILES = 100;
const PAGE_PLACE = "127.0.0.1:3047";

for (const [what, place] of [["metrics", PLACE], ["the page", PAGE_PLACE]]) {
  captureTest(
    `a capture outlives more connections to ${what} than there is room for`,
    async (setting) => {
      const { pair, config, file } = setting;
      const limited: ProgramOptions["command"] = (name, args, options) =>
        pair.command("prlimit", [`--nofile=${FILES}:${FILES}`, name, ...args], options);
      await using program = new RunningProgram([
        ...["capture", "veth0", ...OWN_NETWORKS, "--json", "--no-redis", "-c", config],
        ...["--metrics", PLACE, "--listen", PAGE_PLACE],
      ], { command: limited });
      await program.says("capturing on");
      const port = place.split(":")[1];
      const holder = pair.command("python3", ["-c", HOLDER, port], {
        stdin: "piped",
        stdout: "piped",
      }).spawn();
      try {
        await program.says(`${place}: connections can't be taken (Too many open files)`);
        await pair.replay(file);
        await program.prints(`"${SAMPLE_KEYS[0]}"`);
      } finally {
        await holder.stdin.close();
        await holder.output();
      }
      await until(async () =>
        (await pair.command("curl", ["--silent", "--fail", `http://${place}/`]).output()).success
      );
      program.signal("SIGTERM");
      const { status, stderr } = await program.ended;
      assert.equal(status, 0, stderr);
      assert.equal(stderr.match(/can't be taken/g)!.length, 1, stderr);
    },
    {
      ignore: !CAN_MAKE_NAMESPACES || !HAS_PRLIMIT,
      reason: WITHOUT_NAMESPACES || (HAS_PRLIMIT ? "" : " (skipped: needs prlimit)"),
    },
  );
}

for (const source of ["libpcap", "af_packet"]) {
  captureTest(
    `a capture that may open no more files goes on, and opens what comes back: ${source}`,
    async (setting) => {
      const { pair, directory, file } = setting;
      await using program = await startCapture(setting, [
        ...["veth0", ...OWN_NETWORKS, "--json", "--no-redis", "--source", source],
      ]);
      const limit = async (files: string) => {
        const { code } = await run("prlimit", "--pid", String(program.pid), `--nofile=${files}:`);
        assert.equal(code, 0);
      };
      const wait = () => new Promise((resolve) => setTimeout(resolve, 2_500));
      await limit("3");
      // It looks at the interface meanwhile.
      await wait();
      await pair.replay(file);
      await program.prints(`"${SAMPLE_KEYS[0]}"`);
      await pair.removeVeth();
      await program.says("veth0 has vanished");
      await pair.addVeth();
      await program.says("veth0 is up: capture goes on");
      const again = join(directory, "again.pcap");
      await Deno.writeFile(again, capture(connection("10.1.0.77", 50_000, "198.51.100.80", 443)));
      await pair.replay(again);
      await program.prints('"10.1.0.77;198.51.100.80;');
      program.signal("SIGTERM");
      const { status, stderr } = await program.ended;
      assert.equal(status, 0, stderr);
      assert.equal(stderr.match(/has vanished/g)!.length, 1, stderr);
    },
    {
      ignore: !CAN_MAKE_NAMESPACES || !HAS_PRLIMIT,
      reason: WITHOUT_NAMESPACES || (HAS_PRLIMIT ? "" : " (skipped: needs prlimit)"),
    },
  );
}
