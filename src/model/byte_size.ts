/** Units of IEC 80000-13 and of the SI; a letter alone is one of the former, as for ls(1) and du(1). */
const UNITS: Readonly<Record<string, number>> = {
  K: 2 ** 10,
  KiB: 2 ** 10,
  M: 2 ** 20,
  MiB: 2 ** 20,
  G: 2 ** 30,
  GiB: 2 ** 30,
  T: 2 ** 40,
  TiB: 2 ** 40,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};

/** SQLite, its indexes and its log need some room for themselves. */
const LEAST = 10 * 2 ** 20;

/** How sizes are written, for messages. */
export const BYTE_SIZE_FORM = 'a size of 10MiB or more, such as "500MB" or "2GiB"';

/**
 * Reads the size of a store, such as `2GiB`.
 *
 * @returns Bytes; `null` when it is none, or too small for a store.
 */
export function parseByteSize(text: string): number | null {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([KMGT]|[KMGT]iB|[kKMGT]B)$/.exec(text) ?? [];
  const bytes = unit === undefined ? 0 : Math.round(Number(number) * UNITS[unit]);
  return bytes >= LEAST && Number.isSafeInteger(bytes) ? bytes : null;
}
