import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { CAN_MAKE_NAMESPACES, withNamespaces, WITHOUT_NAMESPACES } from "../namespaces.ts";
import { type Bytes, ethernet, ip, ipUdp, pcap, tcp, udp } from "../packets.ts";
import type { Shares } from "./fanout_child.ts";
import { PERMISSIONS } from "./live_capture.ts";

const CHILD = fileURLToPath(new URL("fanout_child.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
const UDP = 17;
const MORE_FRAGMENTS = 0x2000;
const CONVERSATIONS = 40;
/** Of a datagram that comes in two pieces: its payload, and the first piece with the UDP header. */
const PAYLOAD = "p".repeat(1000);
const FIRST_PIECE = 800;

/** A packet from each end to the other, in as many conversations; some are tagged. */
function conversations(
  one: (index: number) => string,
  other: string,
  make: (source: string, destination: string, ports: [number, number]) => Uint8Array,
): Bytes[] {
  return Array.from({ length: CONVERSATIONS }, (_, index) => {
    const port = 40_000 + index;
    const tags = index % 4 === 0 ? [7] : [];
    return [
      ethernet(make(one(index), other, [port, 443]), tags),
      ethernet(make(other, one(index), [443, port]), tags),
    ];
  }).flat();
}

/** A question in one packet, and an answer that comes in two. */
function fragmented(index: number): Bytes[] {
  const [client, server] = [`10.2.0.${index + 1}`, "198.51.100.2"];
  const answer = udp(1812, 50_000 + index, PAYLOAD);
  const piece = (from: number, to: number, flags: number) =>
    ethernet(ip(server, client, answer.subarray(from, to), {
      // No transport checksum is put into pieces.
      protocol: UDP_UNSUMMED,
      fragment: flags | (from / 8),
    }));
  return [
    ethernet(ipUdp(client, server, udp(50_000 + index, 1812))),
    ...[piece(0, FIRST_PIECE, MORE_FRAGMENTS), piece(FIRST_PIECE, answer.length, 0)].map(asUdp),
  ];
}

/** A protocol for which the maker of packets knows no checksum, in the place of UDP. */
const UDP_UNSUMMED = 253;
const IPV4_PROTOCOL = 14 + 9;
const IPV4_CHECKSUM = 14 + 10;

/** Puts UDP in, and sees to the header's checksum, which the number is a part of. */
function asUdp(frame: Bytes): Bytes {
  const view = new DataView(frame.buffer);
  frame[IPV4_PROTOCOL] = UDP;
  const sum = view.getUint16(IPV4_CHECKSUM) + (UDP_UNSUMMED - UDP);
  view.setUint16(IPV4_CHECKSUM, (sum & 0xffff) + (sum >>> 16));
  return frame;
}

const PACKETS: Bytes[] = [
  ...conversations(
    (i) => `10.1.0.${i + 1}`,
    "198.51.100.1",
    (source, destination, ports) => ip(source, destination, tcp(...ports)),
  ),
  ...conversations(
    (i) => `10.1.0.${i + 1}`,
    "198.51.100.1",
    (source, destination, ports) => ipUdp(source, destination, udp(...ports)),
  ),
  ...conversations(
    (i) => `2001:db8:1::${i + 1}`,
    "2001:db8:2::1",
    (source, destination, ports) => ip(source, destination, tcp(...ports)),
  ),
  ...conversations(
    (i) => `2001:db8:1::${i + 1}`,
    "2001:db8:2::1",
    (source, destination, ports) => ipUdp(source, destination, udp(...ports)),
  ),
  ...Array.from({ length: CONVERSATIONS }, (_, index) => fragmented(index)).flat(),
];

for (const source of ["libpcap", "af_packet"]) {
  Deno.test({
    name: `joinFanout() has both directions of a conversation meet, fragments too, with ${source}` +
      WITHOUT_NAMESPACES,
    ignore: !CAN_MAKE_NAMESPACES,
    fn: () =>
      withNamespaces(async (pair) => {
        const file = await Deno.makeTempFile({ suffix: ".pcap" });
        await Deno.writeFile(file, pcap(PACKETS.map((packet) => ({ packet, seconds: 1 }))));
        const args = ["run", "--quiet", "--config", CONFIG, ...PERMISSIONS, CHILD, source];
        const child = pair.command(Deno.execPath(), args, { stdout: "piped" }).spawn();
        let output = "";
        for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
          if (output === "") {
            await pair.replay(file);
            // What is in the kernel is handed over within twice its time-out of 100 ms.
            await new Promise((resolve) => setTimeout(resolve, 500));
            child.kill("SIGTERM");
          }
          output += text;
        }
        await child.status;
        await Deno.remove(file);
        const shares: Shares = JSON.parse(output.split("\n")[1]);
        const sent = Object.entries(shares).filter(([text]) => !text.includes(" 5353"));
        assert.equal(sent.length, 5 * CONVERSATIONS, output);
        for (const [conversation, share] of sent) {
          // Two packets, of which the second came in one piece or in two: all with one source.
          assert.deepEqual(share.toSorted((a, b) => a - b), [0, 2], conversation);
        }
        const first = sent.filter(([, share]) => share[0] > 0).length;
        assert.ok(first > sent.length / 4 && first < sent.length * 3 / 4, `${first}`);
      }),
  });
}
