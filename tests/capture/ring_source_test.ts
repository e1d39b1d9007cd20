import assert from "node:assert/strict";
import { LIBC_PATHS } from "../../ffi/library.ts";
import { LONG_SNAPLEN } from "../../src/capture/live_options.ts";
import {
  CAN_MAKE_NAMESPACES,
  type NamespacePair,
  withNamespaces,
  WITHOUT_NAMESPACES,
} from "../namespaces.ts";
import { type Bytes, ethernet, ipUdp, pcap, udp } from "../packets.ts";
import { fragmentOf } from "../fragments.ts";
import { LiveCapture, OURS, PORT } from "./live_capture.ts";

/** libpcap can't be loaded: for the program, that is as if it was not installed. */
const NO_LIBPCAP = ["--no-prompt", `--allow-ffi=${LIBC_PATHS.join(",")}`];
const WITH_LIBPCAP = ["--no-prompt", "--allow-ffi"];
const SLL2 = 276;

/** A test in namespaces of its own, where the kernel has nothing to say of its own. */
function ringTest(name: string, run: (pair: NamespacePair, file: string) => Promise<void>): void {
  Deno.test({
    name: name + WITHOUT_NAMESPACES,
    ignore: !CAN_MAKE_NAMESPACES,
    fn: () =>
      withNamespaces(async (pair) => {
        await pair.sysctl(pair.sender, "net.ipv6.conf.peer0.disable_ipv6", "1");
        await pair.sysctl(pair.sensor, "net.ipv6.conf.all.disable_ipv6", "1");
        const file = await Deno.makeTempFile({ suffix: ".pcap" });
        try {
          await run(pair, file);
        } finally {
          await Deno.remove(file);
        }
      }),
  });
}

function start(
  pair: NamespacePair,
  name: string,
  options: Record<string, unknown>,
  permissions = NO_LIBPCAP,
): Promise<LiveCapture> {
  return LiveCapture.start(pair, name, { source: "af_packet", ...options }, { permissions });
}

async function save(file: string, ...packets: Bytes[]): Promise<void> {
  await Deno.writeFile(file, pcap(packets.map((packet) => ({ packet, seconds: 1 }))));
}

ringTest("RingSource needs no libpcap, and cuts packets without it", async (pair, file) => {
  const packet = ethernet(ipUdp("10.1.0.1", "10.99.0.1", udp(PORT, 2055, "y".repeat(900))));
  await save(file, packet, packet);
  for (const snaplen of [60, 262_144]) {
    const capture = await start(pair, "veth0", { filter: null, snaplen });
    await pair.replay(file);
    await capture.until(() => capture.packets() >= 2);
    const { sources: { veth0 }, log } = await capture.stop();
    assert.equal(veth0.packets, 2);
    assert.equal(veth0.received, 2);
    assert.equal(veth0.last, packet.subarray(0, snaplen).toHex());
    assert.equal(veth0.bytes, 2 * packet.length);
    assert.deepEqual(log, []);
  }
});

ringTest("RingSource refuses a filter where there is no libpcap, in one line", async (pair) => {
  const { state, log } = await (await start(pair, "veth0", { filter: OURS })).ended();
  assert.equal(state, "failed");
  assert.match(log[0], /^--filter needs libpcap, which compiles it: libpcap: no permission to /);
});

ringTest("RingSource says which interfaces there are, without libpcap too", async (pair) => {
  const { log } = await (await start(pair, "nope0", { filter: null })).ended();
  assert.deepEqual(log, ["nope0: no such interface; there are lo, veth0, any"]);
});

ringTest(
  "RingSource gives any's packets the header that libpcap gives them",
  async (pair, file) => {
    const packet = ethernet(ipUdp("10.1.0.1", "10.99.0.1", udp(PORT, 2055, "header")));
    await save(file, packet);
    const captures = await Promise.all([
      start(pair, "any", { source: "libpcap" }, WITH_LIBPCAP),
      start(pair, "any", {}, WITH_LIBPCAP),
      start(pair, "any", { filter: null }),
    ]);
    await pair.replay(file);
    await Promise.all(captures.map((capture) => capture.until(() => capture.packets("any") >= 1)));
    const [expected, ...rings] = await Promise.all(captures.map((capture) => capture.stop()));
    assert.equal(expected.sources.any.linkType, SLL2);
    for (const { sources: { any } } of rings) {
      assert.equal(any.linkType, SLL2);
      assert.equal(any.last, expected.sources.any.last);
      assert.equal(any.bytes, expected.sources.any.bytes);
    }
  },
);

for (const name of ["lo", "any"]) {
  ringTest(`RingSource takes what the host tells itself once, on ${name}`, async (pair) => {
    const capture = await start(pair, name, { filter: null });
    const script = `for i in 1 2 3; do echo question > /dev/udp/127.0.0.1/${PORT}; done`;
    await pair.command("bash", ["-c", script]).output();
    // Three datagrams, and for each that nobody wanted the message that says so.
    await capture.until(() => capture.packets(name) >= 6);
    assert.equal((await capture.stop()).sources[name].packets, 6);
  });
}

for (const permissions of [NO_LIBPCAP, WITH_LIBPCAP]) {
  const how = permissions === NO_LIBPCAP ? "without libpcap" : "with a filter";
  ringTest(`RingSource takes more from the ports that are read, ${how}`, async (pair, file) => {
    const payload = "n".repeat(1300);
    const answer = udp(53, 9999, payload);
    const laterPart = { from: 8, to: answer.length };
    const filter = permissions === NO_LIBPCAP ? null : `udp and not port ${PORT}`;
    const options = { filter, snaplen: 100, longPorts: [53, 5353] };
    const capture = await start(pair, "veth0", options, permissions);
    const packets: [packet: Bytes, captured: number][] = [
      [ethernet(ipUdp("10.1.0.1", "10.99.0.1", udp(53, 9999, payload))), LONG_SNAPLEN],
      [ethernet(ipUdp("10.1.0.1", "10.99.0.1", udp(5353, 5353, payload))), LONG_SNAPLEN],
      [ethernet(ipUdp("2001:db8::1", "2001:db8::2", udp(53, 9999, payload))), LONG_SNAPLEN],
      [ethernet(ipUdp("10.1.0.1", "10.99.0.1", udp(53, 9999, payload)), [42]), LONG_SNAPLEN],
      [ethernet(ipUdp("10.1.0.1", "10.99.0.1", udp(9999, 53, payload))), 100],
      [ethernet(ipUdp("2001:db8::1", "2001:db8::2", udp(9999, 53, payload))), 100],
      [ethernet(fragmentOf(ipUdp("10.1.0.1", "10.99.0.1", answer), 7, laterPart)), LONG_SNAPLEN],
      [
        ethernet(fragmentOf(ipUdp("2001:db8::1", "2001:db8::2", answer), 7, laterPart)),
        LONG_SNAPLEN,
      ],
    ];
    for (const [index, [packet, captured]] of packets.entries()) {
      await save(file, packet);
      await pair.replay(file);
      await capture.until(() => capture.packets() > index);
      const { last } = capture.line.sources.veth0;
      // A tag that the kernel has taken off is there again.
      assert.equal(last, packet.subarray(0, captured).toHex(), `packet ${index}`);
    }
    await capture.stop();
  });
}
