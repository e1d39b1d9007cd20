import assert from "node:assert/strict";
import { FilteredSource } from "../../src/capture/filtered_source.ts";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { UserError } from "../../src/user_error.ts";
import { reading } from "./saved_packets.ts";
import { HAS_LIBPCAP, HAS_TCPDUMP, WITHOUT_LIBPCAP, WITHOUT_TCPDUMP } from "../installed.ts";
import { run } from "../namespaces.ts";
import { PcapngSection } from "../pcapng.ts";
import { bytes, ethernet, ip, ipIcmp, ipUdp, pcap, tcp, u16, u32, udp } from "../packets.ts";
import { HAS_SHARED_CAPTURES, sharedCapture, WITHOUT_SHARED_CAPTURES } from "../shared_captures.ts";

/** Captures of each link type there is, with IPv6, VLAN tags, fragments and tunnels among them. */
const CAPTURES = [
  "443-chrome.pcap",
  "6in6tunnel.pcap",
  "KakaoTalk_chat.pcap",
  "capwap.pcap",
  "codm.pcap",
  "dns_exfiltration.pcap",
  "http_ipv6.pcap",
  "psiphon3.pcap",
  "rtsp.pcap",
  "sites.pcapng",
  "smb_frags.pcap",
  "telegram.pcap",
  "tls_heur__vmess-websocket.pcapng",
];

const EXPRESSIONS = [
  "",
  "ip",
  "ip6",
  "tcp",
  "udp and not port 53",
  "port 443 or port 80",
  "tcp src portrange 1024-65535",
  "dst port 443 and tcp",
  "net 192.168.0.0/16",
  "not net 10.0.0.0/8 and not net 192.168.0.0/16",
  "src net 192.168.0.0/16 and dst port 53",
  "ip6 net 2000::/3",
  "icmp or icmp6",
  "ip broadcast or ip multicast",
  "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
  "tcp[tcpflags] & tcp-syn != 0 and tcp[tcpflags] & tcp-ack == 0",
  "tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420",
  "ip[8] < 64",
  "ip[6:2] & 0x1fff != 0",
  "ip[2:2] % 7 = 3",
  "ip[2:2] / 10 * 10 - 5 > 100",
  "udp[4:2] ^ 0xff > 200",
  "(ip[0] & 0xf) << 2 = 20 and len > 100",
  "greater 200",
  "less 100",
  "ip proto 47 or ip6 proto 43",
  "ip6 protochain 6",
  "(tcp or udp) and ip[9] = 17",
  "udp[100000] = 1",
  "vlan",
  "vlan and tcp",
  "pppoes and ip",
];

Deno.test({
  name: "FilteredSource takes as many packets of real captures as tcpdump" +
    WITHOUT_SHARED_CAPTURES + WITHOUT_TCPDUMP,
  ignore: !HAS_SHARED_CAPTURES || !HAS_TCPDUMP,
  async fn() {
    let compared = 0;
    for (const capture of CAPTURES) {
      compared += await compare(sharedCapture(`pcap/${capture}`), EXPRESSIONS);
    }
    assert.ok(compared > CAPTURES.length * EXPRESSIONS.length / 2, `${compared} compared`);
  },
});

Deno.test({
  name: "FilteredSource takes as many packets of each link type as tcpdump" + WITHOUT_TCPDUMP,
  ignore: !HAS_TCPDUMP,
  async fn() {
    const packets = [
      ip("10.0.0.1", "192.0.2.9", tcp(40000, 443)),
      ipUdp("2001:db8::1", "2001:db8::2", udp(5353, 53)),
      ipIcmp("192.0.2.9", "10.0.0.1", bytes(3, 3, 0, 0, 0, 0, 0, 0)),
      ipUdp("10.0.0.1", "255.255.255.255", udp(68, 67)),
    ];
    const family = (packet: Uint8Array) => packet[0] >>> 4 === 6 ? 6 : 4;
    const etherType = (packet: Uint8Array) => u16(family(packet) === 6 ? 0x86dd : 0x0800);
    const pppProtocol = (packet: Uint8Array) => u16(family(packet) === 6 ? 0x57 : 0x21);
    const framings: [linkType: number, frame: (packet: Uint8Array) => Uint8Array][] = [
      [0, (packet) => bytes(family(packet) === 6 ? 30 : 2, 0, 0, 0, packet)],
      [1, (packet) => ethernet(packet)],
      [1, (packet) => ethernet(packet, [7])],
      [1, (packet) => ethernet(packet, [7, 8])],
      [9, (packet) => bytes(0xff, 0x03, pppProtocol(packet), packet)],
      [12, (packet) => packet],
      [101, (packet) => packet],
      [108, (packet) => bytes(u32(family(packet) === 6 ? 24 : 2), packet)],
      [113, (packet) => bytes(u16(4), u16(1), u16(6), u32(0), u32(0), etherType(packet), packet)],
      [
        276,
        (packet) => bytes(etherType(packet), u16(0), u32(3), u16(1), 4, 6, u32(0), u32(0), packet),
      ],
    ];
    const file = await Deno.makeTempFile({ suffix: ".pcap" });
    try {
      for (const [linkType, frame] of framings) {
        const timed = packets.map((packet, seconds) => ({ packet: frame(packet), seconds }));
        await Deno.writeFile(file, pcap(timed, { linkType }));
        const compared = await compare(file, [
          "ip",
          "ip6",
          "port 443",
          "udp",
          "host 10.0.0.1",
          "vlan",
        ]);
        assert.ok(compared > 1, `link type ${linkType}`);
      }
    } finally {
      await Deno.remove(file);
    }
  },
});

