import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { FFI_PATHS } from "../../ffi/library.ts";
import { DEFAULT_LIVE_OPTIONS } from "../../src/capture/live_options.ts";
import { LiveSource } from "../../src/capture/live_source.ts";
import { MemoryLog } from "../memory_log.ts";
import {
  CAN_MAKE_NAMESPACES,
  type NamespacePair,
  until,
  withNamespaces,
  WITHOUT_NAMESPACES,
} from "../namespaces.ts";
import { ethernet, ip, ipUdp, pcap, tcp, udp } from "../packets.ts";
import type { Line } from "./live_child.ts";

const CHILD = fileURLToPath(new URL("live_child.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
/** What a capture needs, and nothing else. */
const PERMISSIONS = ["--no-prompt", `--allow-ffi=${FFI_PATHS.join(",")}`];
/** The kernel of the test sends some packets of its own: none of them has this port. */
const PORT = 4739;
const OURS = `port ${PORT}`;
const ETHERNET = 1;
const SLL2 = 276;

/** The child, and what it has said last. */
class Capture {
  line: Line = { state: "ready", sources: {}, log: [] };
  #hasSaid = false;
  readonly #process: Deno.ChildProcess;
  readonly #read: Promise<void>;

  constructor(command: Deno.Command) {
    this.#process = command.spawn();
    this.#read = this.#readLines();
  }

  static async start(
    pair: NamespacePair,
    interfaces: string,
    options: Record<string, unknown> = {},
    { prefix = [], permissions = PERMISSIONS, env = {} }: {
      prefix?: string[];
      permissions?: string[];
      env?: Record<string, string>;
    } = {},
  ): Promise<Capture> {
    const [program, ...args] = [
      ...prefix,
      ...[Deno.execPath(), "run", "--quiet", "--config", CONFIG, ...permissions],
      ...[CHILD, interfaces, JSON.stringify({ filter: OURS, ...options })],
    ];
    const capture = new Capture(pair.command(program, args, { stdout: "piped", env }));
    await capture.until(() => true);
    return capture;
  }

  /** Waits until the child has said something for which a condition holds. */
  async until(condition: (line: Line) => boolean): Promise<void> {
    try {
      await until(() => this.#hasSaid && condition(this.line));
    } catch (error) {
      throw new Error(`${error}\n${JSON.stringify(this.line)}`);
    }
  }

  packets(name = "veth0"): number {
    return this.line.sources[name].packets;
  }

  signal(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  async stop(): Promise<Line> {
    this.signal("SIGTERM");
    await this.#read;
    await this.#process.status;
    return this.line;
  }

  async ended(): Promise<Line> {
    await this.#read;
    await this.#process.status;
    return this.line;
  }

  async #readLines(): Promise<void> {
    let rest = "";
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      if (lines.length === 0) continue;
      this.line = JSON.parse(lines.at(-1)!);
      this.#hasSaid = true;
    }
    this.#hasSaid = true;
  }
}

/** A test in namespaces of its own, with a capture of 1000 packets of 96 bytes to send. */
function liveTest(name: string, run: (pair: NamespacePair, file: string) => Promise<void>): void {
  Deno.test({
    name: name + WITHOUT_NAMESPACES,
    ignore: !CAN_MAKE_NAMESPACES,
    fn: () =>
      withNamespaces(async (pair) => {
        const file = await Deno.makeTempFile({ suffix: ".pcap" });
        try {
          const packet = ethernet(ipUdp("10.1.0.1", "10.99.0.1", udp(PORT, 2055, "x".repeat(54))));
          assert.equal(packet.length, 96);
          await Deno.writeFile(file, packets(1000, packet));
          await run(pair, file);
        } finally {
          await Deno.remove(file);
        }
      }),
  });
}

function packets(count: number, packet: Uint8Array): Uint8Array<ArrayBuffer> {
  return pcap(Array.from({ length: count }, () => ({ packet, seconds: 1 })));
}

liveTest(
  "LiveSource gives every packet, with no permission but the libraries",
  async (pair, file) => {
    const capture = await Capture.start(pair, "veth0");
    await pair.replay(file, { args: ["--loop=20", "-K"], packetsPerSecond: 100_000 });
    await capture.until(() => capture.packets() >= 20_000);
    const { sources: { veth0 }, log } = await capture.stop();
    assert.equal(veth0.packets, 20_000);
    assert.equal(veth0.bytes, 20_000 * 96);
    assert.equal(veth0.mostCaptured, 96);
    assert.equal(veth0.linkType, ETHERNET);
    assert.equal(veth0.received, 20_000);
    assert.equal(veth0.droppedByKernel, 0);
    const sent = ethernet(ipUdp("10.1.0.1", "10.99.0.1", udp(PORT, 2055, "x".repeat(54))));
    assert.equal(veth0.last, sent.toHex());
    assert.deepEqual(log, []);
  },
);

liveTest("LiveSource cuts packets to the snapshot length", async (pair, file) => {
  const packet = ethernet(ipUdp("10.1.0.1", "10.99.0.1", udp(PORT, 2055, "y".repeat(1200))));
  await Deno.writeFile(file, packets(5000, packet));
  for (const snaplen of [60, 262_144]) {
    const capture = await Capture.start(pair, "veth0", { snaplen });
    await pair.replay(file, { packetsPerSecond: 50_000 });
    await capture.until(() => capture.packets() >= 5000);
    const { sources: { veth0 } } = await capture.stop();
    assert.equal(veth0.packets, 5000);
    assert.equal(veth0.bytes, 5000 * packet.length);
    assert.equal(veth0.mostCaptured, Math.min(snaplen, packet.length));
    assert.equal(veth0.last, packet.subarray(0, snaplen).toHex());
  }
});

liveTest("LiveSource puts a VLAN tag that the kernel took off back", async (pair, file) => {
  const packet = ethernet(ip("10.1.0.1", "10.99.0.1", tcp(PORT, 80)), [42]);
  await Deno.writeFile(file, packets(10, packet));
  const capture = await Capture.start(pair, "veth0", { filter: `vlan 42 and tcp ${OURS}` });
  await pair.replay(file);
  await capture.until(() => capture.packets() >= 10);
  const { sources: { veth0 } } = await capture.stop();
  assert.equal(veth0.last, packet.toHex());
});

liveTest("LiveSource takes one direction only if told so", async (pair, file) => {
  for (const [direction, expected] of [["in", 1000], ["out", 2000], ["inout", 3000]] as const) {
    const capture = await Capture.start(pair, "veth0", { direction });
    await pair.replay(file);
    await pair.replay(file, { namespace: pair.sensor, peer: "veth0", args: ["--loop=2", "-K"] });
    await capture.until(() => capture.packets() >= expected);
    assert.equal((await capture.stop()).sources.veth0.packets, expected, direction);
  }
});

liveTest("LiveSource takes only what a filter matches", async (pair, file) => {
  const flow = (port: number) => ethernet(ip("10.1.0.1", "10.99.0.1", tcp(PORT, port)));
  const timed = [80, 443, 443].map((port) => ({ packet: flow(port), seconds: 1 }));
  await Deno.writeFile(file, pcap(timed));
  const capture = await Capture.start(pair, "veth0", { filter: `tcp dst port 443 and ${OURS}` });
  await pair.replay(file);
  await capture.until(() => capture.packets() >= 2);
  const { sources: { veth0 } } = await capture.stop();
  assert.equal(veth0.packets, 2);
  assert.equal(veth0.received, 2);
});

liveTest("LiveSource takes from several interfaces, and from any", async (pair, file) => {
  await pair.addVeth("veth1", "peer1");
  const capture = await Capture.start(pair, "veth0,veth1,any");
  await pair.replay(file);
  await pair.replay(file, { peer: "peer1", args: ["--loop=2", "-K"] });
  await capture.until(() => capture.packets("any") >= 3000);
  await capture.until(() => capture.packets("veth0") + capture.packets("veth1") >= 3000);
  const { sources: { veth0, veth1, any }, log } = await capture.stop();
  assert.equal(veth0.packets, 1000);
  assert.equal(veth1.packets, 2000);
  assert.equal(any.packets, 3000);
  assert.equal(any.linkType, SLL2);
  assert.deepEqual(log, []);
});

liveTest("LiveSource waits for an interface that goes down", async (pair, file) => {
  const capture = await Capture.start(pair, "veth0");
  await pair.replay(file);
  await pair.ip("link", "set", "veth0", "down");
  await capture.until(({ log }) => log.length === 1);
  await pair.ip("link", "set", "veth0", "up");
  await capture.until(({ log }) => log.length === 2);
  await pair.replay(file);
  await capture.until(() => capture.packets() >= 2000);
  const { sources: { veth0 }, log } = await capture.stop();
  assert.equal(veth0.packets, 2000);
  assert.equal(veth0.received, 2000);
  assert.deepEqual(log, [
    "flosensor: warning: veth0 went down: capture waits for it to come back",
    "flosensor: veth0 is up: capture goes on",
  ]);
});

liveTest(
  "LiveSource waits for an interface that vanishes, and goes on counting",
  async (pair, file) => {
    const capture = await Capture.start(pair, "veth0");
    await pair.replay(file);
    await pair.removeVeth();
    await capture.until(({ log }) => log.length === 1);
    await pair.addVeth();
    await capture.until(({ log }) => log.length === 2);
    await pair.replay(file);
    await capture.until(() => capture.packets() >= 2000);
    // Another one of the same name, before anyone can see that there was none.
    await pair.removeVeth();
    await pair.addVeth();
    await capture.until(({ log }) => log.length === 4);
    await pair.replay(file);
    await capture.until(() => capture.packets() >= 3000);
    const { sources: { veth0 }, log } = await capture.stop();
    assert.equal(veth0.packets, 3000);
    assert.equal(veth0.received, 3000);
    assert.deepEqual([...new Set(log)], [
      "flosensor: warning: veth0 has vanished: capture waits for it to come back",
      "flosensor: veth0 is up: capture goes on",
    ]);
  },
);

liveTest("LiveSource waits for an interface that is down at the start", async (pair, file) => {
  await pair.ip("link", "set", "veth0", "down");
  const capture = await Capture.start(pair, "veth0");
  await pair.ip("link", "set", "veth0", "up");
  await capture.until(({ log }) => log.length === 2);
  await pair.replay(file);
  await capture.until(() => capture.packets() >= 1000);
  assert.deepEqual((await capture.stop()).log, [
    "flosensor: warning: veth0 is down: capture waits for it to come back",
    "flosensor: veth0 is up: capture goes on",
  ]);
});

liveTest("LiveSource counts what the kernel dropped", async (pair, file) => {
  const packet = ethernet(ipUdp("10.1.0.1", "10.99.0.1", udp(PORT, 2055, "z".repeat(1200))));
  await Deno.writeFile(file, packets(1000, packet));
  const options = { paused: true, bufferMebibytes: 1, snaplen: 65_535 };
  const capture = await Capture.start(pair, "veth0", options);
  // 25 MB, of which the buffer holds one.
  await pair.replay(file, { args: ["--loop=20", "-K"] });
  capture.signal("SIGUSR1");
  await capture.until(({ sources: { veth0 } }) =>
    veth0.received === 20_000 && veth0.packets + veth0.droppedByKernel === 20_000
  );
  const { sources: { veth0 } } = await capture.stop();
  assert.ok(veth0.droppedByKernel > 0 && veth0.packets > 0, JSON.stringify(veth0));
});

liveTest("LiveSource says which interfaces there are when one does not exist", async (pair) => {
  const { state, log } = await (await Capture.start(pair, "nope0")).ended();
  assert.equal(state, "failed");
  assert.match(log[0], /^nope0: no such interface; there are .*\bveth0\b/);
});

liveTest("LiveSource says what is wrong with a filter", async (pair) => {
  const capture = await Capture.start(pair, "veth0", { filter: "tcp prt 1" });
  assert.match((await capture.ended()).log[0], /^filter "tcp prt 1": .*syntax error/);
});

liveTest("LiveSource names the capability that is missing", async (pair) => {
  const prefix = [
    "setpriv",
    "--bounding-set=-net_raw,-net_admin",
    "--inh-caps=-net_raw,-net_admin",
  ];
  const { log } = await (await Capture.start(pair, "veth0", {}, { prefix })).ended();
  assert.match(log[0], /^veth0: .*permission.*: run as root, or once as root: setcap /);
  assert.ok(log[0].endsWith(`setcap cap_net_raw,cap_net_admin+eip ${Deno.execPath()}`), log[0]);
});

liveTest("LiveSource names a link type that is not decoded", async (pair) => {
  const { log } = await (await Capture.start(pair, "nflog")).ended();
  assert.match(log[0], /^nflog: its link type NFLOG \(.*\) is not one that flosensor decodes/);
});

liveTest("LiveSource says how to permit the libraries", async (pair) => {
  const { log } = await (await Capture.start(pair, "veth0", {}, { permissions: ["--no-prompt"] }))
    .ended();
  assert.match(log[0], /no permission to load it: run with --allow-ffi=\//);
  for (const path of FFI_PATHS) assert.ok(log[0].includes(path), path);
});

liveTest("LiveSource uses the libpcap that FLOSENSOR_LIBPCAP names", async (pair) => {
  const start = (path: string) =>
    Capture.start(pair, "veth0", {}, {
      permissions: ["--no-prompt", "--allow-ffi", "--allow-env=FLOSENSOR_LIBPCAP"],
      env: { FLOSENSOR_LIBPCAP: path },
    });
  assert.match(
    (await (await start("/nowhere/libpcap.so")).ended()).log[0],
    /^libpcap not found at \/nowhere\/libpcap\.so: set FLOSENSOR_LIBPCAP to /,
  );
  const isThere = (path: string) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  };
  const notLibpcap = FFI_PATHS.find((path) => path.includes("libc.so") && isThere(path))!;
  assert.match(
    (await (await start(notLibpcap)).ended()).log[0],
    /^libpcap can't be loaded: .*pcap_.*: set FLOSENSOR_LIBPCAP to /,
  );
});

Deno.test({
  name: "LiveSource.close() ends a pending next() with null" + WITHOUT_NAMESPACES,
  ignore: !CAN_MAKE_NAMESPACES,
  async fn() {
    const options = { ...DEFAULT_LIVE_OPTIONS, filter: "ether proto 0x1234" };
    const log = new MemoryLog();
    const source = LiveSource.open("lo", options, log);
    assert.equal((await source.next())?.count, 0);
    const pending = source.next();
    await assert.rejects(source.next(), /before the last is over/);
    source.close();
    assert.equal(await pending, null);
    assert.equal(await source.next(), null);
    source.close();
    assert.equal(source.statistics().received, 0);
    assert.deepEqual(log.lines, []);
  },
});
