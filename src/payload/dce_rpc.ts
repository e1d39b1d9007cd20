import { FROM_CLIENT, FROM_SERVER, NOBODY, type Role, type Sign } from "./sign.ts";

/** [C706] 12.5 and 12.6: the version of what is connected, and of datagrams. */
const CONNECTED = 5;
const DATAGRAM = 4;
/** The first byte of the data representation (14.1): the order of bytes above, 7-bit characters below. */
const BIG_ENDIAN = 0x00;
const LITTLE_ENDIAN = 0x10;

/** Who sends a kind of unit: [C706] 12.6.4. */
function connectedRole(type: number): Role {
  switch (type) {
    case 0: // request
    case 11: // bind
    case 14: // alter context
    case 16: // auth3
      return FROM_CLIENT;
    case 2: // response
    case 3: // fault
    case 12: // bind ack
    case 13: // bind nak
    case 15: // alter context response
      return FROM_SERVER;
    default:
      return NOBODY;
  }
}

/** [C706] 12.5.2: request, ping, ack and cancel; response, fault, working, no call, reject, cancel ack. */
function datagramRole(type: number): Role {
  if (type === 0 || type === 1 || type === 7 || type === 8) return FROM_CLIENT;
  return type >= 2 && type <= 6 || type === 10 ? FROM_SERVER : NOBODY;
}

/** [C706] 12.6: version 5.0, the kind of unit, and a length in the order of bytes that is named. */
export const dceRpc: Sign = {
  protocol: "DCE RPC",
  firstBytes: [CONNECTED],
  atLeast: 16,
  read(view, start) {
    const order = view.getUint8(start + 4);
    if (order !== BIG_ENDIAN && order !== LITTLE_ENDIAN) return NOBODY;
    if (view.getUint8(start + 1) > 1 || (view.getUint32(start + 4) & 0xffffff) !== 0) return NOBODY;
    const length = view.getUint16(start + 8, order === LITTLE_ENDIAN);
    return length < 16 ? NOBODY : connectedRole(view.getUint8(start + 2));
  },
};

/** [C706] 12.5: datagrams have a header of 80 bytes; PROFINET's context manager uses them too. */
export const dceRpcDatagram: Sign = {
  protocol: "DCE RPC datagrams",
  firstBytes: [DATAGRAM],
  atLeast: 80,
  read(view, start, end) {
    const order = view.getUint8(start + 4);
    if (order !== BIG_ENDIAN && order !== LITTLE_ENDIAN) return NOBODY;
    if (view.getUint8(start + 5) > 3 || view.getUint8(start + 6) !== 0) return NOBODY;
    const length = view.getUint16(start + 74, order === LITTLE_ENDIAN);
    return length > end - start - 80 ? NOBODY : datagramRole(view.getUint8(start + 1));
  },
};
