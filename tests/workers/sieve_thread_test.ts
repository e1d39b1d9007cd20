import assert from "node:assert/strict";
import { join } from "node:path";
import { PacketBatch } from "../../src/capture/packet_batch.ts";
import type { PacketSource } from "../../src/capture/packet_source.ts";
import { Assign, DST, LowerPort, Service, SRC } from "../../src/config/mod.ts";
import { TimeOrigin } from "../../src/capture/time_origin.ts";
import { FilteredSource } from "../../src/capture/filtered_source.ts";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { Meters, type MetersStatistics } from "../../src/cli/meters.ts";
import { FlowMeter } from "../../src/flow/flow_meter.ts";
import { OBSERVATION_WORDS } from "../../src/flow/observation_batch.ts";
import { keyText } from "../../src/sink/keys.ts";
import { UserError } from "../../src/user_error.ts";
import { SieveThread, type SiftedFile } from "../../src/workers/sieve_thread.ts";
import { newSieveWorker } from "../../src/workers/sieve_start.ts";
import { connection } from "../conversations.ts";
import { HAS_LIBPCAP, isProgram, WITHOUT_LIBPCAP } from "../installed.ts";
import { mappingOf } from "../observed_keys.ts";
import { ACK, bytes, ethernet, ip, ipUdp, pcap, SYN, tcp, type Timed, udp } from "../packets.ts";
import { HAS_SHARED_CAPTURES, sharedCapture, WITHOUT_SHARED_CAPTURES } from "../shared_captures.ts";

const FIRST_SECOND = 1_700_000_000;
const MAPPING = mappingOf({}, ["10.0.0.0/8", "192.168.0.0/16", "2001:db8::/32"]);

/** What a meter made of a capture: its keys in order, what it counted, and why it ended early. */
interface Story {
  readonly keys: readonly string[];
  readonly decoded: readonly number[];
  readonly undecoded: MetersStatistics["flows"]["undecoded"];
  readonly became: MetersStatistics["flows"]["became"];
  readonly examples: MetersStatistics["flows"]["examples"];
  readonly dns: MetersStatistics["dns"];
  readonly received: number;
  readonly error: string | null;
}

async function story(
  open: (meter: FlowMeter) => PacketSource | SiftedFile,
): Promise<Story> {
  const { meter, meters, keys } = collecting();
  const source = open(meter);
  let error: string | null = null;
  try {
    for (let batch; (batch = await source.next()) !== null;) {
      if (batch instanceof PacketBatch) meter.take(batch);
      else meter.takeSightings(batch);
    }
  } catch (thrown) {
    assert.ok(thrown instanceof UserError, String(thrown));
    error = thrown.message;
  }
  source.close();
  meter.flush();
  const { received } = source.statistics();
  const { flows, dns } = meters.statistics();
  const { decoded, undecoded, became, examples } = flows;
  return { keys, decoded, undecoded, became, examples, dns, received, error };
}

/** Compares what becomes of a capture with a sieve in a thread, and without. */
async function assertSame(thread: SieveThread, path: string, filter?: string): Promise<Story> {
  const here = await story(() => {
    const source = SavefileSource.open(path);
    return filter === undefined ? source : new FilteredSource(source, filter);
  });
  const there = await story((meter) => thread.read(path, filter, meter.sieveSettings));
  assert.deepEqual(there, here, path);
  return there;
}

