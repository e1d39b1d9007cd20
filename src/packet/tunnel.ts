import { BAD_LENGTH, BAD_VERSION, CUT_SHORT, NOT_IP, UNSUPPORTED_LINK_TYPE } from "./decoded.ts";
import { MOST_NESTED, type PacketHeader } from "./packet_header.ts";

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
] as const;

/** None. */
export const NO_TUNNEL = 0;
/** Provider backbone bridge (IEEE 802.1ah); its identifier is the I-SID. */
export const TUNNEL_PBB = 1;
/** Ethernet in MPLS (RFC 4448), or MPLS in IP or UDP; the identifier is the last label. */
export const TUNNEL_MPLS = 2;
/** Network service header (RFC 8300); the identifier is the service path's. */
export const TUNNEL_NSH = 3;
/** GRE (RFC 2784, 2890, 2637, 7637); the identifier is the key. */
export const TUNNEL_GRE = 4;
/** MikroTik's Ethernet over IP; the identifier is the tunnel's. */
export const TUNNEL_EOIP = 5;
/** A mirrored packet (ERSPAN); the identifier is the session's. */
export const TUNNEL_ERSPAN = 6;
/** IP in IP (RFC 2003, 2473, 4213). */
export const TUNNEL_IP = 7;
/** EtherIP (RFC 3378). */
export const TUNNEL_ETHERIP = 8;
/** VXLAN (RFC 7348) and its generic protocol extension; the identifier is the VNI. */
export const TUNNEL_VXLAN = 9;
/** Geneve (RFC 8926); the identifier is the VNI. */
export const TUNNEL_GENEVE = 10;
/** GTP-U (3GPP TS 29.281); the identifier is the TEID. */
export const TUNNEL_GTP_U = 11;
/** Teredo (RFC 4380). */
export const TUNNEL_TEREDO = 12;
/** L2TP (RFC 2661); the identifier is the tunnel's and the session's. */
export const TUNNEL_L2TP = 13;
/** LISP's data plane (RFC 9300); the identifier is the instance's. */
export const TUNNEL_LISP = 14;

/** In place of what became of the packet around the inner one: the layer around it is no packet. */
export const NO_OUTER = -1;

/** Reads one layer and what it carries: what all functions of this folder are. */
export type ReadLayer = (
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
) => number;

/**
 * Reads a packet inside another one. Where it can't be read, the header has the fields of the packet
 * around it again.
 *
 * @param start Where the inner packet begins.
 * @param tunnel One of the numbers above.
 * @param id What tells tunnels of that kind apart, or 0.
 * @param read Reads the inner packet.
 * @param outer What became of the packet around it: the answer where the inner one can't be
 * read. {@linkcode NO_OUTER} where there is none.
 */
export function readInner(
  view: DataView,
  start: number,
  end: number,
  header: PacketHeader,
  tunnel: number,
  id: number,
  read: ReadLayer,
  outer: number,
): number {
  if (header.nested === MOST_NESTED) return outer === NO_OUTER ? NOT_IP : outer;
  header.enter();
  header.tunnel = tunnel;
  header.tunnelId = id;
  const inner = read(view, start, end, header);
  if (outer === NO_OUTER || !isUnreadable(inner)) return inner;
  header.leave();
  return outer;
}

/** Whether nothing is known of what a packet is. */
function isUnreadable(decoded: number): boolean {
  return decoded === CUT_SHORT || decoded === BAD_LENGTH || decoded === BAD_VERSION ||
    decoded === UNSUPPORTED_LINK_TYPE;
}
