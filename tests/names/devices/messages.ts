/** Builds what hosts and servers say of hosts, for tests. */
import { addressBytes, type Bytes, bytes, u16, u32 } from "../../packets.ts";

export const HARDWARE = [0x02, 0, 0x5e, 0, 0x53, 7];
export const TEXT = "02:00:5e:00:53:07";

/** A DHCP message (RFC 2131) with some options. */
export function dhcp(operation: number, address: string, own: string, ...options: Bytes[]): Bytes {
  return bytes(
    ...[[operation, 1, 6, 0], u32(1), u32(0), addressBytes(own), addressBytes(address), u32(0)],
    ...[u32(0), HARDWARE, new Uint8Array(10 + 64 + 128), u32(0x63825363), ...options, 255],
  );
}
export const option = (number: number, content: Uint8Array) =>
  bytes(number, content.length, content);
export const NAME_OPTION = option(12, bytes("Laptop"));

/** A DHCPv6 message (RFC 8415), its options and the client's identifier. */
export function dhcpv6(type: number, ...options: Bytes[]): Bytes {
  const client = option6(1, bytes(u16(1), u16(1), u32(0), HARDWARE));
  return bytes(type, [0, 0, 1], client, ...options);
}
export const option6 = (number: number, content: Uint8Array) =>
  bytes(u16(number), u16(content.length), content);
export const FQDN = option6(39, bytes(1, 6, "laptop", 3, "lan", 0));

/** A NetBIOS name registration (RFC 1002, section 4.2.2). */
export function netbios(name: string, kind: number, isGroup = false): Bytes {
  const padded = [...bytes(name.padEnd(15)), kind];
  const encoded = padded.flatMap((byte) => [0x41 + (byte >>> 4), 0x41 + (byte & 15)]);
  return bytes(
    ...[u16(1), u16(0x2910), u16(1), u16(0), u16(0), u16(1)],
    ...[32, encoded, 0, u16(32), u16(1)],
    ...[u16(0xc00c), u16(32), u16(1), u32(300), u16(6), u16(isGroup ? 0x8000 : 0)],
    addressBytes("10.0.0.7"),
  );
}

export const ARP = bytes(
  ...[u16(1), u16(0x0800), [6, 4], u16(1), HARDWARE, addressBytes("10.0.0.7")],
  ...[new Uint8Array(6), addressBytes("10.0.0.1")],
);
/** The same as a host sends it to all others. */
export const ARP_FRAME = bytes(new Array(6).fill(0xff), HARDWARE, u16(0x0806), ARP);
/** An IPv6 source, then a neighbour advertisement. */
export const ADVERTISEMENT = bytes(
  addressBytes("fe80::1"),
  ...[[136, 0], u16(0), u32(0x60000000), addressBytes("2001:db8::7"), [2, 1], HARDWARE],
);
export const SOLICITATION = bytes(
  addressBytes("2001:db8::7"),
  ...[[135, 0], u16(0), u32(0), addressBytes("2001:db8::1"), [1, 1], HARDWARE],
);
export const tlv = (type: number, content: Uint8Array) =>
  bytes(u16((type << 9) | content.length), content);
export const LLDP = bytes(
  tlv(1, bytes(4, HARDWARE)),
  tlv(2, bytes(5, "eth0")),
  tlv(5, bytes("Switch-1")),
  tlv(8, bytes(5, 1, addressBytes("10.0.0.2"), 2, u32(1), 0)),
  u16(0),
);
export const MDNS = bytes(
  ...[u16(0), u16(0x8400), u16(0), u16(2), u16(0), u16(0)],
  ...[7, "Printer", 5, "local", 0, u16(1), u16(0x8001), u32(120), u16(4), addressBytes("10.0.0.9")],
  ...[u16(0xc00c), u16(28), u16(0x8001), u32(120), u16(16), addressBytes("fe80::9")],
);
