/*
 * Rows of `sighting_table.ts` as lines of text, in AssemblyScript: `deno task wasm` makes
 * `text_program.ts` of it. It is run once, at the end, and there are 10,000 rows: as JavaScript, which
 * is slow before it was run for a while, it took as long as a million packets. `sighting_text.ts` says
 * what lies where; a test compares the lines with those that `text_table.ts` makes.
 */

// Of a family and of a row, as `sightings.ts` has it.
const ROWS: usize = 0;
const SIZE: usize = 20;
const FAMILY: usize = 64;
const ROW_SHIFT: usize = 6;
const ADDRESS: usize = 16;
const ROW_WHAT: usize = 32;
const ROW_ABOUT: usize = 36;
const ROW_FIRST: usize = 44;
const ROW_LAST: usize = 48;
const NOTE_SHIFT: u32 = 8;
const PROTOCOL_MASK: u32 = 0xff;

// A text that is known before: its length, then its bytes. Those of protocols come before those of notes.
const TEXT_SHIFT: usize = 4;
const NOTES: usize = 256 << TEXT_SHIFT;

// A second whose text was asked for: itself, the length, the bytes. No length: there is none yet.
const TIME_SHIFT: usize = 5;
const TIME_LENGTH: usize = 4;
const TIME_TEXT: usize = 8;
const TIMES_MASK: u32 = 255;

// Widths of columns, which `measure` says and `write` goes by.
const CLIENT: usize = 0;
const SERVER: usize = 4;
const PORT: usize = 8;
const BY: usize = 12;
const TIME: usize = 16;
// What `measure` says of all rows.
const CLIENTS: usize = 20;
const FIRST: usize = 24;
const LAST: usize = 28;

/** Between two columns. */
const GAP: u32 = 2;
const SPACE: u8 = 0x20;
const NEWLINE: u8 = 0x0a;
const DOT: u8 = 0x2e;
const COLON: u8 = 0x3a;
const SLASH: u8 = 0x2f;
const ZERO: u32 = 0x30;
/** From the digit after 9 to the letter a. */
const TO_LETTERS: u32 = 0x27;

/** Groups of 16 bits in an IPv6 address. */
const GROUPS: i32 = 8;

/** Puts the text of a second. @returns Its length. */
@external("host", "timeText")
declare function timeText(second: u32, into: usize): u32;
/** Puts the name that a row has. @returns Its length. */
@external("host", "nameText")
declare function nameText(isIpv6: bool, row: u32, into: usize): u32;

let families: usize = 0;
/** Rows in their order, and as much room for sorting. */
let order: usize = 0;
let count: u32 = 0;
/** How many of them are of IPv4, which come first. */
let ipv4Count: u32 = 0;
let texts: usize = 0;
let times: usize = 0;
/** Widths and what was measured. */
let measures: usize = 0;
/** Has room for a text. */
let scratch: usize = 0;
let next: u32 = 0;

/** Says where things are. */
export function setUp(
  itsFamilies: usize,
  itsOrder: usize,
  itsTexts: usize,
  itsTimes: usize,
  itsMeasures: usize,
  itsScratch: usize,
): void {
  families = itsFamilies;
  order = itsOrder;
  texts = itsTexts;
  times = itsTimes;
  measures = itsMeasures;
  scratch = itsScratch;
}

/** Sorts the rows: IPv4 first, by both addresses, what of them, and protocol. @returns How many. */
export function sort(): u32 {
  ipv4Count = sortFamily(families, order);
  count = ipv4Count + sortFamily(families + FAMILY, order + (<usize> ipv4Count << 2));
  return count;
}

/** Merges what is in order in ever longer pieces, to and fro between two places. */
function sortFamily(family: usize, into: usize): u32 {
  const size = load<u32>(family + SIZE);
  const rows: usize = load<u32>(family + ROWS);
  for (let i: u32 = 0; i < size; i++) {
    store<u32>(into + (<usize> i << 2), <u32> (rows + (<usize> (i + 1) << ROW_SHIFT)));
  }
  const end = <usize> size << 2;
  let from = into;
  let to = into + end;
  for (let piece: usize = 4; piece < end; piece <<= 1) {
    for (let at: usize = 0; at < end; at += piece << 1) {
      merge(from + at, from + min(at + piece, end), from + min(at + (piece << 1), end), to + at);
    }
    const other = from;
    from = to;
    to = other;
  }
  if (from !== into) memory.copy(into, from, end);
  return size;
}

