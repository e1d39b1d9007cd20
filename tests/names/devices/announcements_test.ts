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
import { addressBytes, type Bytes, bytes, u16, u32 } from "../../packets.ts";

const HARDWARE = [0x02, 0, 0x5e, 0, 0x53, 7];
const TEXT = "02:00:5e:00:53:07";

/** A DHCP message (RFC 2131) with some options. */
function dhcp(operation: number, address: string, own: string, ...options: Bytes[]): Bytes {
  return bytes(
    ...[[operation, 1, 6, 0], u32(1), u32(0), addressBytes(own), addressBytes(address), u32(0)],
    ...[u32(0), HARDWARE, new Uint8Array(10 + 64 + 128), u32(0x63825363), ...options, 255],
  );
}
const option = (number: number, content: Uint8Array) => bytes(number, content.length, content);
const NAME_OPTION = option(12, bytes("Laptop"));

/** A DHCPv6 message (RFC 8415), its options and the client's identifier. */
function dhcpv6(type: number, ...options: Bytes[]): Bytes {
  const client = option6(1, bytes(u16(1), u16(1), u32(0), HARDWARE));
  return bytes(type, [0, 0, 1], client, ...options);
}
const option6 = (number: number, content: Uint8Array) =>
  bytes(u16(number), u16(content.length), content);
const FQDN = option6(39, bytes(1, 6, "laptop", 3, "lan", 0));

/** A NetBIOS name registration (RFC 1002, section 4.2.2). */
function netbios(name: string, kind: number, isGroup = false): Bytes {
  const padded = [...bytes(name.padEnd(15)), kind];
  const encoded = padded.flatMap((byte) => [0x41 + (byte >>> 4), 0x41 + (byte & 15)]);
  return bytes(
    ...[u16(1), u16(0x2910), u16(1), u16(0), u16(0), u16(1)],
    ...[32, encoded, 0, u16(32), u16(1)],
    ...[u16(0xc00c), u16(32), u16(1), u32(300), u16(6), u16(isGroup ? 0x8000 : 0)],
    addressBytes("10.0.0.7"),
  );
}

const ARP = bytes(
  ...[u16(1), u16(0x0800), [6, 4], u16(1), HARDWARE, addressBytes("10.0.0.7")],
  ...[new Uint8Array(6), addressBytes("10.0.0.1")],
);
/** An IPv6 source, then a neighbour advertisement. */
const ADVERTISEMENT = bytes(
  addressBytes("fe80::1"),
  ...[[136, 0], u16(0), u32(0x60000000), addressBytes("2001:db8::7"), [2, 1], HARDWARE],
);
const SOLICITATION = bytes(
  addressBytes("2001:db8::7"),
  ...[[135, 0], u16(0), u32(0), addressBytes("2001:db8::1"), [1, 1], HARDWARE],
);
const tlv = (type: number, content: Uint8Array) =>
  bytes(u16((type << 9) | content.length), content);
const LLDP = bytes(
  tlv(1, bytes(4, HARDWARE)),
  tlv(2, bytes(5, "eth0")),
  tlv(5, bytes("Switch-1")),
  tlv(8, bytes(5, 1, addressBytes("10.0.0.2"), 2, u32(1), 0)),
  u16(0),
);
const MDNS = bytes(
  ...[u16(0), u16(0x8400), u16(0), u16(2), u16(0), u16(0)],
  ...[7, "Printer", 5, "local", 0, u16(1), u16(0x8001), u32(120), u16(4), addressBytes("10.0.0.9")],
  ...[u16(0xc00c), u16(28), u16(0x8001), u32(120), u16(16), addressBytes("fe80::9")],
);
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
