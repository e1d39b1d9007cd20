import { FROM_CLIENT, FROM_SERVER, NOBODY, type Role, type Sign, textSign } from "./sign.ts";

/** Requests that come before all others: RFC 3261, sections 7.1 and 7.2. */
export const sip = textSign("SIP", ["INVITE sip", "REGISTER sip", "OPTIONS sip", "SUBSCRIBE sip"], [
  "SIP/2.0 ",
]);

/** STUN has this after its length: RFC 8489, section 5. */
const STUN_MAGIC_COOKIE = 0x2112a442;
/** The two bits of a STUN message's type that are its class. */
const STUN_CLASS = 0x0110;
const STUN_REQUEST = 0x0000;
const STUN_INDICATION = 0x0010;

/** What a STUN message says of who sent it: RFC 8489, section 5. */
export function stunRole(view: DataView, start: number): Role {
  if (view.getUint32(start + 4) !== STUN_MAGIC_COOKIE) return NOBODY;
  const messageClass = view.getUint16(start) & STUN_CLASS;
  if (messageClass === STUN_INDICATION) return NOBODY;
  return messageClass === STUN_REQUEST ? FROM_CLIENT : FROM_SERVER;
}

/** STUN, over UDP and over TCP (RFC 8489, section 6.2.2). */
export const stun: Sign = {
  protocol: "STUN",
  firstBytes: [0x00, 0x01],
  atLeast: 20,
  read: stunRole,
};

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
