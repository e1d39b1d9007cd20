import type { u32, usize } from "../model/wasm_types.ts";

/*
 * What lies where in the memory of a `ObservationTable`, in bytes: for it and for its program.
 */

/** A family: where its rows are, those that chains of rows begin with, and the next one of each row. */
export const FAMILY: usize = 64;
export const FAMILY_ROWS: usize = 0;
export const FAMILY_HEADS: usize = 4;
export const FAMILY_NEXT: usize = 8;
export const FAMILY_CHAIN_MASK: usize = 12;
export const FAMILY_MAX_ROWS: usize = 16;
export const FAMILY_SIZE: usize = 20;
export const FAMILY_OLDEST: usize = 24;
export const FAMILY_NEWEST: usize = 28;
export const FAMILY_LEFT_OUT: usize = 32;

/** A row is two cache lines: first both addresses, as an observation has them. */
export const ROW_SHIFT: usize = 7;
export const ROW_WHAT: usize = 32;
/** The protocol, the kind of tunnel, and above it what was remembered last. */
export const ROW_ABOUT: usize = 36;
/** What tells the tunnel apart. */
export const ROW_TUNNEL: usize = 40;
export const ROW_FIRST: usize = 44;
export const ROW_LAST: usize = 48;
export const ROW_OLDER: usize = 52;
export const ROW_NEWER: usize = 56;
export const ROW_HASH: usize = 60;
/** Packets and bytes of the client, and of the server: numbers of 8 bytes, packets of both first. */
export const ROW_FIGURES: usize = 64;
/** The milliseconds of the first and the last time, half a word each. */
export const ROW_MILLISECONDS: usize = 96;
export const KIND_SHIFT: u32 = 8;
export const NOTE_SHIFT: u32 = 16;
export const PROTOCOL_MASK: u32 = 0xff;
/** The protocol and the kind of tunnel. */
export const WHAT_MASK: u32 = 0xffff;
/** Of the number of a row that the program gives: the row is that of what had none. */
export const IS_NEW: u32 = 1 << 31;
/** What hashes are made with: eleven numbers of 8 bytes. */
export const SECRETS: usize = 88;
