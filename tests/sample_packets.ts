import { LINK_LAYERS } from "./link_layers.ts";
import { TUNNELS } from "./tunnels.ts";
import { bytes, icmp, ip, ipIcmp, ipUdp, tcp, udp } from "./packets.ts";

/** A packet and the link type that it is of. */
export interface SamplePacket {
  packet: Uint8Array;
  linkType: number;
}

const IPV4 = ["10.0.0.1", "192.0.2.1"] as const;
const IPV6 = ["2001:db8::1", "2001:db8:f::2"] as const;
const OPTION = [0, 0, 1, 4, 0, 0, 0, 0];

const IP_PACKETS: Uint8Array[] = [IPV4, IPV6].flatMap(([one, other]) => [
  ip(one, other, tcp(40_000, 443, 0x18, "payload", [1, 1, 1, 1])),
  ip(other, one, tcp(443, 40_000, 0x04)),
  ipUdp(one, other, udp(50_000, 53, "query")),
  ip(one, other, tcp(1, 2), { options: [1, 1, 1, 1], extensions: [[0, OPTION], [60, OPTION]] }),
  ip(one, other, udp(1, 2), {
    protocol: 17,
    fragment: 0x2000,
    extensions: [[43, OPTION], [44, [0, 0, 0, 1, 0, 0, 0, 1]], [51, OPTION.with(1, 0)]],
  }),
  ipIcmp(other, one, icmp(one.includes(":") ? 1 : 3, 3, ipUdp(one, other, udp(9, 99)))),
  ipIcmp(other, one, icmp(one.includes(":") ? 1 : 3, 1, ip(one, other, tcp(9, 99)))),
]);

/** Packets of each kind that the sensor reads, in each link layer and in each tunnel. */
export const SAMPLE_PACKETS: SamplePacket[] = [
  ...LINK_LAYERS.flatMap(({ linkType, wrap }) =>
    IP_PACKETS.map((packet) => ({ packet: bytes(wrap(packet)), linkType }))
  ),
  ...TUNNELS.flatMap(({ wrap }) =>
    IP_PACKETS.map((packet) => ({ packet: bytes(wrap(packet)), linkType: 1 }))
  ),
];
