import { FROM_CLIENT, NOBODY, type Sign, textSign } from "./sign.ts";

/**
 * RFC 3261, section 10, and RFC 6665: who registers or subscribes is the client. A call may come from
 * either end of a connection, as may the question what the other one can do.
 */
export const sip = textSign("SIP", ["REGISTER sip", "SUBSCRIBE sip"]);

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
