import * as linkTypes from "../packet/link_type.ts";

const DECODED: ReadonlySet<number> = new Set(Object.values(linkTypes));

/** Whether packets of a link type are decoded. */
export function isDecoded(linkType: number): boolean {
  return DECODED.has(linkType);
}
