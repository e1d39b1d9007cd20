import { berContent } from "./common_signs.ts";
import { FROM_CLIENT, FROM_SERVER, NOBODY, type Sign } from "./sign.ts";

/** RFC 4511, section 4.1.1: a sequence of a small message id and an operation with its tag. */
export const ldap: Sign = {
  protocol: "LDAP",
  firstBytes: [0x30],
  atLeast: 8,
  read(view, start, end) {
    const at = berContent(view, start);
    if (at + 4 > end || view.getUint8(at) !== 2) return NOBODY;
    const operationAt = at + 2 + view.getUint8(at + 1);
    if (operationAt >= end) return NOBODY;
    switch (view.getUint8(operationAt)) {
      case 0x60: // bind
      case 0x63: // search
      case 0x66: // modify
      case 0x68: // add
      case 0x77: // extended
        return FROM_CLIENT;
      case 0x61:
      case 0x64:
      case 0x65:
      case 0x67:
      case 0x69:
      case 0x78:
        return FROM_SERVER;
      default:
        return NOBODY;
    }
  },
};
