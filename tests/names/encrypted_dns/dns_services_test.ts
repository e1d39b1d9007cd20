import assert from "node:assert/strict";
import type { DnsKind } from "../../../src/model/dns_kind.ts";
import { parseAddress } from "../../../src/model/address.ts";
import { addressText } from "../../../src/model/address_text.ts";
import { domainName } from "../../../src/model/domain_name.ts";
import {
  DnsServices,
  type DnsServicesOptions,
} from "../../../src/names/encrypted_dns/dns_services.ts";
import type { DnsUse } from "../../../src/model/dns_kinds.ts";
import { LocalAddresses } from "../../../src/store/local_addresses.ts";
import { PUBLIC_RESOLVERS } from "../../../src/names/encrypted_dns/public_resolvers.ts";

const OPTIONS: DnsServicesOptions = {
  local: new LocalAddresses(["10.0.0.0/8"]),
};
const USE: DnsUse = {
  client: "10.0.0.7",
  server: "192.0.2.1",
  port: 443,
  protocol: "tcp",
  names: [],
};

/** What is said of addresses as text, and the same by their numbers. */
function kind(change: Partial<DnsUse>, options = OPTIONS): DnsKind | null {
  const services = new DnsServices(options);
  const use = { ...USE, ...change };
  const kind = services.kindOf(use);
  const words = Uint32Array.from(
    [use.client, use.server].flatMap((it) => [...parseAddress(it)!.words]),
  );
  assert.equal(services.kindAt(use.server.includes(":"), words, 0, 4, use), kind);
  return kind;
}

Deno.test("DnsServices tells DoT and DoQ by port 853, and by ALPN at any port of DNS", () => {
  assert.equal(kind({ port: 853 }), "DoT");
  assert.equal(kind({ port: 853, protocol: "" }), "DoT");
  assert.equal(kind({ port: 853, protocol: "udp" }), "DoQ");
  assert.equal(kind({ applicationProtocols: ["dot"] }), "DoT");
  assert.equal(kind({ applicationProtocols: ["doq-i02", "doq"], protocol: "udp" }), "DoQ");
  assert.equal(kind({ applicationProtocols: ["h2", "http/1.1"] }), null);
});

Deno.test("DnsServices tells DoH by a resolver's name, one below it, or its address, at port 443", () => {
  for (const name of ["dns.google", "dns.google.", "DNS.Google.", "abc123.dns.nextdns.io."]) {
    assert.equal(kind({ names: [null, name] }), "DoH", name);
  }
  for (const server of ["8.8.8.8", "2620:fe::fe"]) assert.equal(kind({ server }), "DoH", server);
  for (const name of ["google", "notdns.google", "dns.google.example", "www.example.com"]) {
    assert.equal(kind({ names: [name] }), null, name);
  }
  assert.equal(kind({ names: ["dns.google"], port: 80 }), null);
});

Deno.test("DnsServices tells plain DNS to servers outside, and not that to those of the network", () => {
  assert.equal(kind({ port: 53, protocol: "udp" }), "DNS");
  assert.equal(kind({ port: 53, server: "8.8.8.8" }), "DNS");
  assert.equal(kind({ port: 53, server: "10.0.0.1" }), null);
  // Who asks the network's own name servers from outside is no client of ours.
  assert.equal(kind({ port: 53, client: "192.0.2.7" }), null);
  assert.equal(kind({ port: 5300 }, { ...OPTIONS, dnsPorts: [5300] }), "DNS");
  // Where no own networks are known, nothing is outside.
  assert.equal(kind({ port: 53 }, {}), null);
});

Deno.test("DnsServices tells DNSCrypt by address and port, and from HTTP/3 by the name that it lacks", () => {
  assert.equal(kind({ server: "9.9.9.9", port: 8443, protocol: "udp" }), "DNSCrypt");
  assert.equal(kind({ server: "9.9.9.9", port: 8443 }), "DNSCrypt");
  const openDns = { server: "208.67.222.222", protocol: "udp" };
  assert.equal(kind(openDns), "DNSCrypt");
  assert.equal(kind({ ...openDns, names: ["dns.opendns.com"] }), "DoH");
  assert.equal(kind({ ...openDns, protocol: "tcp" }), "DoH");
  assert.equal(kind({ port: 8443 }), null);
});

Deno.test("DnsServices takes names and addresses that are added, until others are", () => {
  const services = new DnsServices({ added: ["doh.example.com.", "192.0.2.1"] });
  assert.equal(services.kindOf(USE), "DoH");
  const named = { ...USE, server: "192.0.2.9", names: ["x.doh.example.com"] };
  assert.equal(services.kindOf(named), "DoH");
  services.set({});
  assert.equal(services.kindOf(USE), null);
  assert.equal(services.kindOf(named), null);
});

Deno.test("DnsServices learns designated resolvers, with their ports, and remembers no more than 1000", () => {
  const services = new DnsServices();
  services.learn({
    name: "dns.example.",
    addresses: ["192.0.2.1"],
    applicationProtocols: ["h2", "h3", "ftp"],
    port: 8443,
  });
  services.learn({
    name: "dns.example.",
    addresses: [],
    applicationProtocols: ["dot"],
    port: null,
  });
  assert.equal(services.kindOf({ ...USE, port: 8443 }), "DoH");
  assert.equal(services.kindOf({ ...USE, port: 8443, server: "x", names: ["dns.example"] }), "DoH");
  assert.equal(services.kindOf(USE), null);
  services.set({});
  assert.equal(services.kindOf({ ...USE, port: 8443 }), "DoH");
  for (let i = 0; i < 2000; i++) {
    const name = `d${i}.example.`;
    services.learn({ name, addresses: [], applicationProtocols: ["h2"], port: null });
  }
  assert.equal(services.kindOf({ ...USE, names: ["d1.example"] }), "DoH");
  assert.equal(services.kindOf({ ...USE, names: ["d1999.example"] }), null);
});

Deno.test("the public resolvers are names and addresses in the form in which they are looked for", () => {
  const hosts = new Set<string>();
  for (const { operator, names, addresses } of PUBLIC_RESOLVERS) {
    for (const name of names) assert.equal(domainName(name), `${name}.`, operator);
    for (const text of addresses) {
      const { words, family } = parseAddress(text)!;
      assert.equal(addressText(words, 0, family === 6), text, operator);
    }
    for (const host of [...names, ...addresses]) {
      assert.ok(!hosts.has(host), host);
      hosts.add(host);
    }
  }
});
