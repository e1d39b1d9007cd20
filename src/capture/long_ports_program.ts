import type { BpfInstruction } from "../../ffi/bpf_instruction.ts";
import { LONG_SNAPLEN } from "./live_options.ts";

/** Codes of the classic BSD packet filter, `<linux/bpf_common.h>`. */
const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const LOAD_HALF_INDEXED = 0x48;
/** X = 4 * (the low half of a byte): the length of an IPv4 header. */
const LOAD_HEADER_LENGTH = 0xb1;
const JUMP = 0x05;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_BITS = 0x45;
const RETURN = 0x06;

/**
 * Offsets that only the kernel's filter knows, `SKF_NET_OFF` and `SKF_AD_OFF` of `<linux/filter.h>`:
 * they count from the IP header, and name what is known of a packet, whatever its link layer.
 */
const NETWORK = 0x1_0000_0000 - 0x100000;
const ANCILLARY_PROTOCOL = 0x1_0000_0000 - 0x1000;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;

/** Offsets in the headers of RFC 791 and RFC 8200, and TCP and UDP. */
const IPV4_FRAGMENT = 6;
const IPV4_FRAGMENT_OFFSET_MASK = 0x1fff;
const IPV4_PROTOCOL = 9;
const IPV6_NEXT_HEADER = 6;
const IPV6_HEADER = 40;
const TCP = 6;
const UDP = 17;
/** The extension header of a fragment (RFC 8200, section 4.5). */
const FRAGMENT = 44;

/**
 * A program for the kernel's filter that takes every packet, and of those that come over TCP or UDP
 * from some ports more than of others. It is made without libpcap, for every kind of link layer.
 *
 * @param snaplen How many bytes are taken of most packets.
 * @param longPorts Of packets that come from these ports `LONG_SNAPLEN` bytes are taken, if that is
 * more; and of later fragments, which have no ports.
 */
export function longPortsProgram(
  snaplen: number,
  longPorts: readonly number[],
): BpfInstruction[] {
  if (longPorts.length === 0 || snaplen >= LONG_SNAPLEN) return [take(snaplen)];
  const ports = fromPorts(longPorts, snaplen);
  const ipv4 = [
    load(LOAD_BYTE, NETWORK + IPV4_PROTOCOL),
    ...unlessTransport(snaplen),
    load(LOAD_HALF, NETWORK + IPV4_FRAGMENT),
    { code: JUMP_IF_BITS, jt: 0, jf: 1, k: IPV4_FRAGMENT_OFFSET_MASK },
    take(LONG_SNAPLEN),
    load(LOAD_HEADER_LENGTH, NETWORK),
    load(LOAD_HALF_INDEXED, NETWORK),
    ...ports,
  ];
  const ipv6 = [
    load(LOAD_BYTE, NETWORK + IPV6_NEXT_HEADER),
    { code: JUMP_IF_EQUAL, jt: 0, jf: 1, k: FRAGMENT },
    take(LONG_SNAPLEN),
    ...unlessTransport(snaplen),
    load(LOAD_HALF, NETWORK + IPV6_HEADER),
    ...ports,
  ];
  return [
    load(LOAD_WORD, ANCILLARY_PROTOCOL),
    { code: JUMP_IF_EQUAL, jt: 3, jf: 0, k: ETHERTYPE_IPV4 },
    { code: JUMP_IF_EQUAL, jt: 1, jf: 0, k: ETHERTYPE_IPV6 },
    take(snaplen),
    // Without a condition, as such a jump may be as long as it has to be.
    jump(ipv4.length),
    ...ipv4,
    ...ipv6,
  ];
}

/** Ends the program for what is neither TCP nor UDP. */
function unlessTransport(snaplen: number): BpfInstruction[] {
  return [
    { code: JUMP_IF_EQUAL, jt: 2, jf: 0, k: TCP },
    { code: JUMP_IF_EQUAL, jt: 1, jf: 0, k: UDP },
    take(snaplen),
  ];
}

/** Ends the program, by the port that was loaded. */
function fromPorts(ports: readonly number[], snaplen: number): BpfInstruction[] {
  const tests = ports.flatMap((port) => [
    { code: JUMP_IF_EQUAL, jt: 0, jf: 1, k: port },
    take(LONG_SNAPLEN),
  ]);
  return [...tests, take(snaplen)];
}

function load(code: number, k: number): BpfInstruction {
  return { code, jt: 0, jf: 0, k };
}

function jump(k: number): BpfInstruction {
  return { code: JUMP, jt: 0, jf: 0, k };
}

function take(bytes: number): BpfInstruction {
  return { code: RETURN, jt: 0, jf: 0, k: bytes };
}
