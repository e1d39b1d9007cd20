/** What tshark counts of one conversation. Ends are in the order of their text; so are directions. */
export interface TsharkFigures {
  /** Packets from the first end, from the other one. */
  readonly packets: [number, number];
  /** Bytes of IP packets, header and payload: likewise. */
  readonly bytes: [number, number];
  /** When the first packet and the last one came, in seconds since 1970-01-01 UTC. */
  first: number;
  last: number;
}

const FIELDS = [
  ...["frame.time_epoch", "frame.protocols", "ip.src", "ip.dst", "ip.len", "ip.frag_offset"],
  ...["ipv6.src", "ipv6.dst", "ipv6.plen", "ipv6.fraghdr.offset"],
  ...["tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport"],
];
/** RFC 8200, section 3. */
const IPV6_HEADER = 40;

/**
 * Packets and bytes of each TCP and UDP conversation of a capture, by tshark: the sums of `ip.len`, or of
 * `ipv6.plen` and 40. Of packets in packets the innermost counts.
 */
export async function tsharkFigures(path: string): Promise<Map<string, TsharkFigures>> {
  const { stdout } = await new Deno.Command("tshark", {
    args: ["-n", "-r", path, "-Y", "tcp || udp", "-T", "fields", "-E", "occurrence=l"]
      .concat(["ip", "ipv6"].flatMap((name) => ["-o", `${name}.defragment:FALSE`]))
      .concat(FIELDS.flatMap((field) => ["-e", field])),
    stderr: "null",
  }).output();
  const found = new Map<string, TsharkFigures>();
  for (const line of new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "")) {
    const [time, protocols, ...fields] = line.split("\t");
    const [src4, dst4, length4, fragment4, src6, dst6, length6, fragment6, ...ports] = fields;
    const [tcpFrom, tcpTo, udpFrom, udpTo] = ports;
    const layers = protocols.split(":");
    // ICMP quotes packets that are others'.
    if (layers.some((layer) => layer === "icmp" || layer === "icmpv6")) continue;
    const isIpv6 = layers.lastIndexOf("ipv6") > layers.lastIndexOf("ip");
    // What follows IP at once, but for extension headers.
    const after = layers.slice(layers.lastIndexOf(isIpv6 ? "ipv6" : "ip") + 1)
      .find((layer) => !layer.startsWith("ipv6.") && layer !== "ah");
    if (after !== "tcp" && after !== "udp") continue;
    if (Number(isIpv6 ? fragment6 : fragment4) > 0) continue;
    const from = `${isIpv6 ? src6 : src4} ${after === "tcp" ? tcpFrom : udpFrom}`;
    const to = `${isIpv6 ? dst6 : dst4} ${after === "tcp" ? tcpTo : udpTo}`;
    const bytes = isIpv6 ? Number(length6) + IPV6_HEADER : Number(length4);
    const isTurned = from > to;
    const key = `${after} ${isTurned ? `${to} ${from}` : `${from} ${to}`}`;
    const figures = found.get(key) ??
      { packets: [0, 0], bytes: [0, 0], first: Number(time), last: Number(time) };
    found.set(key, figures);
    const direction = isTurned ? 1 : 0;
    figures.packets[direction]++;
    figures.bytes[direction] += bytes;
    figures.first = Math.min(figures.first, Number(time));
    figures.last = Math.max(figures.last, Number(time));
  }
  return found;
}
