import type { u32 } from "./wasm_types.ts";

/* What a packet may be inside of: `tunnel_names.ts` has the names of these numbers. */

/** None. */
export const NO_TUNNEL: u32 = 0;
/** Provider backbone bridge (IEEE 802.1ah); its identifier is the I-SID. */
export const TUNNEL_PBB: u32 = 1;
/** Ethernet in MPLS (RFC 4448), or MPLS in IP or UDP; the identifier is the last label. */
export const TUNNEL_MPLS: u32 = 2;
/** Network service header (RFC 8300); the identifier is the service path's. */
export const TUNNEL_NSH: u32 = 3;
/** GRE (RFC 2784, 2890, 7637); the identifier is the key. */
export const TUNNEL_GRE: u32 = 4;
/** MikroTik's Ethernet over IP; the identifier is the tunnel's. */
export const TUNNEL_EOIP: u32 = 5;
/** A mirrored packet (ERSPAN); the identifier is the session's. */
export const TUNNEL_ERSPAN: u32 = 6;
/** IP in IP (RFC 2003, 2473, 4213). */
export const TUNNEL_IP: u32 = 7;
/** EtherIP (RFC 3378). */
export const TUNNEL_ETHERIP: u32 = 8;
/** VXLAN (RFC 7348) and its generic protocol extension; the identifier is the VNI. */
export const TUNNEL_VXLAN: u32 = 9;
/** Geneve (RFC 8926); the identifier is the VNI. */
export const TUNNEL_GENEVE: u32 = 10;
/** GTP-U (3GPP TS 29.281); the identifier is the TEID. */
export const TUNNEL_GTP_U: u32 = 11;
/** Teredo (RFC 4380). */
export const TUNNEL_TEREDO: u32 = 12;
/** L2TP (RFC 2661); the identifier is the tunnel's and the session's. */
export const TUNNEL_L2TP: u32 = 13;
/** LISP's data plane (RFC 9300); the identifier is the instance's. */
export const TUNNEL_LISP: u32 = 14;
/** PPTP (RFC 2637), GRE's version 1; the identifier is the call's. */
export const TUNNEL_PPTP: u32 = 15;

/**
 * A bit for each whose identifier is chosen by the end that packets go to: the two directions of a
 * conversation have different ones.
 */
export const IDENTIFIED_BY_DIRECTION: u32 = (1 << 2) | (1 << 3) | (1 << 11) | (1 << 13) | (1 << 15);