Deno.test({
  name: "FilteredSource leaves the other packets out of what it says was received" +
    WITHOUT_LIBPCAP,
  ignore: !HAS_LIBPCAP,
  async fn() {
    const file = await Deno.makeTempFile();
    const packets = [443, 80, 443].map((port, seconds) => ({
      packet: ethernet(ip("10.0.0.1", "10.0.0.2", tcp(40000, port))),
      seconds: seconds + 5,
      length: 900 + seconds,
    }));
    await Deno.writeFile(file, pcap(packets));
    const source = new FilteredSource(SavefileSource.open(file), "port 443");
    const batch = await source.next();
    assert.equal(batch?.count, 2);
    assert.deepEqual([...batch.seconds.subarray(0, 2)], [5, 7]);
    assert.deepEqual([...batch.length.subarray(0, 2)], [900, 902]);
    assert.equal(source.name, file);
    assert.equal(source.statistics().received, 2);
    source.close();
    await Deno.remove(file);
  },
});

Deno.test({
  name: "FilteredSource says what is wrong with a filter in libpcap's words" + WITHOUT_LIBPCAP,
  ignore: !HAS_LIBPCAP,
  async fn() {
    const file = await Deno.makeTempFile();
    await Deno.writeFile(
      file,
      pcap([{ packet: ethernet(ip("10.0.0.1", "10.0.0.2", tcp(1, 2))), seconds: 1 }]),
    );
    const source = new FilteredSource(SavefileSource.open(file), "tcp prt 443");
    await assert.rejects(source.next(), {
      name: "UserError",
      message: /^filter "tcp prt 443": .*syntax error.*pcap-filter/,
    });
    source.close();
    await Deno.remove(file);
  },
});

/** @returns How many of the expressions tcpdump takes for the capture. */
async function compare(file: string, expressions: readonly string[]): Promise<number> {
  let compared = 0;
  for (const expression of expressions) {
    const expected = await run("tcpdump", "-n", "-r", file, "--count", expression);
    const actual = await count(file, expression);
    if (expected.code === 0) {
      assert.equal(actual, Number.parseInt(expected.stdout), `${file}: ${expression}`);
      compared++;
    } else assert.ok(actual instanceof UserError, `${file}: ${expression}: ${expected.stderr}`);
  }
  return compared;
}

async function count(file: string, expression: string): Promise<number | UserError> {
  const source = new FilteredSource(SavefileSource.open(file), expression);
  try {
    let packets = 0;
    for (let batch; (batch = await source.next()) !== null;) packets += batch.count;
    return packets;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  } finally {
    source.close();
  }
}

Deno.test({
  name: "FilteredSource leaves packets in that libpcap can't filter and nobody decodes" +
    WITHOUT_LIBPCAP,
  ignore: !HAS_LIBPCAP,
  async fn() {
    const USB_LINUX_MMAPPED = 220;
    const section = new PcapngSection().interface().interface({ linkType: USB_LINUX_MMAPPED });
    const flow = (port: number) => ethernet(ip("10.0.0.7", "192.0.2.10", tcp(51_000, port)));
    const usb = new Uint8Array(64);
    section.enhanced(1, 0n, usb).enhanced(0, 1n, flow(443)).enhanced(0, 2n, flow(80));
    section.enhanced(1, 3n, usb);
    const read = async (expression: string, file: Uint8Array) => {
      const source = new SavefileSource("capture", reading(file));
      const filtered = new FilteredSource(source, expression);
      const linkTypes: number[] = [];
      for (let batch; (batch = await filtered.next()) !== null;) {
        linkTypes.push(...batch.linkType.subarray(0, batch.count));
      }
      assert.equal(filtered.statistics().received, linkTypes.length);
      return linkTypes;
    };
    assert.deepEqual(await read("tcp port 443", section.bytes()), [
      USB_LINUX_MMAPPED,
      1,
      USB_LINUX_MMAPPED,
    ]);
    // A mistake is one whatever is filtered, and so is a filter for another link layer.
    for (const wrong of ["tcp prt 443", "host", "wlan type mgt"]) {
      await assert.rejects(read(wrong, section.bytes()), UserError);
    }
    // Of what is decoded, a filter that has no meaning is said to have none.
    const raw = new PcapngSection().interface({ linkType: 101 })
      .enhanced(0, 0n, ip("10.0.0.7", "192.0.2.10", tcp(1, 2)));
    await assert.rejects(read("ether host 02:00:00:00:00:01", raw.bytes()), UserError);
  },
});
