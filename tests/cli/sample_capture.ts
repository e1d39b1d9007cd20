import { join } from "node:path";
import { withFiles } from "../config/temporary_files.ts";
import { connection, exchange, keysOfFlow } from "../conversations.ts";
import { type Bytes, ethernet, icmp, ip, ipIcmp, ipUdp, pcap, RST, tcp, udp } from "../packets.ts";

/** Own networks of the sample. */
export const OWN_NETWORKS = ["10.1.0.0/16", "2001:db8:1::/48"];

const LAPTOP = "10.1.0.1";
const NAS = "10.1.0.5";
const LAPTOP_V6 = "2001:db8:1::1";
const WEB = "198.51.100.80";
const WEB_V6 = "2001:db8:80::1";
const RESOLVER = "203.0.113.53";
const GUEST = "203.0.113.9";

/** Both families, both directions, TCP and UDP, a refused connection, an unreachable port. */
export const SAMPLE_PACKETS: readonly Bytes[] = [
  ...connection(LAPTOP, 51_000, WEB, 443),
  ...connection(LAPTOP_V6, 51_001, WEB_V6, 443),
  ...exchange(LAPTOP, 50_123, RESOLVER, 53),
  ...connection(GUEST, 61_200, NAS, 22),
  ethernet(ip(WEB, LAPTOP, tcp(8080, 52_999, RST))),
  ethernet(ipIcmp(
    WEB_V6,
    LAPTOP_V6,
    icmp(1, 4, ipUdp(LAPTOP_V6, WEB_V6, udp(50_501, 161))),
  )),
];

/** The keys of the sample, sorted. */
export const SAMPLE_KEYS: readonly string[] = [
  ...new Set([
    ...keysOfFlow(LAPTOP, WEB, 443),
    ...keysOfFlow(LAPTOP_V6, WEB_V6, 443),
    ...keysOfFlow(LAPTOP, RESOLVER, 53),
    ...keysOfFlow(GUEST, NAS, 22),
    `${LAPTOP};${WEB};52999:8080;rst`,
    `${LAPTOP_V6};${WEB_V6};50501:161;4;icmp`,
  ]),
].sort();

/** The sample as a pcap file, a packet each half second. */
export const SAMPLE_CAPTURE: Bytes = capture(SAMPLE_PACKETS);

/** A pcap file with a packet each half second. */
export function capture(packets: readonly Bytes[]): Bytes {
  return pcap(packets.map((packet, i) => ({ packet, seconds: 1_790_000_000 + i / 2 })));
}

/** Runs `use` with a directory that has the sample and an empty configuration. */
export function withSample(
  use: (sample: { directory: string; file: string; config: string }) => Promise<void>,
  config = 'import { defineConfig } from "flosensor/config";\nexport default defineConfig({});\n',
): Promise<void> {
  return withFiles({ "config.ts": config }, async (directory) => {
    const file = join(directory, "sample.pcap");
    await Deno.writeFile(file, SAMPLE_CAPTURE);
    await use({ directory, file, config: join(directory, "config.ts") });
  });
}

/** The keys of JSON lines, sorted. Every line must be one of a write, of a conversation's end, or of a device. */
export function keysOfLines(lines: string): string[] {
  return lines.trimEnd().split("\n").flatMap((line) => {
    const { type, key, count } = JSON.parse(line);
    if (type === "end" || type === "device") return [];
    if (typeof key !== "string" || count !== 1) throw new Error(`${line} is no write`);
    return key;
  }).sort();
}
