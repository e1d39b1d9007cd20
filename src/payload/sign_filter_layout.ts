import type { u32, usize } from "../model/wasm_types.ts";

/*
 * How `sign_filter.ts` lays its filter out, and the engine's program reads it, in words: a bit for each
 * port, then for each first byte of a payload where its entries begin, over TCP and over UDP, then the
 * entries.
 */
export const FIRST_BYTES: usize = 256;
export const LISTS: usize = 2048;
export const LISTS_UDP: usize = 2304;
export const ENTRIES: usize = 2560;
/** The most words that a filter may have. */
export const MOST_FILTER_WORDS: usize = 16_384;

/**
 * An entry is four words: how many bytes it takes and, from bit 16 on, the lower port or 0 for any; then
 * the word of a `Sign`, mask and value with their bytes turned. In place of the one after the last,
 * there is 0.
 */
export const ENTRY_WORDS: usize = 4;
export const ENTRY_AT: usize = 1;
export const ENTRY_MASK: usize = 2;
export const ENTRY_VALUE: usize = 3;
export const ENTRY_PORT_SHIFT: u32 = 16;
