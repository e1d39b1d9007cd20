import type { PayloadReader } from "../packet/payload_reader.ts";
import {
  DESTINATION,
  type PacketHeader,
  PROTOCOL_TCP,
  TCP_FIN,
  TCP_RST,
  TCP_SYN,
} from "../packet/packet_header.ts";
import { readDnsMessage } from "./dns_message.ts";
import type { DnsMeter } from "./dns_meter.ts";
import { AFTER_GAP, CUT_SHORT, MALFORMED, QUERY } from "./dns_outcome.ts";
import { type DnsPorts, MDNS_PORT, portsToRead } from "../model/dns_ports.ts";
import { TcpMessages } from "./tcp_messages.ts";

/** Where a UDP header has the datagram's length (RFC 768), and the header's own. */
const UDP_LENGTH = 4;
const UDP_HEADER = 8;
/** Where a TCP header has the sequence number (RFC 9293, section 3.1). */
const TCP_SEQUENCE = 4;

/** Finds DNS responses in packets, and hands them to a meter. The client is who they are sent to. */
export class DnsPackets implements PayloadReader {
  readonly ports: Uint8Array;
  readonly #meter: DnsMeter;
  readonly #tcp = new TcpMessages({ onCut: () => this.#meter.count(CUT_SHORT) });
  readonly #client = new Uint32Array(4);
  #window = 0;
  #seconds = 0;
  #isIpv6 = false;
  /** The buffer of the batch that was read from last. */
  #bytes: Uint8Array = new Uint8Array();

  constructor(ports: DnsPorts, meter: DnsMeter) {
    this.ports = portsToRead(ports);
    this.#meter = meter;
  }

  read(
    view: DataView<ArrayBufferLike>,
    header: PacketHeader,
    seconds: number,
    window: number,
  ): void {
    this.#window = window;
    this.#seconds = seconds;
    this.#isIpv6 = header.isIpv6;
    for (let word = 0; word < 4; word++) {
      const isThere = header.isIpv6 || word === 3;
      this.#client[word] = isThere ? header.addresses[DESTINATION + word] : 0;
    }
    if (header.protocol === PROTOCOL_TCP) this.#readSegment(view, header);
    else this.#readDatagram(view, header);
  }

  countQueries(count: number): void {
    this.#meter.count(QUERY, count);
  }

  flush(): void {
    this.#meter.flush();
  }

  #readDatagram(view: DataView<ArrayBufferLike>, header: PacketHeader): void {
    const { payloadOffset, payloadEnd, transportOffset } = header;
    // A datagram without a payload says nothing: keep-alives and probes are made of them.
    const stated = view.getUint16(transportOffset + UDP_LENGTH) - UDP_HEADER;
    if (stated === 0) return;
    const isMdns = header.sourcePort === MDNS_PORT;
    const reading = readDnsMessage(this.#bytesOf(view), payloadOffset, payloadEnd, isMdns);
    // Only where what is missing was needed does it matter that something is missing.
    const isCut = reading.outcome === MALFORMED && payloadEnd - payloadOffset < stated;
    if (isCut) this.#meter.count(CUT_SHORT);
    else this.#meter.take(reading, this.#isIpv6, this.#client, this.#window, this.#seconds);
  }

  #readSegment(view: DataView<ArrayBufferLike>, header: PacketHeader): void {
    const { payloadOffset, payloadEnd, missing, transportOffset, tcpFlags } = header;
    const isEnd = (tcpFlags & (TCP_FIN | TCP_RST)) !== 0;
    const isStart = (tcpFlags & TCP_SYN) !== 0;
    const hasPayload = payloadOffset < payloadEnd || missing > 0;
    if (!hasPayload && !isEnd && !isStart) return;
    const stream = streamText(header);
    if (isStart) this.#tcp.forget(stream);
    if (hasPayload) {
      // SYN has a sequence number of its own, before that of the first byte.
      const sequence = view.getUint32(transportOffset + TCP_SEQUENCE) + (isStart ? 1 : 0);
      const isUsed = this.#tcp.take(
        stream,
        sequence,
        this.#bytesOf(view),
        payloadOffset,
        payloadEnd,
        missing,
        (bytes, start, end) => this.#takeMessage(bytes, start, end),
      );
      if (!isUsed) this.#meter.count(AFTER_GAP);
    }
    if (isEnd) this.#tcp.forget(stream);
  }

  #bytesOf({ buffer, byteOffset, byteLength }: DataView<ArrayBufferLike>): Uint8Array {
    const last = this.#bytes;
    const isSame = last.buffer === buffer && last.byteOffset === byteOffset &&
      last.byteLength === byteLength;
    return isSame ? last : this.#bytes = new Uint8Array(buffer, byteOffset, byteLength);
  }

  #takeMessage(bytes: Uint8Array, start: number, end: number): void {
    const reading = readDnsMessage(bytes, start, end);
    this.#meter.take(reading, this.#isIpv6, this.#client, this.#window, this.#seconds);
  }
}

/** Addresses and ports of a packet as a text that is made fast. */
function streamText({ isIpv6, addresses, sourcePort, destinationPort }: PacketHeader): string {
  let text = String.fromCharCode(sourcePort, destinationPort);
  for (let word = 0; word < 8; word++) {
    if (!isIpv6 && (word & 3) !== 3) continue;
    text += String.fromCharCode(addresses[word] >>> 16, addresses[word] & 0xffff);
  }
  return text;
}