function merge(from: usize, middle: usize, end: usize, into: usize): void {
  let one = from;
  let other = middle;
  for (let at = into; one < middle || other < end; at += 4) {
    const takesOne = other === end ||
      (one < middle && !isBefore(load<u32>(other), load<u32>(one)));
    store<u32>(at, load<u32>(takesOne ? one : other));
    if (takesOne) one += 4;
    else other += 4;
  }
}

function isBefore(one: usize, other: usize): bool {
  for (let at: usize = 0; at <= ROW_WHAT; at += 4) {
    const word = load<u32>(one + at);
    const itsWord = load<u32>(other + at);
    if (word !== itsWord) return word < itsWord;
  }
  return protocolOf(one) < protocolOf(other);
}

/** Measures the texts of all rows, but those of times, and sums up what they say. */
export function measure(): void {
  let client: usize = 0;
  let server: usize = 0;
  let port: usize = 0;
  let by: u32 = 0;
  let clients: u32 = 0;
  let first: u32 = u32.MAX_VALUE;
  let last: u32 = 0;
  let before: usize = 0;
  for (let i: u32 = 0; i < count; i++) {
    const isIpv6 = i >= ipv4Count;
    const row = rowAt(i);
    if (i === 0 || i === ipv4Count || !isSameAddress(row, before)) {
      clients++;
      client = max(client, putAddress(scratch, row, isIpv6) - scratch);
    }
    before = row;
    server = max(server, putAddress(scratch, row + ADDRESS, isIpv6) - scratch);
    port = max(port, putPort(scratch, row) - scratch);
    by = max(by, load<u8>(byOf(row)));
    first = min(first, load<u32>(row + ROW_FIRST));
    last = max(last, load<u32>(row + ROW_LAST));
  }
  store<u32>(measures, <u32> client, CLIENT);
  store<u32>(measures, <u32> server, SERVER);
  store<u32>(measures, <u32> port, PORT);
  store<u32>(measures, by, BY);
  store<u32>(measures, clients, CLIENTS);
  store<u32>(measures, first, FIRST);
  store<u32>(measures, last, LAST);
}

/**
 * Writes lines of rows, in columns as wide as was said.
 *
 * @param end No line begins after it.
 * @returns Where they end. {@linkcode nextRow} says which row follows.
 */
export function write(from: u32, into: usize, end: usize, hasNames: bool): usize {
  let at = into;
  next = from;
  while (next < count && at <= end) at = writeRow(next++, at, hasNames);
  return at;
}

/** The row after those that were written. */
export function nextRow(): u32 {
  return next;
}

function writeRow(number: u32, into: usize, hasNames: bool): usize {
  const isIpv6 = number >= ipv4Count;
  const row = rowAt(number);
  let start = into;
  let at = pad(start, putAddress(start, row, isIpv6), load<u32>(measures, CLIENT) + GAP);
  start = at;
  at = pad(start, putAddress(start, row + ADDRESS, isIpv6), load<u32>(measures, SERVER) + GAP);
  start = at;
  at = alignRight(start, putPort(start, row), load<u32>(measures, PORT)) + GAP;
  store<u16>(at - GAP, 0x2020);
  start = at;
  at = pad(start, putText(start, byOf(row)), load<u32>(measures, BY) + GAP);
  start = at;
  at = pad(start, putTime(start, load<u32>(row + ROW_FIRST)), load<u32>(measures, TIME) + GAP);
  start = at;
  at = putTime(start, load<u32>(row + ROW_LAST));
  if (hasNames) {
    const family = isIpv6 ? families + FAMILY : families;
    const rowNumber = <u32> ((row - <usize> load<u32>(family + ROWS)) >>> ROW_SHIFT);
    const name = pad(start, at, load<u32>(measures, TIME) + GAP);
    const length = nameText(isIpv6, rowNumber, name);
    // What is last has no spaces after it.
    if (length !== 0) at = name + length;
  }
  store<u8>(at, NEWLINE);
  return at + 1;
}

function rowAt(number: u32): usize {
  return load<u32>(order + (<usize> number << 2));
}

