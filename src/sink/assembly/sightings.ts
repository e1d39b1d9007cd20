/*
 * The inner loops of `sighting_table.ts`, in AssemblyScript, as src/sieve/assembly is: `deno task wasm`
 * makes `sighting_program.ts` of it. `sighting_table.ts` says what lies where.
 */
import { hashOfSum, sumOfPairs } from "../../flow/assembly/pair_hash";

// Of a family: where its rows are, those that chains of rows begin with, and the next one of each row.
const ROWS: usize = 0;
const HEADS: usize = 4;
const NEXT: usize = 8;
const CHAIN_MASK: usize = 12;
const MAX_ROWS: usize = 16;
const SIZE: usize = 20;
const OLDEST: usize = 24;
const NEWEST: usize = 28;
const LEFT_OUT: usize = 32;
const FAMILY: usize = 64;

// A row is a cache line: first both addresses, as an observation has them.
const ROW_SHIFT: usize = 6;
const ADDRESSES: usize = 32;
const ROW_WHAT: usize = 32;
const ROW_ABOUT: usize = 36;
const ROW_FIRST: usize = 44;
const ROW_LAST: usize = 48;
const ROW_OLDER: usize = 52;
const ROW_NEWER: usize = 56;
const ROW_HASH: usize = 60;
const NOTE_SHIFT: u32 = 8;
const PROTOCOL_MASK: u32 = 0xff;

// `src/flow/observation_batch.ts`.
const KIND_MASK: u32 = 0xff;
const KIND_FLOW: u32 = 2;
const IPV6_BIT: u32 = 1 << 8;
const OBSERVATION: usize = 48;
const WORD_A: usize = 4;
const WORD_PORTS: usize = 36;
const WORD_ABOUT: usize = 40;
const WORD_SECONDS: usize = 44;

/** Of what {@linkcode add} returns: the row is that of what had none. */
const IS_NEW: u32 = 1 << 31;

let families: usize = 0;
/** Eleven numbers that hashes are made with. */
let secrets: usize = 0;

/** Says where the two families are, and the secrets. */
export function setUp(itsFamilies: usize, itsSecrets: usize): void {
  families = itsFamilies;
  secrets = itsSecrets;
}

/**
 * Adds the flows among observations.
 *
 * @param rows Where to put what {@linkcode add} returns for each; 0 for what is no flow.
 */
export function addFlows(observations: usize, count: u32, rows: usize): void {
  let at = observations;
  for (let i: u32 = 0; i < count; i++, at += OBSERVATION) {
    const kind = load<u32>(at);
    const about = load<u32>(at + WORD_ABOUT);
    const row = (kind & KIND_MASK) !== KIND_FLOW ? 0 : add(
      (kind & IPV6_BIT) !== 0,
      at + WORD_A,
      load<u32>(at + WORD_PORTS),
      (about >>> 8) & PROTOCOL_MASK,
      load<u32>(at + WORD_SECONDS),
      about & 0xff,
    );
    store<u32>(rows + (<usize> i << 2), row);
  }
}

/**
 * Takes one sighting.
 *
 * @param addresses Where both are.
 * @returns The number of its row, and perhaps {@linkcode IS_NEW}.
 */
export function add(
  isIpv6: bool,
  addresses: usize,
  what: u32,
  protocol: u32,
  seconds: u32,
  note: u32,
): u32 {
  const family = families + (isIpv6 ? FAMILY : 0);
  const hash = hashOf(addresses, what, protocol);
  const about = protocol | (note << NOTE_SHIFT);
  const number = find(family, hash, addresses, what, protocol);
  if (number === 0) return append(family, hash, addresses, what, about, seconds) | IS_NEW;
  if (number !== load<u32>(family + NEWEST)) {
    unlink(family, number);
    link(family, number);
  }
  const row = rowOf(family, number);
  store<u32>(row + ROW_ABOUT, about);
  store<u32>(row + ROW_FIRST, min(load<u32>(row + ROW_FIRST), seconds));
  store<u32>(row + ROW_LAST, max(load<u32>(row + ROW_LAST), seconds));
  return number;
}

/**
 * Takes when flows among observations were seen last, of those that have rows.
 */
export function seeFlows(observations: usize, count: u32): void {
  let at = observations;
  for (let i: u32 = 0; i < count; i++, at += OBSERVATION) {
    const kind = load<u32>(at);
    if ((kind & KIND_MASK) !== KIND_FLOW) continue;
    const protocol = (load<u32>(at + WORD_ABOUT) >>> 8) & PROTOCOL_MASK;
    const ports = load<u32>(at + WORD_PORTS);
    see((kind & IPV6_BIT) !== 0, at + WORD_A, ports, protocol, load<u32>(at + WORD_SECONDS));
  }
}

