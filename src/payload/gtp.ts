import { FROM_CLIENT, FROM_SERVER, NOBODY, range, type Role, type Sign } from "./sign.ts";

/**
 * GTPv1-C, 3GPP TS 29.060, section 7.1: echo, and contexts that are created, updated and deleted by who is
 * nearer to the subscriber.
 */
function version1Role(type: number): Role {
  if (type === 1 || type === 16 || type === 18 || type === 20) return FROM_CLIENT;
  return type === 2 || type === 17 || type === 19 || type === 21 ? FROM_SERVER : NOBODY;
}

/**
 * GTPv2-C, 3GPP TS 29.274, section 6.1: echo; sessions and bearers that the mobility management entity asks
 * for (32 to 39), and bearers that the gateway has made and changed (95 to 100).
 */
function version2Role(type: number): Role {
  if (type === 1) return FROM_CLIENT;
  if (type === 2) return FROM_SERVER;
  if (type >= 32 && type <= 39) return type % 2 === 0 ? FROM_CLIENT : FROM_SERVER;
  return type >= 95 && type <= 100 ? (type % 2 === 0 ? FROM_CLIENT : FROM_SERVER) : NOBODY;
}

/** GTP's control plane, on its port. */
export const gtpControl: Sign = {
  protocol: "GTP-C",
  firstBytes: [...range(0x30, 0x37), ...range(0x40, 0x5f)],
  atLeast: 8,
  ports: [2123],
  read(view, start, end) {
    const isVersion2 = view.getUint8(start) >= 0x40;
    // Of version 1 the length is without the first 8 bytes, of version 2 without 4.
    const length = view.getUint16(start + 2) + (isVersion2 ? 4 : 8);
    if (length > end - start) return NOBODY;
    const type = view.getUint8(start + 1);
    return isVersion2 ? version2Role(type) : version1Role(type);
  },
};