function protocolOf(row: usize): u32 {
  return load<u32>(row + ROW_ABOUT) & PROTOCOL_MASK;
}

function byOf(row: usize): usize {
  return texts + NOTES + (<usize> (load<u32>(row + ROW_ABOUT) >>> NOTE_SHIFT) << TEXT_SHIFT);
}

function isSameAddress(one: usize, other: usize): bool {
  return !v128.any_true(v128.xor(v128.load(one), v128.load(other)));
}

/** Where the text of a second is. */
function timeOf(second: u32): usize {
  const slot = times + (<usize> (second & TIMES_MASK) << TIME_SHIFT);
  if (load<u32>(slot) !== second || load<u32>(slot + TIME_LENGTH) === 0) {
    store<u32>(slot, second);
    store<u32>(slot + TIME_LENGTH, timeText(second, slot + TIME_TEXT));
  }
  return slot;
}

function putTime(into: usize, second: u32): usize {
  const slot = timeOf(second);
  const length: usize = load<u32>(slot + TIME_LENGTH);
  memory.copy(into, slot + TIME_TEXT, length);
  return into + length;
}

function putText(into: usize, text: usize): usize {
  const length: usize = load<u8>(text);
  memory.copy(into, text + 1, length);
  return into + length;
}

function putPort(into: usize, row: usize): usize {
  const at = putNumber(into, load<u32>(row + ROW_WHAT));
  store<u8>(at, SLASH);
  return putText(at + 1, texts + (<usize> protocolOf(row) << TEXT_SHIFT));
}

/** Fills up with spaces. @returns Where the column ends. */
function pad(from: usize, to: usize, width: u32): usize {
  const end = from + width;
  memory.fill(to, SPACE, end - to);
  return end;
}

/** Moves a text to the end of its column, which is returned. */
function alignRight(from: usize, to: usize, width: u32): usize {
  const spaces = <usize> width - (to - from);
  memory.copy(from + spaces, from, to - from);
  memory.fill(from, SPACE, spaces);
  return from + width;
}

function putNumber(into: usize, number: u32): usize {
  let end = into + 1;
  for (let rest = number / 10; rest !== 0; rest /= 10) end++;
  let rest = number;
  for (let at = end; at > into; rest /= 10) store<u8>(--at, ZERO + rest % 10);
  return end;
}

/** `addressText` of `src/flow/address_text.ts`. */
function putAddress(into: usize, words: usize, isIpv6: bool): usize {
  if (isIpv6) return putIpv6(into, words);
  const word = load<u32>(words, 12);
  let at = putNumber(into, word >>> 24);
  for (let shift: i32 = 16; shift >= 0; shift -= 8) {
    store<u8>(at, DOT);
    at = putNumber(at + 1, (word >>> shift) & 0xff);
  }
  return at;
}

function putIpv6(into: usize, words: usize): usize {
  let runStart = 0;
  let bestStart = -1;
  let bestLength = 1;
  for (let group = 0; group < GROUPS; group++) {
    if (groupOf(words, group) !== 0) {
      runStart = group + 1;
    } else if (group + 1 - runStart > bestLength) {
      bestLength = group + 1 - runStart;
      bestStart = runStart;
    }
  }
  if (bestStart < 0) return putGroups(into, words, 0, GROUPS);
  const at = putGroups(into, words, 0, bestStart);
  store<u8>(at, COLON);
  store<u8>(at + 1, COLON);
  return putGroups(at + 2, words, bestStart + bestLength, GROUPS);
}

function putGroups(into: usize, words: usize, from: i32, to: i32): usize {
  let at = into;
  for (let group = from; group < to; group++) {
    if (group > from) store<u8>(at++, COLON);
    const value = groupOf(words, group);
    let shift: i32 = 12;
    while (shift > 0 && value >>> shift === 0) shift -= 4;
    for (; shift >= 0; shift -= 4) {
      const digit = (value >>> shift) & 15;
      store<u8>(at++, ZERO + digit + (digit > 9 ? TO_LETTERS : 0));
    }
  }
  return at;
}

function groupOf(words: usize, group: i32): u32 {
  // Words are numbers, with the first group in their upper half.
  return load<u16>(words + (<usize> (group ^ 1) << 1));
}
