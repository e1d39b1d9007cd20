import assert from "node:assert/strict";
import {
  Assign,
  type Config,
  DST,
  LowerPort,
  OUR_NETS,
  PortMatch,
  SRC,
} from "../../src/config/mod.ts";
import { mappingOf, observedKeys } from "../observed_keys.ts";
import {
  HAS_SHARED_CAPTURES,
  sharedCapture,
  sharedJson,
  WITHOUT_SHARED_CAPTURES,
} from "../shared_captures.ts";

/** Capture, then own network and mapping, then the keys that ShoDoHFlo's agent wrote. */
type Golden = Record<string, Record<string, string[]>>;

const EVERYTHING = ["0.0.0.0/0", "::/0"] as const;
const PORTS = [53, 80, 443, 5222];

/** The mappings of the runs, as the captures' README describes them. */
const MAPPINGS: Record<string, Config> = {
  default: {
    networks: [["all", ...EVERYTHING]],
    flows: [[null, null, LowerPort()]],
  },
  issue12: {
    suppressOwnNetwork: false,
    networks: [
      ["our_nets", OUR_NETS],
      ["bert", "8.8.8.8/32", "2001:db8::1/128"],
      ["ernie", "8.8.4.4/32", "2001:db8::2/128"],
      ["external", ...EVERYTHING],
    ],
    flows: [
      [null, "our_nets", LowerPort(SRC)],
      ["our_nets", null, LowerPort(DST)],
      ["external", "bert", Assign(DST, SRC, { ports: [53], drop: true })],
      ["external", "bert", Assign(SRC, DST, { ports: [80, 443], drop: true })],
      [null, "bert", LowerPort()],
      [null, "ernie", LowerPort()],
    ],
  },
  ports: {
    suppressOwnNetwork: false,
    networks: [["ours", OUR_NETS], ["external", ...EVERYTHING]],
    flows: [
      ["ours", "external", PortMatch(PORTS, { precedence: DST })],
      ["external", "ours", PortMatch(PORTS)],
      ["ours", "ours", PortMatch([137, 138, 1900, 5353], { drop: true })],
      ["external", null, Assign(DST, SRC)],
      ["ours", "external", Assign(SRC, DST)],
      [null, null, LowerPort(DST)],
    ],
  },
  nocatchall: {
    suppressOwnNetwork: false,
    networks: [["ours", OUR_NETS]],
    flows: [[null, null, LowerPort()]],
  },
};

/**
 * What the agent can't read and the contract wants from the sensor: PPPoE sessions, and ICMPv6. The
 * runs are compared without such packets; that they matter in two captures only is tested too.
 */
const ETHERTYPE_PPPOE = 0x8864;
const ETHERTYPE_IPV6 = 0x86dd;
const NEXT_HEADER_ICMPV6 = 58;
const CAPTURES_WITH_SUCH_PACKETS = ["quic_interop_V.pcapng", "syslog.pcap"];

function agentCanRead(packet: DataView): boolean {
  if (packet.byteLength < 34) return true;
  const etherType = packet.getUint16(12);
  if (etherType === ETHERTYPE_PPPOE) return false;
  return etherType !== ETHERTYPE_IPV6 || packet.getUint8(20) !== NEXT_HEADER_ICMPV6;
}

/** Whether the second part of a key, or the first of another kind's, is an IPv6 address. */
function isIpv6Key(key: string): boolean {
  const [first, second] = key.split(";");
  return (first === "client" ? second : first).includes(":");
}

/** What is different between the agent's keys and ours, run by run; empty where they are equal. */
async function differences(canRead: (packet: DataView) => boolean): Promise<Map<string, string>> {
  const golden = sharedJson<Golden>("golden.json");
  const found = new Map<string, string>();
  for (const [capture, runs] of Object.entries(golden)) {
    for (const [run, expected] of Object.entries(runs)) {
      const [ourNet, name] = run.split(" ");
      const isIpv6 = ourNet.includes(":");
      // The agent does not know tunnels.
      const mapping = mappingOf({ ...MAPPINGS[name], tunnels: "outer" }, [ourNet]);
      const keys = await observedKeys(sharedCapture(`pcap/${capture}`), mapping, canRead);
      const ours = new Set(keys.filter((key) => isIpv6Key(key) === isIpv6));
      const theirs = new Set(expected);
      const missing = [...theirs.difference(ours)];
      const added = [...ours.difference(theirs)];
      const isEqual = missing.length + added.length === 0;
      found.set(`${capture} ${run}`, isEqual ? "" : `missing ${missing}, added ${added}`);
    }
  }
  return found;
}

Deno.test({
  name: `all 1,060 runs of ShoDoHFlo's agent give the same keys here${WITHOUT_SHARED_CAPTURES}`,
  ignore: !HAS_SHARED_CAPTURES,
  fn: async () => {
    const found = await differences(agentCanRead);
    assert.deepEqual([...found].filter(([, difference]) => difference !== ""), []);
    assert.equal(found.size, 1060);
  },
});

Deno.test({
  name: `only PPPoE and ICMPv6 give keys that the agent has not${WITHOUT_SHARED_CAPTURES}`,
  ignore: !HAS_SHARED_CAPTURES,
  fn: async () => {
    const different = [...await differences(() => true)].filter(([, text]) => text !== "");
    const captures = new Set(different.map(([run]) => run.split(" ")[0]));
    assert.deepEqual([...captures].sort(), CAPTURES_WITH_SUCH_PACKETS);
    assert.ok(different.every(([, text]) => text.startsWith("missing , added ")));
  },
});
