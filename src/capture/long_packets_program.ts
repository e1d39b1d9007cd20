import {
  DLT_RAW,
  DLT_RAW_OPENBSD,
  LINKTYPE_ETHERNET,
  LINKTYPE_IPV4,
  LINKTYPE_IPV6,
  LINKTYPE_LINUX_SLL,
  LINKTYPE_LINUX_SLL2,
  LINKTYPE_RAW,
} from "../packet/link_type.ts";
import { BpfAssembler } from "./bpf_assembler.ts";
import type { BpfInstruction } from "../../ffi/bpf_instruction.ts";
import { LONG_SNAPLEN, type LongPackets, NAMED_SNAPLEN } from "./live_options.ts";

/**
 * Codes of the classic BSD packet filter, `<linux/bpf_common.h>`. A is what is loaded and compared, X
 * is added to offsets, M is scratch memory.
 */
const LOAD_WORD = 0x20;
const LOAD_WORD_INDEXED = 0x40;
const LOAD_HALF = 0x28;
const LOAD_HALF_INDEXED = 0x48;
const LOAD_BYTE_INDEXED = 0x50;
const LOAD_CONSTANT = 0x00;
const LOAD_LENGTH = 0x80;
const LOAD_MEMORY = 0x60;
const STORE = 0x02;
const LOAD_X_CONSTANT = 0x01;
const A_TO_X = 0x07;
const X_TO_A = 0x87;
const ADD = 0x04;
const ADD_X = 0x0c;
const SUBTRACT = 0x14;
const AND = 0x54;
const SHIFT_LEFT = 0x64;
const SHIFT_RIGHT = 0x74;
const IF_EQUAL = 0x15;
const IF_GREATER = 0x25;
const IF_NOT_LESS_THAN_X = 0x3d;
const IF_BITS = 0x45;
const RETURN = 0x06;

/** What the kernel knows of a packet, `SKF_AD_PROTOCOL` of `<linux/filter.h>`: its EtherType. */
const ANCILLARY_PROTOCOL = 0x1_0000_0000 - 0x1000;

/** EtherTypes (IANA, "IEEE 802 Numbers"), and PPP protocol numbers. */
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const ETHERTYPE_PPPOE_SESSION = 0x8864;
const TAG_TYPES = [0x8100, 0x88a8, 0x9100];
/**
 * What else decode() looks into, and this program does not: the oldest tags for service VLANs, PPP, MPLS,
 * MACsec, backbones, Cisco metadata, VN-tags, E-tags, NSH. Few packets have them.
 */
const OPENED_TYPES = [
  0x9200,
  0x880b,
  0x8847,
  0x8848,
  0x88e5,
  0x88e7,
  0x8909,
  0x8926,
  0x893f,
  0x894f,
];
/** From here on it is an EtherType, below it is the length of what IEEE 802.2 announces. */
const LOWEST_ETHERTYPE = 0x0600;
const PPP_MPLS = [0x0281, 0x0283];
const PPP_IPV4 = 0x0021;
const PPP_IPV6 = 0x0057;
/** Its lowest bit is set in the last byte of such a number (RFC 1661, section 6.5). */
const PPP_LAST_BYTE = 1;

const TAG = 4;
const PPPOE_HEADER = 6;
/** Offsets in the headers of RFC 791 and RFC 8200. */
const IPV4_FRAGMENT = 6;
const IPV4_FRAGMENT_OFFSET_MASK = 0x1fff;
const IPV4_PROTOCOL = 9;
const IPV4_WORDS_MASK = 0x0f;
const IPV6_NEXT_HEADER = 6;
const IPV6_HEADER = 40;
const IPV6_FRAGMENT_OFFSET_MASK = 0xfff8;

/** IANA protocol numbers, and those of IPv6 extension headers that say their length in the same way. */
const TCP = 6;
const UDP = 17;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const EXTENSIONS = [0, 43, 60, 135, 139, 140];

