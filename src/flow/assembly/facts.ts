/*
 * What is known of one direction of a conversation, at a fixed place of the memory: `meter_memory.ts`
 * has the same. Numbers of ends and of what decided are those of `src/config/evidence.ts` and `by.ts`.
 */
import {
  CELL_ADDRESSES,
  CELL_PORTS,
  CELL_STATE,
  PROTOCOL_MASK,
} from "./cells";

export const FACTS: usize = 64;
export const FACTS_IS_IPV6: usize = FACTS;
export const FACTS_PROTOCOL: usize = FACTS + 4;
/** Four words in network order, IPv4 in the last of them. */
export const FACTS_SOURCE: usize = FACTS + 16;
export const FACTS_DESTINATION: usize = FACTS + 32;
export const FACTS_SOURCE_PORT: usize = FACTS + 48;
export const FACTS_DESTINATION_PORT: usize = FACTS + 52;
export const FACTS_SOURCE_NETWORK: usize = FACTS + 56;
export const FACTS_DESTINATION_NETWORK: usize = FACTS + 60;
// Evidence.
export const FACTS_OPENER: usize = FACTS + 64;
export const FACTS_OPENER_BY: usize = FACTS + 68;
export const FACTS_PAYLOAD_SERVER: usize = FACTS + 72;
export const FACTS_FIRST_SENDER: usize = FACTS + 76;
/** What is known of the ends, as `evidence.ts` has it, and {@linkcode LISTENS}. */
export const FACTS_SOURCE_END: usize = FACTS + 80;
export const FACTS_DESTINATION_END: usize = FACTS + 84;

export const LISTENS: u32 = 1 << 27;

/** Writes addresses, ports and protocol. */
export function readFacts(isIpv6: bool, cell: usize, direction: u32): void {
  const low = direction === 0 ? FACTS_SOURCE : FACTS_DESTINATION;
  const high = direction === 0 ? FACTS_DESTINATION : FACTS_SOURCE;
  const addresses = cell + CELL_ADDRESSES;
  if (isIpv6) {
    v128.store(low, v128.load(addresses));
    v128.store(high, v128.load(addresses + 16));
  } else {
    store<u64>(low, 0);
    store<u64>(low + 8, <u64> load<u32>(addresses) << 32);
    store<u64>(high, 0);
    store<u64>(high + 8, <u64> load<u32>(addresses + 4) << 32);
  }
  const ports = load<u32>(cell + CELL_PORTS);
  const turn = direction << 4;
  store<u32>(FACTS_SOURCE_PORT, (ports >>> (16 - turn)) & 0xffff);
  store<u32>(FACTS_DESTINATION_PORT, (ports >>> turn) & 0xffff);
  store<u32>(FACTS_IS_IPV6, isIpv6 ? 1 : 0);
  store<u32>(FACTS_PROTOCOL, load<u32>(cell + CELL_STATE) & PROTOCOL_MASK);
}