async function withThread(
  test: (thread: SieveThread, directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  const thread = new SieveThread();
  try {
    await test(thread, directory);
  } finally {
    thread.close();
    await Deno.remove(directory, { recursive: true });
  }
}

/** Connections of many seconds, in more packets than there is room for in all slots. */
function manyPackets(): Timed[] {
  const packets: Timed[] = [];
  for (let i = 0; i < 5000; i++) {
    const client = `10.${i % 7}.0.${i % 250}`;
    for (const packet of connection(client, 20_000 + i, "198.51.100.2", 443)) {
      packets.push({ packet, seconds: FIRST_SECOND + Math.floor(i / 100) });
    }
  }
  return packets;
}

const PACKETS = manyPackets();
const LONG_CAPTURE = pcap(PACKETS);

Deno.test({
  name:
    `a thread's sieve leads to the keys that there are here, of every shared capture${WITHOUT_SHARED_CAPTURES}`,
  ignore: !HAS_SHARED_CAPTURES,
  fn: () =>
    withThread(async (thread) => {
      for (const { name } of Deno.readDirSync(sharedCapture("pcap"))) {
        await assertSame(thread, sharedCapture(`pcap/${name}`));
      }
    }),
});

Deno.test("a thread sifts a long capture, and one that is cut, as they are read here", () =>
  withThread(async (thread, directory) => {
    const path = join(directory, "long.pcap");
    const capture = LONG_CAPTURE;
    await Deno.writeFile(path, capture);
    const { keys, error } = await assertSame(thread, path);
    assert.equal(error, null);
    assert.ok(keys.length > 5000);

    await Deno.writeFile(path, capture.subarray(0, capture.length - 5));
    assert.match(
      (await assertSame(thread, path)).error!,
      /long\.pcap: is cut off: the record at byte/,
    );
  }));

Deno.test("a thread counts times from when it is told to, as it is done here", () =>
  withThread(async (thread, directory) => {
    const path = join(directory, "2106.pcap");
    const end = 0xffff_ffff;
    const times = [end - 1000, end - 900, end - 40, end - 20, end];
    await Deno.writeFile(
      path,
      pcap(PACKETS.slice(0, 5).map((it, i) => ({ ...it, seconds: times[i] }))),
    );
    for (const origin of [0, 86_400 * 49_000, 86_400 * 49_710]) {
      const told = TimeOrigin.of(origin);
      const here = await story(() => SavefileSource.open(path, undefined, told));
      let file: SiftedFile | undefined;
      const there = await story((meter) =>
        file = thread.read(path, undefined, meter.sieveSettings, origin)
      );
      assert.deepEqual(there, here);
      assert.equal(file?.untold, told.untold);
    }
  }));

Deno.test("what a thread was presumed to read is taken if it is that, and else it reads anew", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = join(directory, "long.pcap");
    const other = join(directory, "other.pcap");
    await Deno.writeFile(path, LONG_CAPTURE);
    await Deno.writeFile(other, pcap(PACKETS.toReversed()));
    const { maxConversations, readPorts, ownNetworks } = collecting().meter.sieveSettings;
    const settings = { maxConversations, readPorts, ownNetworks };
    const expected = await story(() => SavefileSource.open(path));
    const all = [
      { path, filter: undefined, settings },
      { path: other, filter: undefined, settings },
      { path: join(directory, "none"), filter: undefined, settings },
      { path, filter: "udp", settings },
      { path, filter: undefined, settings: { ...settings, maxConversations: 7 } },
      { path, filter: undefined, settings: { ...settings, ownNetworks: [] } },
      { path, filter: undefined, settings: { ...settings, readPorts: readPorts.with(443, 1) } },
    ];
    for (const presumed of all) {
      const thread = new SieveThread();
      try {
        const file = thread.presume(presumed);
        const { keys } = await story((meter) => {
          const read = thread.read(path, undefined, meter.sieveSettings);
          assert.equal(read === file, presumed === all[0]);
          return read;
        });
        assert.deepEqual(keys, expected.keys);
        await assertSame(thread, other);
      } finally {
        thread.close();
      }
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("a thread that was loaded before anybody listened is known to be", async () => {
  const started = newSieveWorker();
  await started.loaded;
  const thread = new SieveThread(started);
  try {
    await thread.loaded;
    const path = await Deno.makeTempFile();
    await Deno.writeFile(path, LONG_CAPTURE);
    await assertSame(thread, path);
    await Deno.remove(path);
  } finally {
    thread.close();
  }
});

Deno.test("a thread sifts a packet that is longer than its memory for many", () =>
  withThread(async (thread, directory) => {
    const path = join(directory, "jumbo.pcap");
    const datagram = ipUdp("10.0.0.1", "198.51.100.2", udp(9, 99, "jumbo"));
    const frame = bytes(ethernet(datagram), new Uint8Array(1_000_000));
    const small = ethernet(ipUdp("10.0.0.2", "198.51.100.2", udp(9, 99, "small")));
    const packets = [small, frame, small].map((packet) => ({ packet, seconds: FIRST_SECOND }));
    const capture = pcap(packets);
    // The snapshot length, or so long a record would be taken for damage.
    new DataView(capture.buffer).setUint32(16, 2_000_000, true);
    await Deno.writeFile(path, capture);
    assert.equal((await assertSame(thread, path)).received, 3);
  }));

Deno.test({
  name: `a thread filters as it is done here${WITHOUT_LIBPCAP}`,
  ignore: !HAS_LIBPCAP,
  fn: () =>
    withThread(async (thread, directory) => {
      const path = join(directory, "long.pcap");
      await Deno.writeFile(path, LONG_CAPTURE);
      const { received } = await assertSame(thread, path, "src net 10.3.0.0/16");
      assert.ok(received > 0 && received < 10_000);
      const wrong = await story((meter) => thread.read(path, "nonsense", meter.sieveSettings));
      assert.match(wrong.error!, /nonsense/);
    }),
});

Deno.test("a file that is closed in its middle ends, and the thread reads no further", () =>
  withThread(async (thread, directory) => {
    const path = join(directory, "long.pcap");
    await Deno.writeFile(path, LONG_CAPTURE);
    const meter = new FlowMeter({ mapping: MAPPING, emit: () => {}, maxConversations: 100 });
    const file = thread.read(path, undefined, meter.sieveSettings);
    assert.notEqual(await file.next(), null);
    assert.ok(file.position > 0 && file.position <= file.size);
    file.close();
    assert.equal(await file.next(), null);
  }));

Deno.test("a thread reads another file after one that was closed in its middle, or was cut", () =>
  withThread(async (thread, directory) => {
    const path = join(directory, "long.pcap");
    await Deno.writeFile(path, LONG_CAPTURE);
    const settings = new FlowMeter({ mapping: MAPPING, emit: () => {}, maxConversations: 100 })
      .sieveSettings;
    for (let round = 0; round < 5; round++) {
      const file = thread.read(path, undefined, settings);
      assert.notEqual(await file.next(), null);
      file.close();
    }
    const cut = join(directory, "cut.pcap");
    await Deno.writeFile(cut, LONG_CAPTURE.subarray(0, 50_000));
    for (let round = 0; round < 5; round++) {
      assert.notEqual((await assertSame(thread, cut)).error, null);
      assert.equal((await assertSame(thread, path)).error, null);
    }
    // What was in the memory before is no part of a short file.
    for (let size = 0; size < 40; size++) {
      await Deno.writeFile(cut, LONG_CAPTURE.subarray(0, size));
      await assertSame(thread, cut);
    }
  }));

/** Meters of flows and of DNS, and the keys that they write. */
function collecting(
  maxConversations = 50_000,
  mapping = MAPPING,
): { meters: Meters; meter: FlowMeter; keys: string[] } {
  const keys: string[] = [];
  const meters = new Meters({
    maxConversations,
    mapping,
    emit: ({ words, count }) => {
      for (let i = 0; i < count; i++) keys.push(keyText(words, i * OBSERVATION_WORDS));
    },
    emitNames: (writes) => keys.push(...writes.map(({ key, name }) => `${key} ${name}`)),
    names: undefined,
  });
  return { meters, meter: meters.flows, keys };
}

/** Has a meter take a file without a thread. */
async function takeFileHere(meter: FlowMeter, path: string): Promise<void> {
  const source = SavefileSource.open(path);
  for (let batch; (batch = await source.next()) !== null;) meter.take(batch);
  source.close();
  meter.flush();
}

/** Has a meter take a file, or as many batches of it as told. */
async function takeFile(
  thread: SieveThread,
  meter: FlowMeter,
  path: string,
  batches = Infinity,
): Promise<void> {
  const file = thread.read(path, undefined, meter.sieveSettings);
  for (let i = 0, batch; i < batches && (batch = await file.next()) !== null; i++) {
    meter.takeSightings(batch);
  }
  file.close();
  meter.flush();
}

Deno.test("conversations go on from one file of a thread to the next, as they do here", () =>
  withThread(async (thread, directory) => {
    const paths = [0, 1].map((part) => join(directory, `${part}.pcap`));
    // Each connection has 8 packets: its first half is in the one file, its second in the other.
    for (const [i, path] of paths.entries()) {
      const half = PACKETS.filter((_, packet) => (packet % 8 < 4) === (i === 0));
      await Deno.writeFile(path, pcap(half));
    }
    const here = collecting();
    const there = collecting();
    for (const path of paths) {
      await takeFileHere(here.meter, path);
      await takeFile(thread, there.meter, path);
    }
    assert.deepEqual(there.keys, here.keys);
    assert.deepEqual(there.meter.statistics(), here.meter.statistics());
  }));

Deno.test("after SYN as many payloads are looked at as at first, with a thread and here", () =>
  withThread(async (thread, directory) => {
    const path = join(directory, "syn.pcap");
    // The connection was there before. Whatever SYN says of it is not believed, but what follows is read.
    const there = (payload: string) =>
      ip("10.0.0.9", "198.51.100.2", tcp(1000, 9000, ACK, payload));
    const syn = ip("198.51.100.2", "10.0.0.9", tcp(9000, 1000, SYN));
    const packets = [...new Array(4).fill(there("?")), syn, there("GET / HTTP/1.1\r\n")];
    await Deno.writeFile(
      path,
      pcap(packets.map((packet) => ({ packet: ethernet(packet), seconds: FIRST_SECOND }))),
    );
    const { keys } = await assertSame(thread, path);
    assert.ok(keys.includes("10.0.0.9;198.51.100.2;9000;flow"), keys.join("\n"));
  }));

Deno.test("a meter has all keys of a file, of which it has taken a part before", () =>
  withThread(async (thread, directory) => {
    const path = join(directory, "long.pcap");
    await Deno.writeFile(path, LONG_CAPTURE);
    const whole = collecting();
    await takeFile(thread, whole.meter, path);
    const { meter, keys } = collecting();
    await takeFile(thread, meter, path, 2);
    assert.ok(keys.length > 0 && keys.length < whole.keys.length);
    await takeFile(thread, meter, path);
    assert.deepEqual(new Set(keys), new Set(whole.keys));
  }));

Deno.test("a correction is written while as much is judged as may wait, with a thread and here", () =>
  withThread(async (thread, directory) => {
    const path = join(directory, "full.pcap");
    const [client, server] = ["10.0.0.1", "10.0.0.2"];
    // Nothing is decided of what the server sends: the other direction has to be corrected by itself.
    const mapping = mappingOf({
      suppressOwnNetwork: false,
      networks: [["client", "10.0.0.1/32"], ["server", "10.0.0.2/32"], ["others", "0.0.0.0/0"]],
      flows: [
        ["client", "server", Service()],
        ["client", "server", LowerPort()],
        ["others", "server", LowerPort()],
        ["others", "others", LowerPort()],
      ],
    }, []);
    const packets: Timed[] = [];
    const add = (second: number, from: string, port: number, to: string, toPort: number) => {
      const packet = ethernet(ip(from, to, tcp(port, toPort, ACK)));
      packets.push({ packet, seconds: FIRST_SECOND + second });
    };
    // The lower port is the client's own, until others are seen to use the server.
    add(0, client, 5000, server, 7000);
    add(1, client, 5000, server, 7000);
    for (let i = 1; i < 8; i++) add(2, `10.0.1.${i}`, 6000 + i, server, 7000);
    add(2, server, 7000, client, 5000);
    // As many as may wait for their judgement, 8 of which are there.
    for (let i = 0; i < 65_536 - 8; i++) {
      add(2, `11.0.${i >> 8}.${i & 255}`, 1000, "10.200.0.1", 443);
    }
    add(5, "10.9.9.9", 5000, server, 9);
    await Deno.writeFile(path, pcap(packets));
    const here = collecting(100_000, mapping);
    await takeFileHere(here.meter, path);
    const there = collecting(100_000, mapping);
    await takeFile(thread, there.meter, path);
    assert.ok(here.keys.includes("10.0.0.1;10.0.0.2;7000;flow"));
    assert.deepEqual(there.keys, here.keys);
  }));

Deno.test("no key is lost where a thread's sieve forgets conversations for want of room", () =>
  withThread(async (thread, directory) => {
    const path = join(directory, "long.pcap");
    await Deno.writeFile(path, LONG_CAPTURE);
    const all = collecting();
    await takeFile(thread, all.meter, path);
    const few = collecting(100);
    await takeFile(thread, few.meter, path);
    assert.ok(few.meter.statistics().forgotten > 1000);
    assert.equal(few.meter.statistics().conversations, 100);
    assert.deepEqual(new Set(few.keys), new Set(all.keys));
  }));

Deno.test("a mapping that is set in the middle of a file judges all conversations anew", () =>
  withThread(async (thread, directory) => {
    const path = join(directory, "one.pcap");
    const packet = (port: number) =>
      ethernet(ipUdp("10.0.0.1", "198.51.100.2", udp(port, 99, "x".repeat(1000))));
    // In between is more than the thread can be ahead.
    const between = Array.from({ length: 25_000 }, (_, i) => packet(30_000 + i));
    const packets = [packet(1), ...between, packet(1)];
    await Deno.writeFile(path, pcap(packets.map((it) => ({ packet: it, seconds: FIRST_SECOND }))));
    const { meter, keys } = collecting();
    const file = thread.read(path, undefined, meter.sieveSettings);
    const turned = mappingOf({ flows: [[null, null, Assign(DST, SRC)]] }, []);
    let isSet = false;
    for (let batch; (batch = await file.next()) !== null;) {
      meter.takeSightings(batch);
      if (!isSet) meter.setMapping(turned);
      isSet = true;
    }
    file.close();
    meter.flush();
    const flows = keys.filter((key) => key.endsWith(";1;flow"));
    assert.deepEqual(flows, ["198.51.100.2;10.0.0.1;1;flow"]);
    assert.ok(keys.includes("10.0.0.1;198.51.100.2;99;flow"));
  }));

Deno.test("a file that has gone meanwhile is said to be missing", () =>
  withThread(async (thread, directory) => {
    const path = join(directory, "gone.pcap");
    const { error } = await story((meter) => thread.read(path, undefined, meter.sieveSettings));
    assert.equal(error, `${path}: there is no such file`);
  }));

Deno.test("a thread is started for much to read only, and for files only", () =>
  withThread((_, directory) => {
    const few = join(directory, "few.pcap");
    Deno.writeTextFileSync(few, "few bytes");
    assert.equal(SieveThread.startFor([few, "10.0.0.0/8"]), null);
    const long = join(directory, "long.pcap");
    Deno.writeFileSync(long, new Uint8Array(20_000_000));
    // What comes out of a pipe is live, and nothing of it may be left waiting.
    assert.equal(SieveThread.startFor([long, "-"]), null);
    // Whatever else is on a command line does not matter.
    assert.equal(SieveThread.startFor(["replay", "--filter", "", "--json", few]), null);
    const thread = SieveThread.startFor([long, "10.0.0.0/8"]);
    assert.equal(thread !== null, navigator.hardwareConcurrency > 1);
    thread?.close();
    return Promise.resolve();
  }));

const HAS_SCRIPT = isProgram("script", "--version");

/**
 * Runs a replay on a terminal, as nobody is asked for permission where there is none: script(1). It is
 * in a folder that may not be read, and each question is answered with no.
 */
async function saidOnTerminal(mayRead: string, words: string[]): Promise<string> {
  const modules = new URL("../../", import.meta.url).pathname;
  const run = [
    ...[Deno.execPath(), "run", "--quiet", "--no-lock", `--allow-read=${modules},${mayRead}`],
    ...[join(modules, "mod.ts"), "replay", ...words],
  ];
  const args = ["-qec", run.map((word) => `'${word}'`).join(" "), "/dev/null"];
  const options = { args, cwd: "/", stdin: "piped", stdout: "piped" } as const;
  const terminal = new Deno.Command("script", options).spawn();
  const answers = terminal.stdin.getWriter();
  await answers.write(new TextEncoder().encode("n\n".repeat(20)));
  const { stdout } = await terminal.output();
  await answers.close().catch(() => {});
  return new TextDecoder().decode(stdout);
}

Deno.test({
  name: "nobody is asked for permission to look at what is no capture" +
    (HAS_SCRIPT ? "" : " (skipped: script(1) is not installed)"),
  ignore: !HAS_SCRIPT,
  fn: async () => {
    const directory = await Deno.makeTempDir();
    try {
      const path = join(directory, "long.pcap");
      // Longer than what a thread is worth; zeros are records, too, of no bytes.
      const record = { packet: new Uint8Array(60), seconds: FIRST_SECOND };
      await Deno.writeFile(path, bytes(pcap([record]), new Uint8Array(20_000_000)));
      const config = join(directory, "config.ts");
      await Deno.writeTextFile(
        config,
        `import { defineConfig } from "flosensor/config"; export default defineConfig({});`,
      );
      const words = ["--no-redis", "--json", "--config", config, path];
      const said = await saidOnTerminal(directory, words);
      assert.match(said, /packets: \d+ received/);
      assert.doesNotMatch(said, /requests|defect/);
      assert.match(
        await saidOnTerminal(directory, ["--stats", "", path]),
        /error: [^\n]*--stats/,
      );
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
