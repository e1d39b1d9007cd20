/* What is known of one direction of a conversation, at a fixed place of the memory. */
import {
  CELL_ADDRESSES,
  CELL_PORTS,
  CELL_STATE,
  FACTS_DESTINATION,
  FACTS_DESTINATION_PORT,
  FACTS_IS_IPV6,
  FACTS_PROTOCOL,
  FACTS_SOURCE,
  FACTS_SOURCE_PORT,
  FACTS_TUNNEL,
  FACTS_TUNNEL_ID,
  IN_TUNNEL,
  PACKET_ADDRESSES,
  PACKET_PORTS,
  PROTOCOL_MASK,
  TUNNEL_FIRST_ID,
  TUNNEL_KIND,
} from "../layout";
import { NO_TUNNEL } from "../../model/tunnel_numbers";
import { directionOf, tunnelOfCell } from "./cells";

/** Writes addresses, ports and protocol of a direction of a conversation. */
export function readFacts(isIpv6: bool, cell: usize, direction: u32): void {
  const protocol = load<u32>(cell, CELL_STATE) & PROTOCOL_MASK;
  write(isIpv6, cell + CELL_ADDRESSES, load<u32>(cell, CELL_PORTS), protocol, direction);
  const isInTunnel = (load<u32>(cell, CELL_STATE) & IN_TUNNEL) !== 0;
  const tunnel = isInTunnel ? tunnelOfCell(isIpv6, cell) : 0;
  store<u32>(FACTS_TUNNEL, isInTunnel ? load<u32>(tunnel, TUNNEL_KIND) : NO_TUNNEL);
  store<u32>(FACTS_TUNNEL_ID, isInTunnel ? load<u32>(tunnel, TUNNEL_FIRST_ID) : 0);
}

/** The same of a packet. */
export function readPacketFacts(isIpv6: bool, packet: usize, about: u32): void {
  const ports = load<u32>(packet, PACKET_PORTS);
  write(isIpv6, packet + PACKET_ADDRESSES, ports, about & PROTOCOL_MASK, directionOf(about));
}

// @inline
function write(isIpv6: bool, addresses: usize, ports: u32, protocol: u32, direction: u32): void {
  const low = direction === 0 ? FACTS_SOURCE : FACTS_DESTINATION;
  const high = direction === 0 ? FACTS_DESTINATION : FACTS_SOURCE;
  if (isIpv6) {
    v128.store(low, v128.load(addresses));
    v128.store(high, v128.load(addresses + 16));
  } else {
    store<u64>(low, 0);
    store<u64>(low + 8, <u64> load<u32>(addresses) << 32);
    store<u64>(high, 0);
    store<u64>(high + 8, <u64> load<u32>(addresses + 4) << 32);
  }
  const turn = direction << 4;
  store<u32>(FACTS_SOURCE_PORT, (ports >>> (16 - turn)) & 0xffff);
  store<u32>(FACTS_DESTINATION_PORT, (ports >>> turn) & 0xffff);
  store<u32>(FACTS_IS_IPV6, isIpv6 ? 1 : 0);
  store<u32>(FACTS_PROTOCOL, protocol);
}
