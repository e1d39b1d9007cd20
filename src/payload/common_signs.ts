import { FROM_CLIENT, FROM_SERVER, NOBODY, type Role, type Sign } from "./sign.ts";

/** RFC 5424, section 6, over UDP and over TCP (RFC 6587): who logs sends, and gets no answer. */
export const syslog: Sign = {
  protocol: "syslog",
  firstBytes: [0x3c],
  atLeast: 4,
  read(view, start, end) {
    let digits = 0;
    while (digits < 4 && start + 1 + digits < end) {
      if ((view.getUint8(start + 1 + digits) - 0x30) >>> 0 > 9) break;
      digits++;
    }
    if (digits < 1 || digits > 3 || start + 1 + digits >= end) return NOBODY;
    return view.getUint8(start + 1 + digits) === 0x3e ? FROM_CLIENT : NOBODY;
  },
};

/** What the tag of a Kerberos message says: RFC 4120, section 5.10. */
export function kerberosMessage(tag: number): Role {
  if (tag === 0x6a || tag === 0x6c || tag === 0x6e) return FROM_CLIENT;
  return tag === 0x6b || tag === 0x6d || tag === 0x6f || tag === 0x7e ? FROM_SERVER : NOBODY;
}

/**
 * Where the content of a BER value begins, behind its tag and its length of one or more bytes: ITU-T
 * X.690, section 8.1. It may be behind the payload's end.
 */
export function berContent(view: DataView, start: number): number {
  const length = view.getUint8(start + 1);
  return start + 2 + (length >= 0x80 ? length & 0x7f : 0);
}