/** So many are gone past, as a program has no loops. Of packets that have more, all is taken. */
const MOST_TAGS = 4;
const MOST_EXTENSIONS = 8;
/**
 * Where a packet is no longer, all of it is taken: no load of fixed length reaches further. (One that
 * fails has the packet refused.)
 */
const LEAST_SNAPLEN = 128;
/** Where an extension header or the ports are looked at, so many bytes must be there. */
const LEAST_HEADER = 8;
/** Words of scratch memory in which something is while A is needed for something else. */
const SAVED = 0;
const SAVED_FLAG = 1;

/** UDP (RFC 768), and the least that is looked at of TCP's header (RFC 9293, section 3.1). */
const UDP_LENGTH = 4;
const UDP_HEADER = 8;
const TCP_DESTINATION = 2;
const TCP_OFFSET = 12;
const TCP_FLAGS = 13;
const TCP_PSH = 0x08;
const LEAST_TRANSPORT = 14;
/** Bytes of a payload that are looked at. */
const LEAST_PAYLOAD = 6;
/** Content types and major version of TLS, header of a record, type of a message (RFC 8446). */
const TLS_HANDSHAKE = 0x1603;
const TLS_APPLICATION_DATA = 0x1703;
const TLS_RECORD_HEADER = 5;
const TLS_CLIENT_HELLO = 1;
/** Where TLS is spoken mostly, over TCP. */
const TLS_PORTS = [443, 853, 8443];
/** First letters of the methods of requests that are met mostly. */
const METHODS = ["GET ", "POST", "HEAD", "PUT ", "OPTI", "CONN", "DELE", "PROP", "PATC"]
  .map((letters) => [...letters].reduce((word, it) => (word << 8) | it.charCodeAt(0), 0) >>> 0);
/** QUIC (RFC 9000, section 17.2): header form and fixed bit, versions, where a version ends. */
const LEAST_INITIAL = 1000;
const LONG_HEADER = 0xc0;
const QUIC_VERSION_END = 5;
/** Versions 1 and 2, and what Google and Facebook have beside them. */
const QUIC_VERSIONS = [1, 0x6b33_43cf, 0x5430_3530, 0x5430_3531, 0xface_b001, 0xface_b002];
const QUIC_DRAFTS = 0xff00_0000;
const QUIC_DRAFT_MASK = 0xffff_ff00;

/** Where a program finds IP in what it is shown. */
export interface LinkLayout {
  /** Instruction and offset that load the EtherType; `null` where there is none, just IP. */
  readonly etherType: readonly [code: number, offset: number] | null;
  /** Where begins what the EtherType announces. */
  readonly network: number;
}

const RAW_IP: LinkLayout = { etherType: null, network: 0 };

/** What a packet socket shows that takes packets without the header of their link layer. */
export const COOKED_LAYOUT: LinkLayout = { etherType: [LOAD_WORD, ANCILLARY_PROTOCOL], network: 0 };

const LAYOUTS: ReadonlyMap<number, LinkLayout> = new Map([
  [LINKTYPE_ETHERNET, { etherType: [LOAD_HALF, 12], network: 14 }],
  [LINKTYPE_LINUX_SLL, { etherType: [LOAD_HALF, 14], network: 16 }],
  [LINKTYPE_LINUX_SLL2, { etherType: [LOAD_HALF, 0], network: 20 }],
  ...[DLT_RAW, DLT_RAW_OPENBSD, LINKTYPE_RAW, LINKTYPE_IPV4, LINKTYPE_IPV6]
    .map((linkType) => [linkType, RAW_IP] as const),
]);

/** Where IP is in packets of a link type; `null` for one that live packets hardly have. */
export function linkLayout(linkType: number): LinkLayout | null {
  return LAYOUTS.get(linkType) ?? null;
}

