/* Where conversations are. A conversation is known by its family and its number. */
import {
  CELL4_SHIFT,
  CELL6_SHIFT,
  CELL_ADDRESSES,
  CELL_STATE,
  CELL_UNTIL,
  COLD_OUTCOME,
  COLD_SHIFT,
  DIRECTION_SHIFT,
  TABLE4,
  TABLE6,
  TABLE_CELLS,
  TABLE_COLD,
  TABLE_TUNNELS,
  TUNNEL_SHIFT,
} from "../layout";

/** The table of a family. */
// @inline
export function tableOf(isIpv6: bool): usize {
  return isIpv6 ? TABLE6 : TABLE4;
}

/** The words that each packet needs. */
// @inline
export function cellOf(isIpv6: bool, number: u32): usize {
  return isIpv6
    ? <usize> load<u32>(TABLE6, TABLE_CELLS) + (<usize> number << CELL6_SHIFT)
    : <usize> load<u32>(TABLE4, TABLE_CELLS) + (<usize> number << CELL4_SHIFT);
}

/** The other words. */
// @inline
export function coldOf(isIpv6: bool, number: u32): usize {
  return <usize> load<u32>(tableOf(isIpv6), TABLE_COLD) + (<usize> number << COLD_SHIFT);
}

/** The tunnel of the conversation of a cell, if it is in one. */
export function tunnelOfCell(isIpv6: bool, cell: usize): usize {
  const shift = isIpv6 ? CELL6_SHIFT : CELL4_SHIFT;
  const number = (cell - <usize> load<u32>(tableOf(isIpv6), TABLE_CELLS)) >> shift;
  return <usize> load<u32>(tableOf(isIpv6), TABLE_TUNNELS) + (number << TUNNEL_SHIFT);
}

/** Bytes of an address. */
// @inline
export function addressSize(isIpv6: bool): usize {
  return isIpv6 ? 16 : 4;
}

/** Which way a packet goes: 0 or 1. */
// @inline
export function directionOf(about: u32): u32 {
  return (about >>> DIRECTION_SHIFT) & 1;
}

/** Where a cell says from which window on a direction is classified again. */
// @inline
export function untilOf(cell: usize, direction: u32): usize {
  return cell + CELL_UNTIL + (<usize> direction << 2);
}

/** Where it is remembered what the mapping says of a direction. */
// @inline
export function outcomeOf(cold: usize, direction: u32): usize {
  return cold + COLD_OUTCOME + (<usize> direction << 2);
}

/** Has what the mapping said of a conversation forgotten, so that it is asked again. */
export function declassify(isIpv6: bool, number: u32): void {
  store<u64>(cellOf(isIpv6, number) + CELL_UNTIL, 0);
  store<u64>(coldOf(isIpv6, number) + COLD_OUTCOME, 0xffff_ffff_ffff_ffff);
}

// @inline
export function areAddressesEqual(isIpv6: bool, one: usize, other: usize): bool {
  if (!isIpv6) return load<u64>(one) === load<u64>(other);
  const first = v128.xor(v128.load(one), v128.load(other));
  const last = v128.xor(v128.load(one + 16), v128.load(other + 16));
  return !v128.any_true(v128.or(first, last));
}

// @inline
export function copyAddresses(isIpv6: bool, into: usize, from: usize): void {
  if (isIpv6) {
    v128.store(into, v128.load(from));
    v128.store(into + 16, v128.load(from + 16));
  } else {
    store<u64>(into, load<u64>(from));
  }
}

/** Where a cell's state is, for those who change it. */
// @inline
export function stateOf(isIpv6: bool, number: u32): usize {
  return cellOf(isIpv6, number) + CELL_STATE;
}

/** Where a cell's addresses are. */
// @inline
export function addressesOf(isIpv6: bool, number: u32): usize {
  return cellOf(isIpv6, number) + CELL_ADDRESSES;
}
