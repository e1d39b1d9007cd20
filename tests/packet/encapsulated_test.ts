import assert from "node:assert/strict";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { parseAddress } from "../../src/model/address.ts";
import { addressText } from "../../src/model/address_text.ts";
import { decode } from "../../src/packet/decode.ts";
import { TRANSPORT } from "../../src/packet/decoded.ts";
import { DESTINATION, PacketHeader, PROTOCOL_TCP, SOURCE } from "../../src/packet/packet_header.ts";
import {
  HAS_SHARED_CAPTURES,
  sharedCapture,
  sharedJson,
  WITHOUT_SHARED_CAPTURES,
} from "../shared_captures.ts";

/** Protocol, address, port, address, port, headers; ends in the order of their text. */
type InnerConversation = readonly [string, string, number, string, number, string];

/** What `encapsulated/inner.json` has for each capture. */
type Inner = Record<string, { conversations: InnerConversation[] }>;

/** The conversations that the decoder reads in a capture, as those of {@linkcode Inner}. */
async function conversationsOf(path: string): Promise<Set<string>> {
  const found = new Set<string>();
  const header = new PacketHeader();
  const words = new Uint32Array(header.addresses.buffer);
  const source = SavefileSource.open(path);
  for (let batch; (batch = await source.next()) !== null;) {
    const { view, offset, captured, linkType } = batch;
    for (let i = 0; i < batch.count; i++) {
      const end = offset[i] + captured[i];
      if (decode(view, offset[i], end, linkType[i], header) !== TRANSPORT) continue;
      const { isIpv6, protocol, sourcePort, destinationPort } = header;
      const ends = [
        `${addressText(words, SOURCE, isIpv6)} ${sourcePort}`,
        `${addressText(words, DESTINATION, isIpv6)} ${destinationPort}`,
      ];
      found.add([protocol === PROTOCOL_TCP ? "tcp" : "udp", ...ends.sort()].join(" "));
    }
  }
  source.close();
  return found;
}

/**
 * What is not read in these, and why: Geneve of another version than 0 and VXLAN without its flag are
 * to be ignored (RFC 8926, section 3.4; RFC 7348, section 5). sFlow and OpenFlow send samples of packets
 * to whoever collects them, which is no traffic here. Juniper's link type is not decoded.
 */
const NOT_READ = [
  "geneve_06_geneve_invalid_version.pcap",
  "vxlan_06_vxlan_invalid_flags_or_reserved_bits.pcap",
  "Tests_ExamplesTest_pcap_tcp-reassembly.pcap",
  "bgp-aigp.pcap",
  "of13_ericsson.pcapng",
  "sflow_expanded.pcap",
];

Deno.test({
  name: `decode() reads the innermost conversations that tshark reads${WITHOUT_SHARED_CAPTURES}`,
  ignore: !HAS_SHARED_CAPTURES,
  fn: async () => {
    const missing: string[] = [];
    const inner = Object.entries(sharedJson<Inner>("encapsulated/inner.json"));
    for (const [name, { conversations }] of inner) {
      const found = await conversationsOf(sharedCapture(`encapsulated/pcap/${name}`));
      for (const [protocol, from, fromPort, to, toPort] of conversations) {
        const ends = [`${canonical(from)} ${fromPort}`, `${canonical(to)} ${toPort}`].sort();
        if (!found.has([protocol, ...ends].join(" "))) missing.push(name);
      }
    }
    assert.deepEqual(missing.sort(), NOT_READ.sort());
  },
});

/** An address as flosensor writes it: of a mapped one tshark writes the last part in its old form. */
function canonical(address: string): string {
  const { words, family } = parseAddress(address)!;
  return addressText(words, 0, family === 6);
}