/**
 * A program that takes every packet, and of some more than of others: of those that come over TCP or UDP
 * from some ports, and of those that may carry the name of a server. It finds them behind VLAN tags, in PPPoE sessions and after IPv6 extension headers. Of what
 * is in other layers that are looked into when packets are decoded more is taken, whatever its ports.
 *
 * @param layout Where IP is; `null` where that is not known: then more is taken of all packets.
 * @param snaplen How many bytes are taken of most packets, or a few more.
 * @param long Of which packets more is taken, if that is more.
 */
export function longPacketsProgram(
  layout: LinkLayout | null,
  snaplen: number,
  { ports, withNames }: LongPackets,
): BpfInstruction[] {
  const program = new BpfAssembler();
  const takesNames = withNames && snaplen < NAMED_SNAPLEN;
  if (!takesNames && (ports.length === 0 || snaplen >= LONG_SNAPLEN)) {
    program.add(RETURN, snaplen);
    return program.finish();
  }
  const least = Math.max(snaplen, LEAST_SNAPLEN);
  program.add(LOAD_LENGTH);
  program.jumpIf(IF_GREATER, least, "isLonger");
  program.add(RETURN, least);
  program.place("isLonger");
  if (layout !== null) {
    findNetwork(program, layout);
    findTransport(program, layout.network);
    program.place("transport");
    program.add(LOAD_HALF_INDEXED, layout.network);
    for (const port of ports) program.jumpIf(IF_EQUAL, port, "takeMore");
    if (takesNames) {
      findNames(program, layout.network);
      program.place("takeName");
      program.add(RETURN, NAMED_SNAPLEN);
    }
    program.place("takeLess");
    program.add(RETURN, snaplen);
  }
  program.place("takeMore");
  program.add(RETURN, LONG_SNAPLEN);
  return program.finish();
}

/**
 * Goes to `takeName` if a packet may carry the name of a server, else to `takeLess`. X is where TCP or UDP
 * begins behind `network`; which of them is saved.
 */
function findNames(program: BpfAssembler, network: number): void {
  requireBytes(program, network + LEAST_TRANSPORT, "hasTransport");
  program.add(LOAD_MEMORY, SAVED);
  program.jumpIf(IF_EQUAL, TCP, "tcp");
  // Initial packets of QUIC: a long header in a datagram that is padded (RFC 9000, section 14.1).
  program.add(LOAD_HALF_INDEXED, network + UDP_LENGTH);
  program.jumpIf(IF_GREATER, LEAST_INITIAL, "isPadded");
  program.jump("takeLess");
  program.place("isPadded");
  requireBytes(program, network + UDP_HEADER + QUIC_VERSION_END, "hasVersion");
  program.add(LOAD_BYTE_INDEXED, network + UDP_HEADER);
  program.add(AND, LONG_HEADER);
  program.jumpIf(IF_EQUAL, LONG_HEADER, "hasLongHeader");
  program.jump("takeLess");
  program.place("hasLongHeader");
  program.add(LOAD_WORD_INDEXED, network + UDP_HEADER + 1);
  for (const version of QUIC_VERSIONS) program.jumpIf(IF_EQUAL, version, "takeName");
  program.add(AND, QUIC_DRAFT_MASK);
  program.jumpIf(IF_EQUAL, QUIC_DRAFTS, "takeName");
  program.jump("takeLess");

  program.place("tcp");
  // What has no end of a write's is the middle of much data.
  program.add(LOAD_HALF_INDEXED, network + TCP_DESTINATION);
  program.add(STORE, SAVED);
  program.add(LOAD_BYTE_INDEXED, network + TCP_FLAGS);
  program.add(AND, TCP_PSH);
  program.add(STORE, SAVED_FLAG);
  program.add(LOAD_BYTE_INDEXED, network + TCP_OFFSET);
  program.add(SHIFT_RIGHT, 4);
  program.add(SHIFT_LEFT, 2);
  program.add(ADD_X);
  program.add(A_TO_X);
  requireBytes(program, network + LEAST_PAYLOAD, "hasPayload");
  program.add(LOAD_WORD_INDEXED, network);
  for (const method of METHODS) program.jumpIf(IF_EQUAL, method, "takeName");
  program.add(SHIFT_RIGHT, 16);
  program.jumpIf(IF_EQUAL, TLS_APPLICATION_DATA, "takeLess");
  program.jumpIf(IF_EQUAL, TLS_HANDSHAKE, "handshake");
  // The rest of a ClientHello: the last segment of what a client sends, and no record begins with it.
  program.add(LOAD_MEMORY, SAVED);
  for (const port of TLS_PORTS) program.jumpIf(IF_EQUAL, port, "toTls");
  program.jump("takeLess");
  program.place("toTls");
  program.add(LOAD_MEMORY, SAVED_FLAG);
  program.jumpIf(IF_EQUAL, TCP_PSH, "takeName");
  program.jump("takeLess");
  program.place("handshake");
  program.add(LOAD_BYTE_INDEXED, network + TLS_RECORD_HEADER);
  program.jumpIf(IF_EQUAL, TLS_CLIENT_HELLO, "takeName");
  program.jump("takeLess");
}

