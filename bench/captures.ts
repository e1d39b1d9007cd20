/**
 * Makes the captures that the benches read: pcap files with packets of a given size, spread over a
 * given number of conversations, a few of which have most of the packets.
 *
 *     deno run --allow-write=build bench/captures.ts build/bench
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** What a capture should be like. */
export interface CaptureShape {
  packets: number;
  /** How many conversations there are; 0 makes each packet a new one. */
  conversations: number;
  /** Captured bytes of a packet, its Ethernet header included. */
  bytes: number;
  ipv6?: boolean;
  /** Packets in a second of capture time. @default 100_000 */
  rate?: number;
}

/** The captures that are always read, by name. */
export const CAPTURES: Record<string, CaptureShape> = {
  "5m-96": { packets: 5_000_000, conversations: 50_000, bytes: 96 },
  "2m-new": { packets: 2_000_000, conversations: 0, bytes: 96 },
  "2m-ipv6": { packets: 2_000_000, conversations: 50_000, bytes: 96, ipv6: true },
  "300k-full": { packets: 300_000, conversations: 20_000, bytes: 1514 },
};

/** A longer one, of which start and end of a process are no part worth mentioning: 3.4 GB. */
export const LONG_CAPTURES: Record<string, CaptureShape> = {
  "30m-96": { ...CAPTURES["5m-96"], packets: 30_000_000 },
};

const ETHERNET = 14;
const RECORD = 16;
const FIRST_SECOND = 1_700_000_000;
const CHUNK_BYTES = 4 * 1024 * 1024;

/** Writes one capture, in whole chunks, whatever its size. */
export function writeCapture(path: string, shape: CaptureShape): void {
  const file = Deno.openSync(path, { write: true, create: true, truncate: true });
  const header = new DataView(new ArrayBuffer(24));
  header.setUint32(0, 0xa1b2c3d4, true);
  header.setUint16(4, 2, true);
  header.setUint16(6, 4, true);
  header.setUint32(16, 262_144, true);
  header.setUint32(20, 1, true);
  writeAll(file, new Uint8Array(header.buffer));

  const record = RECORD + shape.bytes;
  const perChunk = Math.floor(CHUNK_BYTES / record);
  const chunk = new Uint8Array(perChunk * record);
  const view = new DataView(chunk.buffer);
  const random = randomNumbers(1);
  for (let done = 0; done < shape.packets;) {
    const count = Math.min(perChunk, shape.packets - done);
    for (let i = 0; i < count; i++) writePacket(view, i * record, done + i, shape, random);
    writeAll(file, chunk.subarray(0, count * record));
    done += count;
  }
  file.close();
}

function writePacket(
  view: DataView,
  at: number,
  number: number,
  shape: CaptureShape,
  random: () => number,
): void {
  const microseconds = Math.floor(number * (1e6 / (shape.rate ?? 100_000)));
  view.setUint32(at, FIRST_SECOND + Math.floor(microseconds / 1e6), true);
  view.setUint32(at + 4, microseconds % 1e6, true);
  view.setUint32(at + 8, shape.bytes, true);
  view.setUint32(at + 12, shape.bytes, true);

  // The fourth power gives a heavy head: half of the packets are of 6 % of the conversations.
  const conversation = shape.conversations === 0
    ? number
    : Math.floor(random() ** 4 * shape.conversations);
  const isReply = random() < 0.5;
  const client = conversation % 65_536;
  const server = shape.conversations === 0 ? number >>> 8 : conversation % 997;
  const clientPort = 32_768 + (conversation * 7) % 28_000;
  const serverPort = [443, 80, 53, 22, 8080, 5432][conversation % 6];
  const isUdp = serverPort === 53;

  const ethernet = at + RECORD;
  view.setUint32(ethernet, 0x02000000);
  view.setUint16(ethernet + 4, 1);
  view.setUint16(ethernet + 6, 0x0200);
  view.setUint32(ethernet + 8, 2);
  view.setUint16(ethernet + 12, shape.ipv6 ? 0x86dd : 0x0800);
  const ip = ethernet + ETHERNET;
  let transport: number;
  if (shape.ipv6) {
    transport = ip + 40;
    view.setUint32(ip, 0x60000000);
    view.setUint16(ip + 4, shape.bytes - ETHERNET - 40);
    view.setUint8(ip + 6, isUdp ? 17 : 6);
    view.setUint8(ip + 7, 64);
    const [from, to] = isReply ? [24, 8] : [8, 24];
    view.setUint32(ip + from, 0x20010db8);
    view.setUint32(ip + from + 4, 1);
    view.setUint32(ip + from + 8, 0);
    view.setUint32(ip + from + 12, client);
    view.setUint32(ip + to, 0x20010db8);
    view.setUint32(ip + to + 4, 2);
    view.setUint32(ip + to + 8, 0);
    view.setUint32(ip + to + 12, server);
  } else {
    transport = ip + 20;
    view.setUint32(ip, 0x45000000 | (shape.bytes - ETHERNET));
    view.setUint32(ip + 4, 0x00004000);
    view.setUint16(ip + 8, isUdp ? 0x4011 : 0x4006);
    const [from, to] = isReply ? [16, 12] : [12, 16];
    view.setUint32(ip + from, 0x0a000000 + client);
    view.setUint32(ip + to, 0xc6120000 + server);
  }
  view.setUint16(transport, isReply ? serverPort : clientPort);
  view.setUint16(transport + 2, isReply ? clientPort : serverPort);
  if (isUdp) {
    view.setUint32(transport + 4, (shape.bytes - (transport - ethernet)) << 16);
  } else {
    view.setUint32(transport + 4, number);
    view.setUint32(transport + 8, 1);
    // Header of 20 bytes; PSH and ACK.
    view.setUint16(transport + 12, 0x5018);
  }
}

/** The same numbers at each run (mulberry32), so that figures of two runs are of one capture. */
function randomNumbers(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
}

if (import.meta.main) {
  const [folder = "build/bench", ...names] = Deno.args;
  mkdirSync(folder, { recursive: true });
  for (const [name, shape] of Object.entries({ ...CAPTURES, ...LONG_CAPTURES })) {
    if (names.length === 0 ? name in LONG_CAPTURES : !names.includes(name)) continue;
    const path = join(folder, `${name}.pcap`);
    writeCapture(path, shape);
    console.log(`${path}: ${shape.packets} packets`);
  }
}
