import assert from "node:assert/strict";
import { allClosed } from "../../ffi/closings.ts";
import { DEFAULT_LIVE_OPTIONS } from "../../src/capture/live_options.ts";
import { openInterfaces } from "../../src/capture/open_interfaces.ts";
import type { SourceKind } from "../../src/capture/source_kind.ts";
import { MemoryLog } from "../memory_log.ts";
import {
  CAN_MAKE_NAMESPACES,
  type NamespacePair,
  withNamespaces,
  WITHOUT_NAMESPACES,
} from "../namespaces.ts";
import { ethernet, ip, ipUdp, pcap, tcp, udp } from "../packets.ts";
import { LiveCapture, OURS, PERMISSIONS, PORT } from "./live_capture.ts";
import type { Report } from "./live_child.ts";

const ETHERNET = 1;
const SLL2 = 276;

/** The sources, and with which permissions they are tested. */
const SOURCES: readonly { name: string; source: SourceKind; permissions: string[] }[] = [
  { name: "LiveSource", source: "libpcap", permissions: PERMISSIONS },
  { name: "RingSource", source: "af_packet", permissions: PERMISSIONS },
  // Then it reads the ring where it is.
  { name: "RingSource with all of FFI", source: "af_packet", permissions: ["--allow-ffi"] },
];

/** Starts a capture with the source that is tested. */
type Start = (
  pair: NamespacePair,
  interfaces: string,
  options?: Record<string, unknown>,
  environment?: Parameters<typeof LiveCapture.start>[3],
) => Promise<LiveCapture>;

/** A test in namespaces of its own, with a capture of 1000 packets of 96 bytes to send. */
function sourceTest(
  behaviour: string,
  run: (pair: NamespacePair, file: string, start: Start) => Promise<void>,
): void {
  for (const { name, source, permissions } of SOURCES) {
    const start: Start = (pair, interfaces, options = {}, environment = {}) =>
      LiveCapture.start(pair, interfaces, { source, ...options }, { permissions, ...environment });
    Deno.test({
      name: `${name} ${behaviour}${WITHOUT_NAMESPACES}`,
      ignore: !CAN_MAKE_NAMESPACES,
      fn: () =>
        withNamespaces(async (pair) => {
          const file = await Deno.makeTempFile({ suffix: ".pcap" });
          try {
            await Deno.writeFile(file, packets(1000, SENT));
            await run(pair, file, start);
          } finally {
            await Deno.remove(file);
          }
        }),
    });
  }
}

const SENT = ethernet(ipUdp("10.1.0.1", "10.99.0.1", udp(PORT, 2055, "x".repeat(54))));

/** libpcap counts as received what comes between its opening and the filter, too. */
function assertReceived({ given, received }: Report, packets: number): void {
  assert.equal(given, packets);
  assert.ok(received >= packets && received < packets + 10, String(received));
}

function packets(count: number, packet: Uint8Array): Uint8Array<ArrayBuffer> {
  return pcap(Array.from({ length: count }, () => ({ packet, seconds: 1 })));
}

/** Sends packets out of `peer`, also while nobody takes them, until it is disposed of. */
function endlessTraffic(pair: NamespacePair, file: string): Disposable {
  const args = ["tcpreplay", "-q", "-i", pair.peer, "--pps=1000", "--loop=0", file];
  const process = new Deno.Command("ip", {
    args: ["netns", "exec", pair.sender, ...args],
    stdout: "null",
    stderr: "null",
  }).spawn();
  return { [Symbol.dispose]: () => process.kill("SIGKILL") };
}

sourceTest(
  "gives every packet, with no permission but the libraries",
  async (pair, file, start) => {
    const capture = await start(pair, "veth0");
    await pair.replay(file, { args: ["--loop=20", "-K"], packetsPerSecond: 100_000 });
    await capture.until(() => capture.packets() >= 20_000);
    const { sources: { veth0 }, log } = await capture.stop();
    assert.equal(veth0.packets, 20_000);
    assert.equal(veth0.bytes, 20_000 * 96);
    assert.equal(veth0.mostCaptured, 96);
    assert.equal(veth0.linkType, ETHERNET);
    assertReceived(veth0, 20_000);
    assert.equal(veth0.droppedByKernel, 0);
    const sent = ethernet(ipUdp("10.1.0.1", "10.99.0.1", udp(PORT, 2055, "x".repeat(54))));
    assert.equal(veth0.last, sent.toHex());
    assert.deepEqual(log, []);
  },
);

