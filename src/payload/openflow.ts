import { FROM_CLIENT, FROM_SERVER, NOBODY, range, type Sign } from "./sign.ts";

/** OpenFlow Switch Specification 1.0 to 1.5, section A.1: types that a controller sends in any version. */
const OF_CONTROLLERS = [5, 7, 9, 13, 14, 15];
/** And those that a switch sends. */
const OF_SWITCHES = [6, 8, 10, 11, 12];

/** OpenFlow: a switch connects to its controller, which serves. A header has version, type and length. */
export const openFlow: Sign = {
  protocol: "OpenFlow",
  firstBytes: range(1, 6),
  atLeast: 8,
  ports: [6653, 6633],
  read(view, start, end) {
    const length = view.getUint16(start + 2);
    if (length < 8 || length > end - start && end - start < 1000) return NOBODY;
    const type = view.getUint8(start + 1);
    if (OF_CONTROLLERS.includes(type)) return FROM_SERVER;
    return OF_SWITCHES.includes(type) ? FROM_CLIENT : NOBODY;
  },
};
