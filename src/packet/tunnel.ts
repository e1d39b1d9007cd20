import { BAD_LENGTH, BAD_VERSION, CUT_SHORT, NOT_IP, UNSUPPORTED_LINK_TYPE } from "./decoded.ts";
import { MOST_NESTED, type PacketHeader } from "./packet_header.ts";

export * from "../model/tunnel_numbers.ts";

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
  if (outer !== NO_OUTER && !header.opensTunnels) return outer;
  if (header.nested === MOST_NESTED) return outer === NO_OUTER ? NOT_IP : outer;
  const depth = header.nested;
  header.enter();
  header.tunnel = tunnel;
  header.tunnelId = id;
  const inner = read(view, start, end, header);
  if (outer === NO_OUTER || !isUnreadable(inner)) return inner;
  // What was read may have been inside of others.
  while (header.nested > depth) header.leave();
  return outer;
}

/** Whether nothing is known of what a packet is. */
function isUnreadable(decoded: number): boolean {
  return decoded === CUT_SHORT || decoded === BAD_LENGTH || decoded === BAD_VERSION ||
    decoded === UNSUPPORTED_LINK_TYPE;
}
