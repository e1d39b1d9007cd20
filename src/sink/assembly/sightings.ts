/*
 * The inner loops of `sighting_table.ts`, in AssemblyScript, as src/engine/assembly is: `deno task wasm`
 * makes `sighting_program.ts` of it. `row_layout.ts` says what lies where.
 */
import {
  IPV6_BIT,
  KIND_FLOW,
  OBSERVATION_WORDS,
  TUNNEL_KIND_SHIFT,
  WORD_A,
  WORD_ABOUT,
  WORD_PORTS,
  WORD_SECONDS,
  WORD_TUNNEL,
} from "../../model/observation_layout";
import { hashOfSum, sumOfPairs } from "../../engine/assembly/pair_hash";
import {
  FAMILY,
  FAMILY_CHAIN_MASK,
  FAMILY_HEADS,
  FAMILY_LEFT_OUT,
  FAMILY_MAX_ROWS,
  FAMILY_NEWEST,
  FAMILY_NEXT,
  FAMILY_OLDEST,
  FAMILY_ROWS,
  FAMILY_SIZE,
  IS_NEW,
  KIND_SHIFT,
  NOTE_SHIFT,
  PROTOCOL_MASK,
  ROW_ABOUT,
  ROW_FIRST,
  ROW_HASH,
  ROW_LAST,
  ROW_NEWER,
  ROW_OLDER,
  ROW_SHIFT,
  ROW_TUNNEL,
  ROW_WHAT,
  WHAT_MASK,
} from "../row_layout";

/** Bytes of both addresses. */
const ADDRESSES: usize = 32;
const KIND_MASK: u32 = 0xff;

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
  for (let i: u32 = 0; i < count; i++, at += OBSERVATION_WORDS * 4) {
    const kind = load<u32>(at);
    const about = load<u32>(at + WORD_ABOUT * 4);
    const row = (kind & KIND_MASK) !== KIND_FLOW ? 0 : add(
      (kind & IPV6_BIT) !== 0,
      at + WORD_A * 4,
      load<u32>(at + WORD_PORTS * 4),
      protocolAndKind(about),
      load<u32>(at + WORD_TUNNEL * 4),
      load<u32>(at + WORD_SECONDS * 4),
      about & 0xff,
    );
    store<u32>(rows + (<usize> i << 2), row);
  }
}

/** Of an observation's `WORD_ABOUT`, as a row has them. */
// @inline
function protocolAndKind(about: u32): u32 {
  return ((about >>> 8) & PROTOCOL_MASK) |
    (((about >>> TUNNEL_KIND_SHIFT) & 0xff) << KIND_SHIFT);
}

/**
 * Takes one sighting.
 *
 * @param addresses Where both are.
 * @param protocol The protocol, and above it the kind of tunnel.
 * @param tunnel What tells the tunnel apart.
 * @returns The number of its row, and perhaps {@linkcode IS_NEW}.
 */
