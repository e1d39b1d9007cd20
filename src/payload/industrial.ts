/* Protocols of plants and buildings, over TCP and over UDP. */
import { FROM_CLIENT, FROM_SERVER, hasText, NOBODY, type Role, type Sign, wordIn } from "./sign.ts";

/** Commands of EtherNet/IP: CIP Networks Library, volume 2, section 2-4. */
const LIST_SERVICES = 0x04;
const LIST_IDENTITY = 0x63;
const LIST_INTERFACES = 0x64;
const REGISTER_SESSION = 0x65;
const SEND_RR_DATA = 0x6f;
const SEND_UNIT_DATA = 0x70;
const ENCAPSULATION_HEADER = 24;
/** Interface handle, timeout and the number of items, in front of items. */
const COMMON_PACKET_FORMAT = 8;
/** Items with a message of CIP: connected, with a sequence number in front, and unconnected. */
const CONNECTED_DATA = 0xb1;
const UNCONNECTED_DATA = 0xb2;
const MOST_ITEMS = 4;
/** In a CIP service: it is a response (volume 1, section 2-4.2). */
const CIP_RESPONSE = 0x80;

/** EtherNet/IP: who has no session yet asks for one, what is listed is asked without data, and CIP says. */
export const etherNetIp: Sign = {
  protocol: "EtherNet/IP",
  firstBytes: [
    LIST_SERVICES,
    LIST_IDENTITY,
    LIST_INTERFACES,
    REGISTER_SESSION,
    SEND_RR_DATA,
    SEND_UNIT_DATA,
  ],
  atLeast: ENCAPSULATION_HEADER,
  ports: [44818],
  read(view, start, end) {
    const length = view.getUint16(start + 2, true);
    // Options are zero.
    if (view.getUint8(start + 1) !== 0 || view.getUint32(start + 20) !== 0) return NOBODY;
    if (ENCAPSULATION_HEADER + length > end - start) return NOBODY;
    const session = view.getUint32(start + 4);
    switch (view.getUint8(start)) {
      case LIST_SERVICES:
      case LIST_IDENTITY:
      case LIST_INTERFACES:
        return length === 0 ? FROM_CLIENT : FROM_SERVER;
      case REGISTER_SESSION:
        return session === 0 ? FROM_CLIENT : FROM_SERVER;
      default:
        return cipRole(view, start + ENCAPSULATION_HEADER, start + ENCAPSULATION_HEADER + length);
    }
  },
};

function cipRole(view: DataView, start: number, end: number): Role {
  if (start + COMMON_PACKET_FORMAT > end) return NOBODY;
  const count = view.getUint16(start + 6, true);
  if (count > MOST_ITEMS) return NOBODY;
  let at = start + COMMON_PACKET_FORMAT;
  for (let i = 0; i < count && at + 4 <= end; i++) {
    const type = view.getUint16(at, true);
    const serviceAt = at + (type === CONNECTED_DATA ? 6 : 4);
    if (type === CONNECTED_DATA || type === UNCONNECTED_DATA) {
      if (serviceAt >= end) return NOBODY;
      return (view.getUint8(serviceAt) & CIP_RESPONSE) === 0 ? FROM_CLIENT : FROM_SERVER;
    }
    at += 4 + view.getUint16(at + 2, true);
  }
  return NOBODY;
}

/** FINS, OMRON W342, section 5-1-1: the information control field, reserved, and the number of gateways. */
function finsRole(view: DataView, start: number): Role {
  const control = view.getUint8(start);
  if ((control & 0xbe) !== 0x80 || view.getUint8(start + 1) !== 0 || view.getUint8(start + 2) > 7) {
    return NOBODY;
  }
  return (control & 0x40) === 0 ? FROM_CLIENT : FROM_SERVER;
}

/** FINS over UDP. */
export const fins: Sign = {
  protocol: "FINS",
  firstBytes: [0x80, 0x81, 0xc0, 0xc1],
  atLeast: 12,
  ports: [9600],
  read: finsRole,
};

/** Commands of FINS over TCP, OMRON W421, section 7-4: node addresses are asked for, and given; frames. */
const ASK_NODE = 0;
const GIVE_NODE = 1;
const FRAME = 2;

/** FINS over TCP: a magic, a length, a command and an error code. */
export const finsOverTcp: Sign = {
  protocol: "FINS over TCP",
  firstBytes: [0x46],
  atLeast: 16,
  words: wordIn(0, [0x46494e53]),
  read(view, start, end) {
    if (!hasText(view, start, end, "FINS")) return NOBODY;
    const command = view.getUint32(start + 8);
    if (command === ASK_NODE) return FROM_CLIENT;
    if (command === GIVE_NODE) return FROM_SERVER;
    return command === FRAME && start + 16 + 12 <= end ? finsRole(view, start + 16) : NOBODY;
  },
};

/** BACnet/IP, ANSI/ASHRAE 135, annex J, with its original unicast and forwarded messages. */
const BVLC = 0x81;
const FORWARDED = 0x04;
const UNICAST = 0x0a;
const BROADCAST = 0x0b;
/** Section 6.2.2: this version, and bits for a network message, a destination and a source. */
const NPDU_VERSION = 1;
const NETWORK_MESSAGE = 0x80;
const HAS_DESTINATION = 0x20;
const HAS_SOURCE = 0x08;
/** Services that nobody confirms, section 21: what is there is asked with Who-Is and Who-Has. */
const I_AM = 0;
const I_HAVE = 1;
const WHO_HAS = 7;
const WHO_IS = 8;

/** BACnet: the kind of unit (section 20.1) is the first four bits after the headers of BVLC and network. */
export const bacnet: Sign = {
  protocol: "BACnet",
  firstBytes: [BVLC],
  atLeast: 8,
  ports: [47808],
  read(view, start, end) {
    const kind = view.getUint8(start + 1);
    if (kind !== UNICAST && kind !== BROADCAST && kind !== FORWARDED) return NOBODY;
    let at = start + (kind === FORWARDED ? 10 : 4);
    if (at + 3 > end || view.getUint8(at) !== NPDU_VERSION) return NOBODY;
    const control = view.getUint8(at + 1);
    if ((control & NETWORK_MESSAGE) !== 0) return NOBODY;
    at += 2;
    // Network and address; a destination has a hop count behind the source.
    for (const bit of [HAS_DESTINATION, HAS_SOURCE]) {
      if ((control & bit) === 0) continue;
      if (at + 3 > end) return NOBODY;
      at += 3 + view.getUint8(at + 2);
    }
    if ((control & HAS_DESTINATION) !== 0) at++;
    if (at + 2 > end) return NOBODY;
    switch (view.getUint8(at) >>> 4) {
      case 0: // confirmed request
        return FROM_CLIENT;
      case 1: {
        const service = view.getUint8(at + 1);
        if (service === WHO_HAS || service === WHO_IS) return FROM_CLIENT;
        return kind === UNICAST && (service === I_AM || service === I_HAVE) ? FROM_SERVER : NOBODY;
      }
      case 2: // simple acknowledgement
      case 3: // complex acknowledgement
      case 5: // error
      case 6: // reject
      case 7: // abort
        return FROM_SERVER;
      default:
        return NOBODY;
    }
  },
};
