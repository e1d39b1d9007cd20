/*
 * Where conversations are, in cells as `conversation_table.ts` has them. A conversation is known by its
 * family and its number.
 */
const CELL4_SHIFT: usize = 5;
const CELL6_SHIFT: usize = 6;
export const CELL_UNTIL: usize = 0;
export const CELL_LAST_SEEN: usize = 8;
export const CELL_STATE: usize = 12;
export const CELL_PORTS: usize = 16;
export const CELL_ADDRESSES: usize = 20;
export const PROTOCOL_MASK: u32 = 0xff;
export const STATE_NEW: u32 = 1 << 8;
export const STATE_WANTS_PAYLOAD: u32 = 1 << 9;
export const STATE_UNMET: u32 = 1 << 10;

const COLD_SHIFT: usize = 4;
export const COLD_OUTCOME: usize = 0;
export const COLD_EVIDENCE: usize = 8;
export const COLD_JUDGEMENT: usize = 12;
export const UNJUDGED: u32 = 0xffff_ffff;

export const PROTOCOL_TCP: u32 = 6;
export const PROTOCOL_UDP: u32 = 17;

// Something due: a conversation's number, IPv6, and the direction.
export const DUE_NUMBER_SHIFT: u32 = 2;
export const DUE_IPV6: u32 = 2;
export const DUE_DIRECTION: u32 = 1;

let hot4: usize = 0;
let hot6: usize = 0;
let cold4: usize = 0;
let cold6: usize = 0;

/** Says where the cells lie. */
export function setUpCells(
  itsHot4: usize,
  itsCold4: usize,
  itsHot6: usize,
  itsCold6: usize,
): void {
  hot4 = itsHot4;
  cold4 = itsCold4;
  hot6 = itsHot6;
  cold6 = itsCold6;
}

/** The words that each packet needs. */
@inline
export function cellOf(isIpv6: bool, number: u32): usize {
  return isIpv6
    ? hot6 + (<usize> number << CELL6_SHIFT)
    : hot4 + (<usize> number << CELL4_SHIFT);
}

/** The other words. */
@inline
export function coldOf(isIpv6: bool, number: u32): usize {
  return (isIpv6 ? cold6 : cold4) + (<usize> number << COLD_SHIFT);
}

/** Bytes of an address. */
@inline
export function addressSize(isIpv6: bool): usize {
  return isIpv6 ? 16 : 4;
}

/** Has what the mapping said of a conversation forgotten, so that it is asked again. */
export function unjudge(isIpv6: bool, number: u32): void {
  store<u64>(cellOf(isIpv6, number) + CELL_UNTIL, 0);
  store<u64>(coldOf(isIpv6, number) + COLD_OUTCOME, 0xffff_ffff_ffff_ffff);
}

/** Makes the cells of a number those of a new conversation. */
export function place(isIpv6: bool, number: u32, protocol: u32, ports: u32, addresses: usize): void {
  unjudge(isIpv6, number);
  const cell = cellOf(isIpv6, number);
  store<u32>(cell + CELL_LAST_SEEN, 0);
  store<u32>(cell + CELL_STATE, protocol | STATE_NEW | STATE_UNMET);
  store<u32>(cell + CELL_PORTS, ports);
  store<u64>(cell + CELL_ADDRESSES, load<u64>(addresses));
  if (isIpv6) {
    store<u64>(cell + CELL_ADDRESSES + 8, load<u64>(addresses + 8));
    store<u64>(cell + CELL_ADDRESSES + 16, load<u64>(addresses + 16));
    store<u64>(cell + CELL_ADDRESSES + 24, load<u64>(addresses + 24));
  }
  store<u64>(coldOf(isIpv6, number) + COLD_EVIDENCE, 0);
}
