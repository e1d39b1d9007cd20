import { FROM_CLIENT, FROM_SERVER, hasText, NOBODY, type Sign } from "./sign.ts";

/** HP's Printer Job Language, section 2: the universal exit, with which a job begins and ends. */
const EXIT = "\x1b%-12345X";
const COMMAND = "@PJL";

/** PJL, as over JetDirect (port 9100): a host has the exit before its commands; a printer has none. */
export const pjl: Sign = {
  protocol: "PJL",
  firstBytes: [0x1b, 0x40],
  atLeast: 6,
  read(view, start, end, port) {
    if (hasText(view, start, end, EXIT)) return FROM_CLIENT;
    if (!hasText(view, start, end, COMMAND)) return NOBODY;
    // A status readback repeats what was asked: section 7.
    const isReadback = hasText(view, start, end, "@PJL INFO ") ||
      hasText(view, start, end, "@PJL USTATUS ") ||
      hasText(view, start, end, "@PJL ECHO ");
    return isReadback && port === 9100 ? FROM_SERVER : NOBODY;
  },
};

/** Other languages of printers on JetDirect's port: PostScript, and PCL's reset (section 4). */
export const jetDirect: Sign = {
  protocol: "JetDirect",
  firstBytes: [0x25, 0x1b],
  atLeast: 2,
  ports: [9100],
  read(view, start, end) {
    return hasText(view, start, end, "%!PS") || hasText(view, start, end, "\x1bE")
      ? FROM_CLIENT
      : NOBODY;
  },
};
