import assert from "node:assert/strict";
import { join } from "node:path";
import { withFiles } from "../config/temporary_files.ts";
import { connection } from "../conversations.ts";
import { address, response } from "../dns/dns_messages.ts";
import { ARP, HARDWARE, SOLICITATION } from "../names/devices/messages.ts";
import { clientHello, records } from "../names/hellos.ts";
import {
  ACK,
  type Bytes,
  bytes,
  ethernet,
  ip,
  ipIcmp,
  ipUdp,
  pcap,
  PSH,
  tcp,
  u16,
  udp,
} from "../packets.ts";
import { flosensor } from "./program.ts";

/** One host, by `ARP` and `SOLICITATION`. */
const [CLIENT, CLIENT6] = ["10.0.0.7", "2001:db8::7"];
const [SERVER, SERVER6] = ["198.51.100.1", "2001:db8:f::1"];
const PORT = 50_000;
const OWN = ["10.0.0.0/8", "2001:db8::/64"];

/** What another host did before: what is explained is not asked in the first minutes. */
const OTHERS = connection("10.0.0.8", PORT, SERVER, 80);

/** A host tells both its addresses, looks a name up over IPv4, and uses it over IPv6. */
const BOTH_FAMILIES = [
  ...OTHERS,
  bytes([0xff, 0xff, 0xff, 0xff, 0xff, 0xff], HARDWARE, u16(0x0806), ARP),
  // Its message begins behind the source's address.
  ethernet(ipIcmp(CLIENT6, "2001:db8::1", SOLICITATION.subarray(16))),
  ethernet(ipUdp(
    "10.0.0.53",
    CLIENT,
    udp(53, 40_000, response("www.example.com", [address("www.example.com", SERVER6)])),
  )),
  ...connection(CLIENT6, PORT, SERVER6, 443),
];

/** Whether lookups explain flows, and who its ends are: what --json and explain say. */
async function said(packets: readonly Bytes[], settings: string, flow: readonly string[]) {
  return await withFiles({}, async (directory) => {
    const file = join(directory, "capture.pcap");
    const config = join(directory, "config.ts");
    await Deno.writeFile(
      file,
      pcap(packets.map((packet, i) => ({ packet, seconds: secondOf(i) }))),
    );
    await Deno.writeTextFile(
      config,
      `import { defineConfig } from "flosensor/config";\nexport default defineConfig({${settings}});\n`,
    );
    const options = [...OWN, "-c", config];
    const { stdout, stderr } = await flosensor(["replay", file, ...options, "--json"]);
    const ends = stdout.trim().split("\n").map((line) => JSON.parse(line))
      .filter(({ type, client }) => type === "end" && client === flow[0]);
    assert.equal(ends.length, 1, stderr);
    const explained = await flosensor(["explain", ...flow, "-c", config, "--from", file, ...OWN]);
    assert.equal(explained.status, 0, explained.stderr);
    return { end: ends[0], statistics: stderr, text: explained.stdout };
  });
}

function secondOf(packet: number): number {
  return packet < OTHERS.length ? 1000 : 3000 + packet;
}

Deno.test("a lookup over IPv4 explains a flow over IPv6 of the same device", async () => {
  const flow = [CLIENT6, String(PORT), SERVER6, "443"];
  const known = await said(BOTH_FAMILIES, "", flow);
  assert.equal(known.end.explained, true);
  assert.match(known.text, /^A lookup explains the flow\.$/m);
  assert.match(known.text, /^2001:db8::7 is a device, 02:00:5e:00:53:07 \(private\)$/m);
  const unknown = await said(BOTH_FAMILIES, "devices: false", flow);
  assert.equal(unknown.end.explained, false);
  assert.match(unknown.text, /^No lookup explains the flow: /m);
  assert.doesNotMatch(unknown.text, / is a device/);
});

Deno.test("what a ClientHello offers to speak tells DNS over TLS at any port", async () => {
  const hello = records(clientHello("dns.example.com", { protocols: ["dot"] }));
  const packets = connection(CLIENT, PORT, SERVER, 8853);
  packets.splice(3, 0, ethernet(ip(CLIENT, SERVER, tcp(PORT, 8853, PSH | ACK, hello))));
  const { end, text, statistics } = await said(packets, "", [
    CLIENT,
    String(PORT),
    SERVER,
    "8853",
  ]);
  assert.equal(end.dns, "DoT");
  assert.match(text, /^This is DNS over TLS \(DoT\)/m);
  assert.match(statistics, /clients that ask for names elsewhere: 1 by DoT$/m);
});

Deno.test("a resolver's name in a ClientHello tells DNS over HTTPS, and counts its client", async () => {
  const hello = records(clientHello("dns.google", { protocols: ["h2"] }));
  const packets = connection(CLIENT, PORT, SERVER, 443);
  packets.splice(3, 0, ethernet(ip(CLIENT, SERVER, tcp(PORT, 443, PSH | ACK, hello))));
  const { end, text, statistics } = await said(packets, "", [CLIENT, String(PORT), SERVER, "443"]);
  assert.equal(end.dns, "DoH");
  assert.match(text, /^This is DNS over HTTPS \(DoH\)/m);
  assert.match(statistics, /clients that ask for names elsewhere: 1 by DoH$/m);
});
