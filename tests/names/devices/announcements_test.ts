import assert from "node:assert/strict";
import fc from "fast-check";
import { readDhcp } from "../../../src/names/devices/dhcp.ts";
import { readDhcpv6 } from "../../../src/names/devices/dhcpv6.ts";
import {
  readArp,
  readLldp,
  readNeighbourDiscovery,
} from "../../../src/names/devices/link_announcements.ts";
import { readMdns } from "../../../src/names/devices/mdns.ts";
import { readNetbios } from "../../../src/names/devices/netbios.ts";
import { addressBytes, bytes, u32 } from "../../packets.ts";
import {
  ADVERTISEMENT,
  ARP,
  dhcp,
  dhcpv6,
  FQDN,
  LLDP,
  MDNS,
  NAME_OPTION,
  netbios,
  option,
  option6,
  SOLICITATION,
  TEXT,
} from "./messages.ts";

const whole = (packet: Uint8Array) => [packet, 0, packet.length] as const;

Deno.test("readDhcp() reads a client's name, and its address only when a server acknowledges it", () => {
  const asked = dhcp(1, "0.0.0.0", "0.0.0.0", option(53, bytes(3)), NAME_OPTION);
  assert.deepEqual(readDhcp(...whole(asked)), {
    ...{ by: "dhcp", hardware: TEXT, addresses: [], name: "laptop", lease: null },
  });
  const offered = dhcp(2, "10.0.0.7", "0.0.0.0", option(53, bytes(2)));
  assert.equal(readDhcp(...whole(offered)), null);
  const given = dhcp(2, "10.0.0.7", "0.0.0.0", option(53, bytes(5)), option(51, bytes(u32(3600))));
  assert.deepEqual(readDhcp(...whole(given)), {
    ...{ by: "dhcp", hardware: TEXT, addresses: ["10.0.0.7"], name: null, lease: 3600 },
  });
});

Deno.test("readDhcp() prefers the full name, as text or encoded", () => {
  const plain = option(81, bytes(0, 0, 0, "Laptop.example.org"));
  const encoded = option(81, bytes(4, 0, 0, 6, "Laptop", 7, "example", 3, "org", 0));
  for (const full of [plain, encoded]) {
    const message = dhcp(1, "0.0.0.0", "10.0.0.7", NAME_OPTION, full);
    const read = readDhcp(...whole(message));
    assert.deepEqual([read?.name, read?.addresses], ["laptop.example.org", ["10.0.0.7"]]);
  }
});

Deno.test("readDhcpv6() reads names and addresses, also through relays", () => {
  const asked = dhcpv6(1, FQDN);
  const address = option6(5, bytes(addressBytes("2001:db8::7"), u32(100), u32(200)));
  const given = dhcpv6(7, option6(3, bytes(u32(1), u32(0), u32(0), address)));
  assert.deepEqual(readDhcpv6(...whole(asked)), {
    ...{ by: "dhcpv6", hardware: TEXT, addresses: [], name: "laptop.lan", lease: null },
  });
  const read = {
    ...{ by: "dhcpv6", hardware: TEXT, addresses: ["2001:db8::7"], name: null, lease: 200 },
  };
  assert.deepEqual(readDhcpv6(...whole(given)), read);
  const relayed = bytes(13, 0, new Uint8Array(32), option6(9, given));
  assert.deepEqual(readDhcpv6(...whole(relayed)), read);
  let nested = given;
  for (let hop = 0; hop < 200; hop++) nested = bytes(13, 0, new Uint8Array(32), option6(9, nested));
  assert.equal(readDhcpv6(...whole(nested)), null);
});

Deno.test("readNetbios() reads the names that a host registers for itself, and no group's", () => {
  assert.deepEqual(readNetbios(...whole(netbios("OZI", 0x20))), {
    ...{ by: "netbios", hardware: null, addresses: ["10.0.0.7"], name: "ozi", lease: null },
  });
  assert.equal(readNetbios(...whole(netbios("WORKGROUP", 0, true))), null);
  assert.equal(readNetbios(...whole(netbios("DOMAIN", 0x1c))), null);
});

Deno.test("readArp() and readNeighbourDiscovery() read which address is whose", () => {
  assert.deepEqual(readArp(...whole(ARP)), {
    ...{ by: "arp", hardware: TEXT, addresses: ["10.0.0.7"], name: null, lease: null },
  });
  const probe = ARP.slice();
  probe.fill(0, 14, 18);
  assert.equal(readArp(...whole(probe)), null);
  for (const message of [ADVERTISEMENT, SOLICITATION]) {
    assert.deepEqual(readNeighbourDiscovery(message, 16, message.length, 0), {
      ...{ by: "ndp", hardware: TEXT, addresses: ["2001:db8::7"], name: null, lease: null },
    });
  }
});

Deno.test("readLldp() reads a switch's name and address, readMdns() those of hosts", () => {
  assert.deepEqual(readLldp(...whole(LLDP)), {
    ...{ by: "lldp", hardware: TEXT, addresses: ["10.0.0.2"], name: "switch-1", lease: null },
  });
  assert.deepEqual(readMdns(...whole(MDNS)), [{
    ...{ by: "mdns", hardware: null, addresses: ["10.0.0.9", "fe80::9"], name: "printer" },
    lease: null,
  }]);
});

Deno.test("what reads announcements takes bytes cut and changed anywhere", () => {
  const readers: [Uint8Array, (...message: [Uint8Array, number, number]) => unknown][] = [
    [dhcp(2, "10.0.0.7", "10.0.0.7", NAME_OPTION, option(53, bytes(5))), readDhcp],
    [dhcpv6(7, FQDN, option6(3, new Uint8Array(60))), readDhcpv6],
    [netbios("OZI", 0), readNetbios],
    [ARP, readArp],
    [ADVERTISEMENT, (packet, _start, end) => readNeighbourDiscovery(packet, 16, end, 0)],
    [LLDP, readLldp],
    [MDNS, readMdns],
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...readers),
      fc.nat(),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
      ([message, read], cut, changes) => {
        const changed = message.slice(0, cut % (message.length + 1));
        for (const [at, byte] of changes) {
          if (changed.length > 0) changed[at % changed.length] = byte;
        }
        read(changed, 0, changed.length);
      },
    ),
    { numRuns: 20_000 },
  );
});
