import assert from "node:assert/strict";
import { compileFilter } from "../../ffi/bpf_compiler.ts";
import { interpreter, packetFilter } from "../../src/capture/bpf.ts";
import { filterWithLengths } from "../../src/capture/filter_with_lengths.ts";
import { LINKTYPE_ETHERNET } from "../../src/packet/link_type.ts";
import { HAS_LIBPCAP, WITHOUT_LIBPCAP } from "../installed.ts";
import { type Bytes, ethernet, ip, ipUdp, tcp, udp } from "../packets.ts";

const LENGTH = 512;
const LONG = 4352;
const LONG_FILTERS = ["src port 53", "vlan and src port 53"];

const PACKETS: Record<string, Bytes> = {
  response: ethernet(ipUdp("192.0.2.53", "10.0.0.7", udp(53, 40_000))),
  responseV6: ethernet(ipUdp("2001:db8::53", "2001:db8::7", udp(53, 40_000))),
  responseInVlan: ethernet(ipUdp("192.0.2.53", "10.0.0.7", udp(53, 40_000)), [20]),
  responseOverTcp: ethernet(ip("192.0.2.53", "10.0.0.7", tcp(53, 40_000))),
  query: ethernet(ipUdp("10.0.0.7", "192.0.2.53", udp(40_000, 53))),
  other: ethernet(ip("192.0.2.80", "10.0.0.7", tcp(443, 40_000))),
};

/** What a filter takes of each packet, in both ways to run it. */
function lengths(expression: string): Record<string, number> {
  const program = filterWithLengths(
    compileFilter(expression, LINKTYPE_ETHERNET),
    LENGTH,
    LONG_FILTERS.map((filter) => compileFilter(filter, LINKTYPE_ETHERNET)),
    LONG,
  );
  const run = packetFilter(program);
  const interpreted = interpreter(program);
  return Object.fromEntries(
    Object.entries(PACKETS).map(([name, packet]) => {
      const taken = run(packet, 0, packet.length, packet.length);
      assert.equal(interpreted(packet, 0, packet.length, packet.length), taken);
      return [name, taken];
    }),
  );
}

function filterTest(name: string, test: () => void): void {
  Deno.test({ name: name + WITHOUT_LIBPCAP, ignore: !HAS_LIBPCAP, fn: test });
}

filterTest("filterWithLengths() takes more of packets that the long filters match", () => {
  assert.deepEqual(lengths(""), {
    response: LONG,
    responseV6: LONG,
    responseInVlan: LONG,
    responseOverTcp: LONG,
    query: LENGTH,
    other: LENGTH,
  });
});

filterTest("filterWithLengths() takes nothing that the user's filter does not match", () => {
  assert.deepEqual(lengths("udp and not ip6"), {
    response: LONG,
    responseV6: 0,
    responseInVlan: 0,
    responseOverTcp: 0,
    query: LENGTH,
    other: 0,
  });
  assert.deepEqual(Object.values(lengths("not port 53 and not vlan")), [0, 0, 0, 0, 0, LENGTH]);
});
