import type { Direction } from "../../ffi/pcap_handle.ts";

/** How packets are taken from an interface. */
export interface LiveOptions {
  /**
   * How many bytes of a packet are taken, 1 to 262144.
   *
   * @default 512, which holds the longest headers that real packets have and 200 bytes of what
   * they carry: Ethernet with two tags 22 (or cooked 20), PPPoE 8, IPv6 40 with 100 bytes of
   * extension headers (or IPv4 60), TCP 60. Packets of 1000 bytes at 400 k/s over veth then cost
   * little more processor time than with 128, and a good half of what whole ones cost
   * (bench/live.ts).
   */
  snaplen: number;
  /**
   * Size of the kernel's buffer in MiB, 1 to 2047.
   *
   * @default 32, which at 400 k packets/s holds what comes in 0.4 s if packets have 96 bytes, and
   * in 0.1 s if all are as long as the default snapshot length: a pause of the garbage collector
   * or of a busy machine loses nothing. (2 is libpcap's own default.)
   */
  bufferMebibytes: number;
  /** Whether packets for other hosts are taken too. @default true */
  promiscuous: boolean;
  /** Seen from the interface. @default "inout" */
  direction: Direction;
  /** In the language of pcap-filter(7); `null` takes all. @default null */
  filter: string | null;
  /**
   * Shares the interface's packets with all sources that have this number, of other workers: see
   * `joinFanout`. @default null
   */
  fanoutGroup: number | null;
}

/**
 * How many bytes are taken of a packet from a port that is read: the most that an IP packet has, and
 * 256 for the headers before it. Network cards and the kernel join segments of a TCP stream to packets
 * of up to that length, with many messages in them (GRO and GSO).
 */
export const LONG_SNAPLEN = 0x10000 + 256;

/**
 * How many bytes are taken of a packet that may carry the name of a server: the longest ClientHello, with
 * the headers before it.
 */
export const NAMED_SNAPLEN = 0x4000 + 256;

/** Of which packets more is taken than of others. */
export interface LongPackets {
  /** Of those that come over TCP or UDP from these ports `LONG_SNAPLEN` bytes are taken. */
  readonly ports: readonly number[];
  /**
   * Whether `NAMED_SNAPLEN` bytes are taken of those that may carry the name of a server: TLS ClientHellos,
   * Initial packets of QUIC, requests of HTTP.
   */
  readonly withNames: boolean;
}

/** The defaults of {@linkcode LiveOptions}. */
export const DEFAULT_LIVE_OPTIONS: Readonly<LiveOptions> = {
  snaplen: 512,
  bufferMebibytes: 32,
  promiscuous: true,
  direction: "inout",
  filter: null,
  fanoutGroup: null,
};