/** Goes on if there are so many bytes behind X, else to `takeLess`: a load that fails refuses the packet. */
function requireBytes(program: BpfAssembler, bytes: number, place: string): void {
  program.add(LOAD_LENGTH);
  program.add(SUBTRACT, bytes);
  program.jumpIf(IF_NOT_LESS_THAN_X, 0, place);
  program.jump("takeLess");
  program.place(place);
}

/** Goes to `ipv4` or `ipv6`, with X where that begins behind `network`, or to `takeLess`. */
function findNetwork(program: BpfAssembler, { etherType, network }: LinkLayout): void {
  program.add(LOAD_X_CONSTANT, 0);
  if (etherType === null) {
    program.add(LOAD_BYTE_INDEXED, network);
    program.add(SHIFT_RIGHT, 4);
    program.jumpIf(IF_EQUAL, 4, "ipv4");
    program.jumpIf(IF_EQUAL, 6, "ipv6");
    program.jump("takeLess");
    return;
  }
  program.add(...etherType);
  for (let tag = 0; tag < MOST_TAGS; tag++) {
    for (const type of TAG_TYPES) program.jumpIf(IF_EQUAL, type, `tag ${tag}`);
    program.jump("untagged");
    program.place(`tag ${tag}`);
    program.add(LOAD_HALF_INDEXED, network + 2);
    moveOn(program, TAG);
  }
  for (const type of TAG_TYPES) program.jumpIf(IF_EQUAL, type, "takeMore");
  program.place("untagged");
  program.jumpIf(IF_EQUAL, ETHERTYPE_IPV4, "ipv4");
  program.jumpIf(IF_EQUAL, ETHERTYPE_IPV6, "ipv6");
  program.jumpIf(IF_EQUAL, ETHERTYPE_PPPOE_SESSION, "pppoe");
  for (const type of OPENED_TYPES) program.jumpIf(IF_EQUAL, type, "takeMore");
  program.jumpIf(IF_GREATER, LOWEST_ETHERTYPE - 1, "takeLess");
  program.jump("takeMore");
  program.place("pppoe");
  program.add(LOAD_BYTE_INDEXED, network + PPPOE_HEADER);
  program.jumpIf(IF_BITS, PPP_LAST_BYTE, "compressed");
  program.add(LOAD_HALF_INDEXED, network + PPPOE_HEADER);
  moveOn(program, PPPOE_HEADER + 2);
  program.jump("ppp");
  program.place("compressed");
  moveOn(program, PPPOE_HEADER + 1);
  program.place("ppp");
  program.jumpIf(IF_EQUAL, PPP_IPV4, "ipv4");
  program.jumpIf(IF_EQUAL, PPP_IPV6, "ipv6");
  for (const protocol of PPP_MPLS) program.jumpIf(IF_EQUAL, protocol, "takeMore");
  program.jump("takeLess");
}