/** Takes when something was seen last, if it has a row. */
export function see(
  isIpv6: bool,
  addresses: usize,
  what: u32,
  protocol: u32,
  seconds: u32,
): void {
  const family = families + (isIpv6 ? FAMILY : 0);
  const number = find(family, hashOf(addresses, what, protocol), addresses, what, protocol);
  if (number === 0) return;
  const row = rowOf(family, number);
  store<u32>(row + ROW_LAST, max(load<u32>(row + ROW_LAST), seconds));
}

/** The number of the row, or 0. */
function find(family: usize, hash: u32, addresses: usize, what: u32, protocol: u32): u32 {
  const next: usize = load<u32>(family + NEXT);
  let number = load<u32>(headOf(family, hash));
  for (; number !== 0; number = load<u32>(next + (<usize> number << 2))) {
    const row = rowOf(family, number);
    if (
      load<u32>(row + ROW_HASH) === hash && load<u32>(row + ROW_WHAT) === what &&
      (load<u32>(row + ROW_ABOUT) & PROTOCOL_MASK) === protocol && areEqual(row, addresses)
    ) break;
  }
  return number;
}

/** Makes a row of what has none. */
function append(
  family: usize,
  hash: u32,
  addresses: usize,
  what: u32,
  about: u32,
  seconds: u32,
): u32 {
  const size = load<u32>(family + SIZE);
  let number = size + 1;
  if (size === load<u32>(family + MAX_ROWS)) {
    number = load<u32>(family + OLDEST);
    unlink(family, number);
    removeFromChain(family, number);
    store<u32>(family + LEFT_OUT, load<u32>(family + LEFT_OUT) + 1);
  } else store<u32>(family + SIZE, number);
  const row = rowOf(family, number);
  v128.store(row, v128.load(addresses));
  v128.store(row + 16, v128.load(addresses + 16));
  store<u32>(row + ROW_WHAT, what);
  store<u32>(row + ROW_ABOUT, about);
  store<u32>(row + ROW_FIRST, seconds);
  store<u32>(row + ROW_LAST, seconds);
  store<u32>(row + ROW_HASH, hash);
  link(family, number);
  const head = headOf(family, hash);
  store<u32>(<usize> load<u32>(family + NEXT) + (<usize> number << 2), load<u32>(head));
  store<u32>(head, number);
  return number;
}

function removeFromChain(family: usize, number: u32): void {
  const next: usize = load<u32>(family + NEXT);
  // The word that says which row comes here.
  let at = headOf(family, load<u32>(rowOf(family, number) + ROW_HASH));
  while (load<u32>(at) !== number) at = next + (<usize> load<u32>(at) << 2);
  store<u32>(at, load<u32>(next + (<usize> number << 2)));
}

/** Puts a row at the end of the list by age. */
function link(family: usize, number: u32): void {
  const newest = load<u32>(family + NEWEST);
  const row = rowOf(family, number);
  store<u32>(row + ROW_OLDER, newest);
  store<u32>(row + ROW_NEWER, 0);
  store<u32>(newest === 0 ? family + OLDEST : rowOf(family, newest) + ROW_NEWER, number);
  store<u32>(family + NEWEST, number);
}

/** Takes a row out of the list by age. */
function unlink(family: usize, number: u32): void {
  const row = rowOf(family, number);
  const older = load<u32>(row + ROW_OLDER);
  const newer = load<u32>(row + ROW_NEWER);
  store<u32>(older === 0 ? family + OLDEST : rowOf(family, older) + ROW_NEWER, newer);
  store<u32>(newer === 0 ? family + NEWEST : rowOf(family, newer) + ROW_OLDER, older);
}

function rowOf(family: usize, number: u32): usize {
  return <usize> load<u32>(family + ROWS) + (<usize> number << ROW_SHIFT);
}

function headOf(family: usize, hash: u32): usize {
  const chain = hash & load<u32>(family + CHAIN_MASK);
  return <usize> load<u32>(family + HEADS) + (<usize> chain << 2);
}

function areEqual(one: usize, other: usize): bool {
  const first = v128.xor(v128.load(one), v128.load(other));
  const second = v128.xor(v128.load(one + 16), v128.load(other + 16));
  return !v128.any_true(v128.or(first, second));
}

/** Exported for tests. */
export function hashOf(addresses: usize, what: u32, protocol: u32): u32 {
  const rest = (load<u64>(secrets) + what) * (load<u64>(secrets, 8) + protocol);
  const sum = rest + sumOfPairs(addresses, ADDRESSES, secrets + 24);
  return hashOfSum(sum, load<u64>(secrets, 16) | 1);
}
