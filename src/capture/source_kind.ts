import { libpcapAbsence } from "../../ffi/libpcap.ts";
import type { Log } from "../log.ts";
import type { SourceChoice } from "./source_choices.ts";

/** With what packets are taken from an interface: libpcap, or the ring of the kernel itself. */
export type SourceKind = "libpcap" | "af_packet";

/**
 * What packets are taken with. `auto` is libpcap if it is installed.
 *
 * @throws {UserError} when there is a libpcap that can't be used.
 */
export function sourceKind(choice: SourceChoice, log: Log): SourceKind {
  if (choice !== "auto") return choice;
  const absence = libpcapAbsence();
  if (absence === null) return "libpcap";
  log.info(`packets are taken from the kernel's ring: ${absence}`);
  return "af_packet";
}