export function add(
  isIpv6: bool,
  addresses: usize,
  what: u32,
  protocol: u32,
  tunnel: u32,
  seconds: u32,
  note: u32,
): u32 {
  const family = families + (isIpv6 ? FAMILY : 0);
  const hash = hashOf(addresses, what, protocol ^ tunnel);
  const about = protocol | (note << NOTE_SHIFT);
  const number = find(family, hash, addresses, what, protocol, tunnel);
  if (number === 0) return append(family, hash, addresses, what, about, tunnel, seconds) | IS_NEW;
  if (number !== load<u32>(family + FAMILY_NEWEST)) {
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
  for (let i: u32 = 0; i < count; i++, at += OBSERVATION_WORDS * 4) {
    const kind = load<u32>(at);
    if ((kind & KIND_MASK) !== KIND_FLOW) continue;
    const protocol = protocolAndKind(load<u32>(at + WORD_ABOUT * 4));
    const ports = load<u32>(at + WORD_PORTS * 4);
    see(
      (kind & IPV6_BIT) !== 0,
      at + WORD_A * 4,
      ports,
      protocol,
      load<u32>(at + WORD_TUNNEL * 4),
      load<u32>(at + WORD_SECONDS * 4),
    );
  }
}

/** Takes when something was seen last, if it has a row. */
export function see(
  isIpv6: bool,
  addresses: usize,
  what: u32,
  protocol: u32,
  tunnel: u32,
  seconds: u32,
): void {
  const family = families + (isIpv6 ? FAMILY : 0);
  const hash = hashOf(addresses, what, protocol ^ tunnel);
  const number = find(family, hash, addresses, what, protocol, tunnel);
  if (number === 0) return;
  const row = rowOf(family, number);
  store<u32>(row + ROW_LAST, max(load<u32>(row + ROW_LAST), seconds));
}

/** The number of the row, or 0. */
function find(
  family: usize,
  hash: u32,
  addresses: usize,
  what: u32,
  protocol: u32,
  tunnel: u32,
): u32 {
  const next: usize = load<u32>(family + FAMILY_NEXT);
  let number = load<u32>(headOf(family, hash));
  for (; number !== 0; number = load<u32>(next + (<usize> number << 2))) {
    const row = rowOf(family, number);
    if (
      load<u32>(row + ROW_HASH) === hash && load<u32>(row + ROW_WHAT) === what &&
      (load<u32>(row + ROW_ABOUT) & WHAT_MASK) === protocol &&
      load<u32>(row + ROW_TUNNEL) === tunnel && areEqual(row, addresses)
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
  tunnel: u32,
  seconds: u32,
): u32 {
  const size = load<u32>(family + FAMILY_SIZE);
  let number = size + 1;
  if (size === load<u32>(family + FAMILY_MAX_ROWS)) {
    number = load<u32>(family + FAMILY_OLDEST);
    unlink(family, number);
    removeFromChain(family, number);
    store<u32>(family + FAMILY_LEFT_OUT, load<u32>(family + FAMILY_LEFT_OUT) + 1);
  } else store<u32>(family + FAMILY_SIZE, number);
  const row = rowOf(family, number);
  v128.store(row, v128.load(addresses));
  v128.store(row + 16, v128.load(addresses + 16));
  store<u32>(row + ROW_WHAT, what);
  store<u32>(row + ROW_ABOUT, about);
  store<u32>(row + ROW_TUNNEL, tunnel);
  store<u32>(row + ROW_FIRST, seconds);
  store<u32>(row + ROW_LAST, seconds);
  store<u32>(row + ROW_HASH, hash);
  link(family, number);
  const head = headOf(family, hash);
  store<u32>(<usize> load<u32>(family + FAMILY_NEXT) + (<usize> number << 2), load<u32>(head));
  store<u32>(head, number);
  return number;
}

function removeFromChain(family: usize, number: u32): void {
  const next: usize = load<u32>(family + FAMILY_NEXT);
  // The word that says which row comes here.
  let at = headOf(family, load<u32>(rowOf(family, number) + ROW_HASH));
  while (load<u32>(at) !== number) at = next + (<usize> load<u32>(at) << 2);
  store<u32>(at, load<u32>(next + (<usize> number << 2)));
}

/** Puts a row at the end of the list by age. */
function link(family: usize, number: u32): void {
  const newest = load<u32>(family + FAMILY_NEWEST);
  const row = rowOf(family, number);
  store<u32>(row + ROW_OLDER, newest);
  store<u32>(row + ROW_NEWER, 0);
  store<u32>(newest === 0 ? family + FAMILY_OLDEST : rowOf(family, newest) + ROW_NEWER, number);
  store<u32>(family + FAMILY_NEWEST, number);
}

/** Takes a row out of the list by age. */
function unlink(family: usize, number: u32): void {
  const row = rowOf(family, number);
  const older = load<u32>(row + ROW_OLDER);
  const newer = load<u32>(row + ROW_NEWER);
  store<u32>(older === 0 ? family + FAMILY_OLDEST : rowOf(family, older) + ROW_NEWER, newer);
  store<u32>(newer === 0 ? family + FAMILY_NEWEST : rowOf(family, newer) + ROW_OLDER, older);
}

function rowOf(family: usize, number: u32): usize {
  return <usize> load<u32>(family + FAMILY_ROWS) + (<usize> number << ROW_SHIFT);
}

function headOf(family: usize, hash: u32): usize {
  const chain = hash & load<u32>(family + FAMILY_CHAIN_MASK);
  return <usize> load<u32>(family + FAMILY_HEADS) + (<usize> chain << 2);
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