/**
 * Goes to `transport` with X where TCP or UDP begins behind `network`, and which of them saved, or to one of
 * the ends.
 */
function findTransport(program: BpfAssembler, network: number): void {
  program.place("ipv4");
  program.add(LOAD_BYTE_INDEXED, network + IPV4_PROTOCOL);
  program.add(STORE, SAVED);
  for (const protocol of [TCP, UDP]) program.jumpIf(IF_EQUAL, protocol, "ipv4 transport");
  program.jump("takeLess");
  program.place("ipv4 transport");
  program.add(LOAD_HALF_INDEXED, network + IPV4_FRAGMENT);
  program.jumpIf(IF_BITS, IPV4_FRAGMENT_OFFSET_MASK, "takeMore");
  program.add(LOAD_BYTE_INDEXED, network);
  program.add(AND, IPV4_WORDS_MASK);
  program.add(SHIFT_LEFT, 2);
  program.add(ADD_X);
  program.add(A_TO_X);
  program.jump("transport");

  program.place("ipv6");
  program.add(LOAD_BYTE_INDEXED, network + IPV6_NEXT_HEADER);
  moveOn(program, IPV6_HEADER);
  for (let number = 0; number < MOST_EXTENSIONS; number++) {
    goPastExtension(program, network, number);
  }
  program.jump("takeMore");
}

/** @param program Goes on with A being the protocol of the next header, which is at X. */
function goPastExtension(program: BpfAssembler, network: number, number: number): void {
  const places = {
    isThere: `header ${number}`,
    options: `options ${number}`,
    authentication: `authentication ${number}`,
    fragment: `fragment ${number}`,
    end: `end ${number}`,
  };
  program.add(STORE, SAVED);
  program.add(LOAD_LENGTH);
  program.add(SUBTRACT, network + LEAST_HEADER);
  program.jumpIf(IF_NOT_LESS_THAN_X, 0, places.isThere);
  program.jump("takeLess");
  program.place(places.isThere);
  program.add(LOAD_MEMORY, SAVED);
  for (const protocol of [TCP, UDP]) program.jumpIf(IF_EQUAL, protocol, "transport");
  for (const type of EXTENSIONS) program.jumpIf(IF_EQUAL, type, places.options);
  program.jumpIf(IF_EQUAL, AUTHENTICATION, places.authentication);
  program.jumpIf(IF_EQUAL, FRAGMENT, places.fragment);
  program.jump("takeLess");

  // RFC 8200, section 4: in units of 8 bytes, less the first.
  program.place(places.options);
  saveNextHeader(program, network);
  program.add(LOAD_BYTE_INDEXED, network + 1);
  program.add(ADD, 1);
  program.add(SHIFT_LEFT, 3);
  program.jump(places.end);

  // RFC 4302, section 2.2: in words of 4 bytes, less 2.
  program.place(places.authentication);
  saveNextHeader(program, network);
  program.add(LOAD_BYTE_INDEXED, network + 1);
  program.add(ADD, 2);
  program.add(SHIFT_LEFT, 2);
  program.jump(places.end);

  program.place(places.fragment);
  program.add(LOAD_HALF_INDEXED, network + 2);
  program.jumpIf(IF_BITS, IPV6_FRAGMENT_OFFSET_MASK, "takeMore");
  saveNextHeader(program, network);
  program.add(LOAD_CONSTANT, 8);

  program.place(places.end);
  program.add(ADD_X);
  program.add(A_TO_X);
  program.add(LOAD_MEMORY, SAVED);
}

function saveNextHeader(program: BpfAssembler, network: number): void {
  program.add(LOAD_BYTE_INDEXED, network);
  program.add(STORE, SAVED);
}

/** Moves X on, and leaves A as it is. */
function moveOn(program: BpfAssembler, bytes: number): void {
  program.add(STORE, SAVED);
  program.add(X_TO_A);
  program.add(ADD, bytes);
  program.add(A_TO_X);
  program.add(LOAD_MEMORY, SAVED);
}