sourceTest("cuts packets to the snapshot length", async (pair, file, start) => {
  const packet = ethernet(ipUdp("10.1.0.1", "10.99.0.1", udp(PORT, 2055, "y".repeat(1200))));
  await Deno.writeFile(file, packets(5000, packet));
  for (const snaplen of [60, 262_144]) {
    const capture = await start(pair, "veth0", { snaplen });
    await pair.replay(file, { packetsPerSecond: 50_000 });
    await capture.until(() => capture.packets() >= 5000);
    const { sources: { veth0 } } = await capture.stop();
    assert.equal(veth0.packets, 5000);
    assert.equal(veth0.bytes, 5000 * packet.length);
    assert.equal(veth0.mostCaptured, Math.min(snaplen, packet.length));
    assert.equal(veth0.last, packet.subarray(0, snaplen).toHex());
  }
});

sourceTest("takes one direction only if told so", async (pair, file, start) => {
  for (const [direction, expected] of [["in", 1000], ["out", 2000], ["inout", 3000]] as const) {
    const capture = await start(pair, "veth0", { direction });
    await pair.replay(file);
    await pair.replay(file, { namespace: pair.sensor, peer: "veth0", args: ["--loop=2", "-K"] });
    await capture.until(() => capture.packets() >= expected);
    assert.equal((await capture.stop()).sources.veth0.packets, expected, direction);
  }
});

sourceTest("takes only what a filter matches", async (pair, file, start) => {
  const flow = (port: number) => ethernet(ip("10.1.0.1", "10.99.0.1", tcp(PORT, port)));
  const timed = [80, 443, 443].map((port) => ({ packet: flow(port), seconds: 1 }));
  await Deno.writeFile(file, pcap(timed));
  const capture = await start(pair, "veth0", { filter: `tcp dst port 443 and ${OURS}` });
  await pair.replay(file);
  await capture.until(() => capture.packets() >= 2);
  const { sources: { veth0 } } = await capture.stop();
  assert.equal(veth0.packets, 2);
  assertReceived(veth0, 2);
});

