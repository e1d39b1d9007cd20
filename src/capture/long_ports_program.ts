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
import { LONG_SNAPLEN } from "./live_options.ts";

/**
 * Codes of the classic BSD packet filter, `<linux/bpf_common.h>`. A is what is loaded and compared, X
 * is added to offsets, M is scratch memory.
 */
const LOAD_WORD = 0x20;
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
/** The word of scratch memory in which something is while A is needed for something else. */
const SAVED = 0;

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
 * A program that takes every packet, and of those that come over TCP or UDP from some ports more than
 * of others. It finds ports behind VLAN tags, in PPPoE sessions and after IPv6 extension headers. Of what
 * is in other layers that are looked into when packets are decoded more is taken, whatever its ports.
 *
 * @param layout Where IP is; `null` where that is not known: then more is taken of all packets.
 * @param snaplen How many bytes are taken of most packets, or a few more.
 * @param longPorts Of packets that come from these ports `LONG_SNAPLEN` bytes are taken, if that is
 * more.
 */
export function longPortsProgram(
  layout: LinkLayout | null,
  snaplen: number,
  longPorts: readonly number[],
): BpfInstruction[] {
  const program = new BpfAssembler();
  if (longPorts.length === 0 || snaplen >= LONG_SNAPLEN) {
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
    for (const port of longPorts) program.jumpIf(IF_EQUAL, port, "takeMore");
    program.place("takeLess");
    program.add(RETURN, snaplen);
  }
  program.place("takeMore");
  program.add(RETURN, LONG_SNAPLEN);
  return program.finish();
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

/** Goes to `transport` with X where TCP or UDP begins behind `network`, or to one of the ends. */
function findTransport(program: BpfAssembler, network: number): void {
  program.place("ipv4");
  program.add(LOAD_BYTE_INDEXED, network + IPV4_PROTOCOL);
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
