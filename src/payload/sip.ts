import { FIRST, FROM_CLIENT, FROM_SERVER, hasText, NOBODY, type Sign } from "./sign.ts";

/** Requests that clients send, to whoever registers and publishes: RFC 3261, section 10; RFC 6665; RFC 3903. */
const OF_CLIENTS = ["REGISTER sip", "SUBSCRIBE sip", "PUBLISH sip"];
/** Requests that either end of a call sends: RFC 3261, section 7.1, and what extends it. */
const OF_BOTH = [
  "INVITE ",
  "ACK ",
  "BYE ",
  "CANCEL ",
  "OPTIONS sip",
  "PRACK ",
  "UPDATE ",
  "INFO ",
  "NOTIFY sip",
  "MESSAGE sip",
  "REFER ",
];
const RESPONSE = "SIP/2.0 ";
const VERSION = " SIP/2.0\r";
/** The longest first line that is read. */
const LONGEST_LINE = 200;

/**
 * RFC 3261. Who registers or subscribes is the client. A call may come from either end, as may the question
 * what the other one can do: then the end serves that has the port of SIP, and where both have it, the
 * first message tells.
 */
export const sip: Sign = {
  protocol: "SIP",
  announces: true,
  firstBytes: [...new Set([...OF_CLIENTS, ...OF_BOTH, RESPONSE].map((text) => text.charCodeAt(0)))],
  atLeast: 12,
  read(view, start, end) {
    for (let i = 0; i < OF_CLIENTS.length; i++) {
      if (hasText(view, start, end, OF_CLIENTS[i])) return FROM_CLIENT;
    }
    return NOBODY;
  },
};

/** The same on the ports of SIP. */
export const sipOnItsPort: Sign = {
  protocol: "SIP on its port",
  announces: true,
  firstBytes: sip.firstBytes,
  atLeast: 12,
  ports: [5060, 5061, 5080],
  read(view, start, end, _port, order, portOwner) {
    const isResponse = hasText(view, start, end, RESPONSE);
    if (!isResponse && !isRequest(view, start, end)) return NOBODY;
    if (portOwner !== NOBODY) return portOwner;
    if (order !== FIRST) return NOBODY;
    return isResponse ? FROM_SERVER : FROM_CLIENT;
  },
};

function isRequest(view: DataView, start: number, end: number): boolean {
  for (let i = 0; i < OF_BOTH.length; i++) {
    if (!hasText(view, start, end, OF_BOTH[i])) continue;
    const last = Math.min(end, start + LONGEST_LINE);
    for (let at = start + OF_BOTH[i].length; at < last; at++) {
      if (view.getUint8(at) === 0x20 && hasText(view, at, end, VERSION)) return true;
    }
    return false;
  }
  return false;
}