sourceTest("takes from several interfaces, and from any", async (pair, file, start) => {
  await pair.addVeth("veth1", "peer1");
  const capture = await start(pair, "veth0,veth1,any");
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

/** Sends the packets of a file, has the interface go down and up, and sends them again. */
async function sendBeforeAndAfter(
  pair: NamespacePair,
  file: string,
  capture: LiveCapture,
): Promise<void> {
  await pair.replay(file);
  await pair.ip("link", "set", "veth0", "down");
  await capture.until(({ log }) => log.length === 1);
  await pair.ip("link", "set", "veth0", "up");
  await capture.until(({ log }) => log.length === 2);
  await pair.replay(file);
  await capture.until(() => capture.packets() >= 2000);
}

sourceTest("waits for an interface that goes down", async (pair, file, start) => {
  const capture = await start(pair, "veth0");
  await sendBeforeAndAfter(pair, file, capture);
  const { sources: { veth0 }, log } = await capture.stop();
  assert.equal(veth0.packets, 2000);
  // The kernel has something to say itself when an interface is up.
  assert.ok(veth0.received >= 2000);
  assert.deepEqual(log, [
    "flosensor: warning: veth0 went down: capture waits for it to come back",
    "flosensor: veth0 is up: capture goes on",
  ]);
});

sourceTest(
  "waits for an interface that vanishes, and goes on counting",
  async (pair, file, start) => {
    const capture = await start(pair, "veth0");
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
    assertReceived(veth0, 3000);
    assert.deepEqual([...new Set(log)], [
      "flosensor: warning: veth0 has vanished: capture waits for it to come back",
      "flosensor: veth0 is up: capture goes on",
    ]);
  },
);

sourceTest(
  "opens what comes back when capture is not permitted any more",
  async (pair, file, start) => {
    const capture = await start(pair, "veth0", { givenUp: true });
    await sendBeforeAndAfter(pair, file, capture);
    for (let times = 3; times <= 4; times++) {
      await pair.removeVeth();
      await capture.until(({ log }) => log.length === 2 * times - 3);
      await pair.addVeth();
      await capture.until(({ log }) => log.length === 2 * times - 2);
      await pair.replay(file);
      await capture.until(() => capture.packets() >= 1000 * times);
    }
    const { sources: { veth0 }, log } = await capture.stop();
    assert.equal(veth0.packets, 4000);
    assertReceived(veth0, 4000);
    assert.equal(veth0.linkType, ETHERNET);
    assert.equal(veth0.last, SENT.toHex());
    assert.equal(log.at(-1), "flosensor: veth0 is up: capture goes on");
  },
);

sourceTest(
  "leaves an interface that has another name now, and takes from the one that has its name",
  async (pair, file, start) => {
    const capture = await start(pair, "veth0", { givenUp: true });
    // The second time it is taken with the ring, whatever it was before.
    for (const round of [1, 2]) {
      await pair.ip("link", "set", "veth0", "down");
      await pair.ip("link", "set", "veth0", "name", `other${round}`);
      await pair.ip("link", "set", `other${round}`, "up");
      await pair.addVeth("veth0", `peer${round}`);
      await capture.until(({ log }) => log.length === 2 * round);
      await pair.replay(file, { peer: `peer${round - 1}` });
      await pair.replay(file, { peer: `peer${round}` });
      await capture.until(() => capture.packets() >= 1000 * round);
      const { stdout } = await pair.command("ip", ["-d", "link", "show", `other${round}`]).output();
      assert.match(new TextDecoder().decode(stdout), / promiscuity 0 /);
    }
    assert.equal((await capture.stop()).sources.veth0.packets, 2000);
  },
);

sourceTest(
  "leaves what has gone also while packets come: an interface down for a moment, or of another name",
  async (pair, file, start) => {
    const capture = await start(pair, "veth0", { givenUp: true });
    using _traffic = endlessTraffic(pair, file);
    await capture.until(() => capture.packets() >= 500);
    await pair.ip("link", "set", "veth0", "down");
    await pair.ip("link", "set", "veth0", "up");
    // libpcap may not notice, and goes on.
    const more = capture.packets() + 3000;
    await capture.until(({ log }) => capture.packets() >= more && log.length % 2 === 0);
    const before = capture.line.log.length;
    await pair.ip("link", "set", "veth0", "down");
    await pair.ip("link", "set", "veth0", "name", "other0");
    await pair.ip("link", "set", "other0", "up");
    await pair.addVeth("veth0", "peer1");
    await capture.until(({ log }) => log.length === before + 2);
    const { sources: { veth0 }, log } = await capture.stop();
    // The kernel may have said something itself before libpcap had its filter.
    assert.ok(veth0.received >= veth0.packets && veth0.received < veth0.packets + 10);
    assert.match(log.at(-2)!, /warning: veth0 (has vanished|went down): capture waits/);
    assert.equal(log.at(-1), "flosensor: veth0 is up: capture goes on");
  },
);

sourceTest("waits for an interface that is down at the start", async (pair, file, start) => {
  await pair.ip("link", "set", "veth0", "down");
  const capture = await start(pair, "veth0");
  await pair.ip("link", "set", "veth0", "up");
  await capture.until(({ log }) => log.length === 2);
  await pair.replay(file);
  await capture.until(() => capture.packets() >= 1000);
  assert.deepEqual((await capture.stop()).log, [
    "flosensor: warning: veth0 is down: capture waits for it to come back",
    "flosensor: veth0 is up: capture goes on",
  ]);
});

sourceTest(
  "that was down opens when it is up, with capture not permitted any more",
  async (pair, file, start) => {
    for (const filter of [null, OURS]) {
      await pair.ip("link", "set", "veth0", "down");
      const capture = await start(pair, "veth0", { givenUp: true, filter });
      await pair.ip("link", "set", "veth0", "up");
      await capture.until(({ log }) => log.length === 2);
      await pair.replay(file);
      await capture.until(() => capture.packets() >= 1000);
      const { sources: { veth0 } } = await capture.stop();
      if (filter !== null) assert.equal(veth0.packets, 1000);
    }
  },
);

sourceTest(
  "goes on with another kind of interface of the same name, with its filter, with no permission",
  async (pair, file, start) => {
    const capture = await start(pair, "veth0", { givenUp: true });
    await pair.removeVeth();
    await capture.until(({ log }) => log.length === 1);
    // Its packets begin with IP.
    await pair.ip("tuntap", "add", "dev", "veth0", "mode", "tun");
    await pair.ip("link", "set", "veth0", "up");
    await capture.until(({ log }) => log.length === 2);
    await pair.removeVeth();
    await capture.until(({ log }) => log.length === 3);
    await pair.addVeth();
    await capture.until(({ log }) => log.length === 4);
    await pair.replay(file);
    await capture.until(() => capture.packets() >= 1000);
    const { sources: { veth0 }, state } = await capture.stop();
    assert.equal(state, "ended");
    assert.equal(veth0.packets, 1000);
  },
);

sourceTest("counts what the kernel dropped", async (pair, file, start) => {
  const packet = ethernet(ipUdp("10.1.0.1", "10.99.0.1", udp(PORT, 2055, "z".repeat(1200))));
  await Deno.writeFile(file, packets(1000, packet));
  const options = { paused: true, bufferMebibytes: 1, snaplen: 65_535 };
  const capture = await start(pair, "veth0", options);
  // 25 MB, of which the buffer holds one.
  await pair.replay(file, { args: ["--loop=20", "-K"] });
  capture.signal("SIGUSR1");
  await capture.until(({ sources: { veth0 } }) =>
    veth0.received >= 20_000 && veth0.packets + veth0.droppedByKernel === 20_000
  );
  const { sources: { veth0 } } = await capture.stop();
  assert.ok(veth0.droppedByKernel > 0 && veth0.packets > 0, JSON.stringify(veth0));
});

sourceTest(
  "says which interfaces there are when one does not exist",
  async (pair, _file, start) => {
    const { state, log } = await (await start(pair, "nope0")).ended();
    assert.equal(state, "failed");
    assert.match(log[0], /^nope0: no such interface; there are .*\bveth0\b/);
  },
);

sourceTest("says what is wrong with a filter", async (pair, _file, start) => {
  const words = /^filter "tcp prt 1": .*syntax error/;
  const capture = await start(pair, "veth0", { filter: "tcp prt 1" });
  assert.match((await capture.ended()).log[0], words);
  // It is not only told when somebody switches the interface on.
  await pair.ip("link", "set", "veth0", "down");
  const waiting = await start(pair, "veth0", { filter: "tcp prt 1" });
  assert.match((await waiting.ended()).log.at(-1)!, words);
  const needsNetmask = await start(pair, "veth0", { filter: "ip broadcast" });
  await pair.ip("link", "set", "veth0", "up");
  await needsNetmask.until(({ log }) => log.length === 2);
  assert.match((await needsNetmask.stop()).log[1], /veth0 is up: capture goes on$/);
});

sourceTest("names the capability that is missing", async (pair, _file, start) => {
  const prefix = [
    "setpriv",
    "--bounding-set=-net_raw,-net_admin",
    "--inh-caps=-net_raw,-net_admin",
  ];
  const { log } = await (await start(pair, "veth0", {}, { prefix })).ended();
  assert.match(log[0], /^veth0: .*permi(ssion|tted).*: run as root, or once as root: setcap /);
  assert.ok(log[0].endsWith(`setcap cap_net_raw,cap_net_admin+eip ${Deno.execPath()}`), log[0]);
});

sourceTest("says what to do when no more files may be open", async (pair, _file, start) => {
  const prefix = ["prlimit", "--nofile=256:256"];
  for (const spareFiles of [0, 1, 2]) {
    const capture = await start(pair, "veth0,lo", { spareFiles }, { prefix });
    const { state, log } = await capture.ended();
    assert.equal(state, "failed");
    assert.match(log[0], /: permit more \(ulimit -n; LimitNOFILE= of systemd\)/);
  }
});

sourceTest("puts a packet's VLAN tag back to where it was", async (pair, file, start) => {
  const packet = (tags: number[]) => ethernet(ip("10.1.0.1", "10.99.0.1", tcp(PORT, 80)), tags);
  await Deno.writeFile(file, packets(10, packet([42])));
  const capture = await start(pair, "veth0", { filter: `vlan 42 and tcp ${OURS}` });
  await pair.replay(file);
  await capture.until(() => capture.packets() >= 10);
  const { sources: { veth0 } } = await capture.stop();
  // The kernel has taken it off, and it is put back.
  assert.equal(veth0.last, packet([42]).toHex());
});

for (const source of ["libpcap", "af_packet"] as const) {
  Deno.test({
    name: `InterfaceSource.close() ends a pending next() with null, ${source}${WITHOUT_NAMESPACES}`,
    ignore: !CAN_MAKE_NAMESPACES,
    async fn() {
      const options = { ...DEFAULT_LIVE_OPTIONS, filter: "ether proto 0x1234" };
      const log = new MemoryLog();
      const [opened] = openInterfaces(source, ["lo", "lo"], () => options, log);
      assert.equal((await opened.next())?.count, 0);
      const pending = opened.next();
      await assert.rejects(opened.next(), /before the last is over/);
      opened.close();
      assert.equal(await pending, null);
      assert.equal(await opened.next(), null);
      opened.close();
      await allClosed();
      assert.equal(opened.statistics().received, 0);
      assert.deepEqual(log.lines, []);
    },
  });
}
