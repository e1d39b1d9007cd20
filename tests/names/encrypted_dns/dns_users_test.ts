import assert from "node:assert/strict";
import { DnsServices } from "../../../src/names/encrypted_dns/dns_services.ts";
import { DnsUsers } from "../../../src/names/encrypted_dns/dns_users.ts";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "../../../src/model/protocol_numbers.ts";
import { LocalAddresses } from "../../../src/store/local_addresses.ts";
import { observations } from "../../observations.ts";

Deno.test("DnsUsers counts clients of each kind once, and none that asks at home", () => {
  const services = new DnsServices({
    added: ["198.51.100.53"],
    local: new LocalAddresses(["10.0.0.0/8"]),
  });
  const users = new DnsUsers({
    services,
    names: { find: (_, words, client) => words[client + 3] === 0x0a000003 ? "dns.google." : null },
    carried: { at: () => [] },
  });
  const tcp = { kind: "flow", protocol: PROTOCOL_TCP } as const;
  const udp = { kind: "flow", protocol: PROTOCOL_UDP } as const;
  users.take(observations(
    { ...udp, a: "10.0.0.1", b: "192.0.2.1", port: 53 },
    { ...udp, a: "10.0.0.1", b: "192.0.2.2", port: 53 },
    { ...udp, a: "10.0.0.2", b: "192.0.2.1", port: 53 },
    { ...udp, a: "10.0.0.2", b: "10.0.0.53", port: 53 },
    { ...udp, a: "192.0.2.7", b: "10.0.0.53", port: 53 },
    { ...tcp, a: "10.0.0.1", b: "192.0.2.1", port: 853 },
    { ...tcp, a: "2001:db8::1", b: "2001:db8::53", port: 853 },
    { ...udp, a: "10.0.0.1", b: "192.0.2.1", port: 853 },
    { ...tcp, a: "10.0.0.1", b: "198.51.100.53", port: 443 },
    { ...tcp, a: "10.0.0.3", b: "192.0.2.1", port: 443 },
    { ...tcp, a: "10.0.0.4", b: "192.0.2.1", port: 443 },
    { ...tcp, a: "10.0.0.5", b: "192.0.2.1", port: 80 },
    { kind: "rst", a: "10.0.0.6", b: "192.0.2.1", port: 853, otherPort: 853 },
  ));
  assert.deepEqual(users.counts(), [
    ["DoT", 2],
    ["DoQ", 1],
    ["DoH", 2],
    ["DNSCrypt", 0],
    ["DNS", 2],
  ]);
});
