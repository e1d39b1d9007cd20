import type { PacketSource } from "./packet_source.ts";

/**
 * What a filter keeps of a source, or the source itself where there is none: then no library is
 * loaded.
 *
 * @param source Closed with what is given.
 * @param expression See pcap-filter(7).
 */
export async function filtered(
  source: PacketSource,
  expression: string | undefined,
): Promise<PacketSource> {
  if (expression === undefined) return source;
  const { FilteredSource } = await import("./filtered_source.ts");
  return new FilteredSource(source, expression);
}
