import { NO_TUNNEL } from "./tunnel_numbers.ts";

/** Names of what a packet may be inside of; the index of a name is its number. */
export const TUNNEL_NAMES = [
  "",
  "802.1ah",
  "MPLS",
  "NSH",
  "GRE",
  "EoIP",
  "ERSPAN",
  "IP",
  "EtherIP",
  "VXLAN",
  "Geneve",
  "GTP-U",
  "Teredo",
  "L2TP",
  "LISP",
  "PPTP",
] as const;

/** A tunnel as text, `VXLAN 4711`, or `null` where there is none. */
export function tunnelText(tunnel: number, id: number): string | null {
  if (tunnel === NO_TUNNEL) return null;
  return id === 0 ? TUNNEL_NAMES[tunnel] : `${TUNNEL_NAMES[tunnel]} ${id}`;
}
