import { libpcapAbsence } from "../../ffi/libpcap.ts";
import type { Log } from "../log.ts";

/** With what packets are taken from an interface: libpcap, or the ring of the kernel itself. */
export type SourceKind = "libpcap" | "af_packet";

/** What `--source` takes. */
export const SOURCE_CHOICES = ["libpcap", "af_packet", "auto"] as const;

/** One of {@linkcode SOURCE_CHOICES}. */
export type SourceChoice = typeof SOURCE_CHOICES[number];

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
