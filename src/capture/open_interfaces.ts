import type { Log } from "../log.ts";
import type { LiveOptions } from "./live_options.ts";
import { LiveSource } from "./live_source.ts";
import type { InterfaceSource } from "./interface_source.ts";
import { RingSource } from "./ring_source.ts";
import type { SourceKind } from "./source_kind.ts";

/**
 * Starts to take packets from interfaces, each of which is named once or more often.
 *
 * @param input Where packets are to be put: an engine's input. By default, each in memory of its own.
 * @throws {UserError} when one can't be opened; then none is open.
 */
export function openInterfaces(
  kind: SourceKind,
  names: readonly string[],
  options: (name: string) => Readonly<LiveOptions>,
  log: Log,
  input?: Uint8Array<ArrayBuffer>,
): InterfaceSource[] {
  const source = kind === "libpcap" ? LiveSource : RingSource;
  const sources: InterfaceSource[] = [];
  try {
    for (const name of new Set(names)) {
      sources.push(source.open(name, options(name), log, input));
    }
  } catch (error) {
    for (const source of sources) source.close();
    throw error;
  }
  return sources;
}
