/** What is mutated: captures, and their packets. */
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { UserError } from "../../src/user_error.ts";
import {
  address,
  alias,
  hints,
  nameError,
  record,
  response,
  serviceData,
  TYPE_HTTPS,
  wireName,
  withLength,
} from "../dns/dns_messages.ts";
import { clientHello, crypto, initial, records } from "../names/hellos.ts";
import { ACK, type Bytes, bytes, ethernet, ip, ipUdp, PSH, tcp, udp } from "../packets.ts";
import { MESSAGES } from "../payload/messages.ts";
import { SAMPLE_PACKETS, type SamplePacket } from "../sample_packets.ts";

/** Packets that belong together, in their order. */
export interface CorpusCapture {
  readonly name: string;
  readonly packets: readonly SamplePacket[];
  /** The beginning of its file; empty where there is none. */
  readonly file: Uint8Array;
}

/** So much of each capture is used. */
const MOST_PACKETS = 500;
const MOST_PACKET_BYTES = 2000;
const MOST_FILE_BYTES = 40_000;

const CLIENT = "10.0.0.7";
const SERVER = "192.0.2.53";

/** DNS messages of the kinds that make keys. */
export const DNS_MESSAGES: readonly Bytes[] = [
  response("www.example", [
    alias("www.example", "host.example"),
    address("host.example", "192.0.2.1"),
  ]),
  response("host.example", [address("host.example", "2001:db8::1")]),
  nameError("missing.example"),
  response(
    "a".repeat(60) + ".example",
    Array.from(
      { length: 20 },
      (_, i) => address("a".repeat(60) + ".example", `192.0.2.${i}`),
    ),
  ),
  bytes(
    [0, 1, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0],
    ...[wireName("w", "example"), [0, TYPE_HTTPS, 0, 1]],
    record(
      [0xc0, 12],
      TYPE_HTTPS,
      serviceData(1, bytes(0), ...hints("192.0.2.10", "2001:db8::10")),
    ),
  ),
  response("evil.example", [
    address('"};\\n\\u001b[31m.example', "192.0.2.9"),
    alias("evil.example", "\u202e;dns\\..example"),
  ]),
];

/** What clients say at first: TLS, also in several records, and HTTP. */
const HELLOS: readonly Bytes[] = [
  records(clientHello("www.example", { protocols: ["h2", "http/1.1"], encryptedHello: 7 })),
  records(clientHello("host.example", { keyShare: 1200 }), 400),
  bytes("GET /index.html HTTP/1.1\r\nUser-Agent: x\r\nHost: www.example:8080\r\n\r\n"),
];

/** Captures that need no files. */
export function ownCaptures(): CorpusCapture[] {
  let port = 30_000;
  const messages = MESSAGES.map(({ transport, port: service, payload }) => {
    const from = port++;
    return ethernet(
      transport === "tcp"
        ? ip(CLIENT, SERVER, tcp(from, service, PSH | ACK, payload))
        : ipUdp(CLIENT, SERVER, udp(from, service, payload)),
    );
  });
  const dns = DNS_MESSAGES.flatMap((message) => [
    ethernet(ipUdp(SERVER, CLIENT, udp(53, port++, message))),
    ethernet(ip(SERVER, CLIENT, tcp(53, port++, PSH | ACK, withLength(message)))),
    ethernet(ipUdp(SERVER, "224.0.0.251", udp(5353, 5353, message))),
    ethernet(ipUdp("2001:db8::53", "2001:db8::7", udp(5355, port++, message))),
  ]);
  const names = HELLOS.flatMap((hello) => [
    ethernet(ip(CLIENT, SERVER, tcp(port++, 443, PSH | ACK, hello))),
    ethernet(ip("2001:db8::7", "2001:db8:f::2", tcp(port++, 443, PSH | ACK, hello))),
  ]);
  const hello = clientHello("quic.example", { protocols: ["h3"] });
  const frames = [
    crypto(0, hello),
    bytes(crypto(60, hello.subarray(60)), crypto(0, hello.subarray(0, 60))),
  ];
  const quic = frames.map((it) => ethernet(ipUdp(CLIENT, SERVER, udp(port++, 443, initial(it)))));
  const made: Record<string, readonly Uint8Array[]> = { messages, dns, names, quic };
  return [
    ...Object.entries(made).map(([name, packets]) => ({
      name,
      packets: packets.map((packet) => ({ packet, linkType: 1 })),
      file: new Uint8Array(),
    })),
    { name: "samples", packets: SAMPLE_PACKETS, file: new Uint8Array() },
  ];
}

/** Captures of files, as far as they are captures. */
export async function capturesOf(paths: readonly string[]): Promise<CorpusCapture[]> {
  const captures: CorpusCapture[] = [];
  for (const path of paths) {
    const packets: SamplePacket[] = [];
    const source = SavefileSource.open(path);
    try {
      for (let batch; packets.length < MOST_PACKETS && (batch = await source.next()) !== null;) {
        for (let i = 0; i < batch.count && packets.length < MOST_PACKETS; i++) {
          const { bytes, offset, captured, linkType } = batch;
          const size = Math.min(captured[i], MOST_PACKET_BYTES);
          packets.push({
            packet: bytes.slice(offset[i], offset[i] + size),
            linkType: linkType[i],
          });
        }
      }
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    } finally {
      source.close();
    }
    const file = (await Deno.readFile(path)).slice(0, MOST_FILE_BYTES);
    captures.push({ name: path, packets, file });
  }
  return captures;
}
