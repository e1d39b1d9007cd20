/*
 * The inner loops of `observation_table.ts`, in AssemblyScript, as src/engine/assembly is: `deno task wasm`
 * makes `observation_program.ts` of it. `row_layout.ts` says what lies where.
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
import {
  IS_UNOPENED,
  RECORD_CLIENT,
  RECORD_FIRST,
  RECORD_HEAD,
  RECORD_LAST,
  RECORD_MILLISECONDS,
  RECORD_PACKETS,
  RECORD_PORTS,
  RECORD_PROTOCOL_SHIFT,
  RECORD_TUNNEL,
  RECORD_TUNNEL_ID,
  RECORD_WORDS,
} from "../../model/record_layout";
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
  ROW_FIGURES,
  ROW_FIRST,
  ROW_HASH,
  ROW_LAST,
  ROW_MILLISECONDS,
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
/** Observations that are looked up together. */
const AT_ONCE: u32 = 128;

let families: usize = 0;
/** Eleven numbers that hashes are made with. */
let secrets: usize = 0;
let sum: u32 = 0;

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
  for (let from: u32 = 0; from < count; from += AT_ONCE) {
    const at = observations + <usize> (from * OBSERVATION_WORDS) * 4;
    addSome(at, min(AT_ONCE, count - from), rows + (<usize> from << 2));
  }
}

/** The same of so few that what they need stays in the processor's cache. */
function addSome(observations: usize, count: u32, rows: usize): void {
  const end = rows + (<usize> count << 2);
  let at = observations;
  let flows4: u32 = 0;
  let flows6: u32 = 0;
  for (let into = rows; into < end; into += 4, at += OBSERVATION_WORDS * 4) {
    const kind = load<u32>(at);
    if ((kind & KIND_MASK) !== KIND_FLOW) continue;
    const about = protocolAndKind(load<u32>(at + WORD_ABOUT * 4));
    const tunnel = load<u32>(at + WORD_TUNNEL * 4);
    const hash = hashOf(at + WORD_A * 4, load<u32>(at + WORD_PORTS * 4), about ^ tunnel);
    store<u32>(into, hash);
    if ((kind & IPV6_BIT) !== 0) flows6++;
    else flows4++;
  }
  fetchOldest(families, flows4);
  fetchOldest(families + FAMILY, flows6);
  fetchRows(rows, end);
  at = observations;
  for (let into = rows; into < end; into += 4, at += OBSERVATION_WORDS * 4) {
    const kind = load<u32>(at);
    const about = load<u32>(at + WORD_ABOUT * 4);
    const row = (kind & KIND_MASK) !== KIND_FLOW ? 0 : addHashed(
      familyOf((kind & IPV6_BIT) !== 0),
      load<u32>(into),
      at + WORD_A * 4,
      load<u32>(at + WORD_PORTS * 4),
      protocolAndKind(about),
      load<u32>(at + WORD_TUNNEL * 4),
      load<u32>(at + WORD_SECONDS * 4),
      about & 0xff,
    );
    store<u32>(into, row);
  }
}

// @inline
function familyOf(isIpv6: bool): usize {
  return families + (isIpv6 ? FAMILY : 0);
}

/**
 * Loads where chains begin, for hashes of flows of either family. Nothing else is done in the loop, so that a
 * processor waits for many of them at once.
 */
function fetchRows(hashes: usize, end: usize): void {
  const mask = load<u32>(families + FAMILY_CHAIN_MASK);
  const heads4: usize = load<u32>(families + FAMILY_HEADS);
  const heads6: usize = load<u32>(families + FAMILY + FAMILY_HEADS);
  const has6 = load<u32>(families + FAMILY + FAMILY_SIZE) !== 0;
  let loaded: u32 = 0;
  for (let at = hashes; at < end; at += 4) {
    loaded ^= load<u32>(heads4 + (<usize> (load<u32>(at) & mask) << 2));
  }
  if (has6) {
    for (let at = hashes; at < end; at += 4) {
      loaded ^= load<u32>(heads6 + (<usize> (load<u32>(at) & mask) << 2));
    }
  }
  sum ^= loaded;
}

/** The same of the rows that make room next. */
function fetchOldest(family: usize, count: u32): void {
  if (load<u32>(family + FAMILY_SIZE) !== load<u32>(family + FAMILY_MAX_ROWS)) return;
  let loaded: u32 = 0;
  let number = load<u32>(family + FAMILY_OLDEST);
  for (let left = count; left !== 0 && number !== 0; left--) {
    const row = rowOf(family, number);
    loaded ^= load<u32>(headOf(family, load<u32>(row + ROW_HASH)));
    number = load<u32>(row + ROW_NEWER);
  }
  sum ^= loaded;
}

/** Of an observation's `WORD_ABOUT`, as a row has them. */
// @inline
function protocolAndKind(about: u32): u32 {
  return ((about >>> 8) & PROTOCOL_MASK) |
    (((about >>> TUNNEL_KIND_SHIFT) & 0xff) << KIND_SHIFT);
}

/**
 * Takes one observation.
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
  const hash = hashOf(addresses, what, protocol ^ tunnel);
  return addHashed(familyOf(isIpv6), hash, addresses, what, protocol, tunnel, seconds, note);
}

function addHashed(
  family: usize,
  hash: u32,
  addresses: usize,
  what: u32,
  protocol: u32,
  tunnel: u32,
  seconds: u32,
  note: u32,
): u32 {
  const about = protocol | (note << NOTE_SHIFT);
  const number = find(family, hash, addresses, what, protocol, tunnel);
  if (number === 0) return append(family, hash, addresses, what, about, tunnel, seconds) | IS_NEW;
  if (number !== load<u32>(family + FAMILY_NEWEST)) {
    unlink(family, number);
    link(family, number);
  }
  const row = rowOf(family, number);
  store<u32>(row + ROW_ABOUT, about);
  if (seconds < load<u32>(row + ROW_FIRST)) {
    store<u32>(row + ROW_FIRST, seconds);
    store<u16>(row + ROW_MILLISECONDS, 0);
  }
  setLast(row, seconds);
  return number;
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
  const family = familyOf(isIpv6);
  const hash = hashOf(addresses, what, protocol ^ tunnel);
  const number = find(family, hash, addresses, what, protocol, tunnel);
  if (number === 0) return;
  setLast(rowOf(family, number), seconds);
}

/** Notes that something was seen in a second, if that is later than what is known. */
function setLast(row: usize, seconds: u32): void {
  if (seconds <= load<u32>(row + ROW_LAST)) return;
  store<u32>(row + ROW_LAST, seconds);
  store<u16>(row + ROW_MILLISECONDS + 2, 0);
}

/**
 * Adds the figures of records to the rows of their flows, where they have any.
 *
 * @param hashes Room for a word for each.
 */
export function addFigures(records: usize, count: u32, hashes: usize): void {
  const end = records + <usize> (count * RECORD_WORDS) * 4;
  let into = hashes;
  for (let at = records; at < end; at += RECORD_WORDS * 4, into += 4) {
    const port = load<u32>(at + RECORD_PORTS * 4) & 0xffff;
    const tunnel = load<u32>(at + RECORD_TUNNEL_ID * 4);
    store<u32>(into, hashOf(at + RECORD_CLIENT * 4, port, protocolOf(at) ^ tunnel));
  }
  fetchRows(hashes, into);
  into = hashes;
  for (let at = records; at < end; at += RECORD_WORDS * 4, into += 4) {
    const head = load<u32>(at + RECORD_HEAD * 4);
    if ((head & IS_UNOPENED) !== 0) continue;
    const family = familyOf((head & IPV6_BIT) !== 0);
    const addresses = at + RECORD_CLIENT * 4;
    const port = load<u32>(at + RECORD_PORTS * 4) & 0xffff;
    const tunnel = load<u32>(at + RECORD_TUNNEL_ID * 4);
    const number = find(family, load<u32>(into), addresses, port, protocolOf(at), tunnel);
    if (number !== 0) addToRow(rowOf(family, number), at);
  }
}

/** The protocol of a record, and above it the kind of tunnel. */
// @inline
function protocolOf(record: usize): u32 {
  return ((load<u32>(record + RECORD_HEAD * 4) >>> RECORD_PROTOCOL_SHIFT) & PROTOCOL_MASK) |
    (load<u32>(record + RECORD_TUNNEL * 4) << KIND_SHIFT);
}

function addToRow(row: usize, record: usize): void {
  // What an observation says has whole seconds only.
  const isFirst = (load<u64>(row + ROW_FIGURES) | load<u64>(row + ROW_FIGURES, 8)) === 0;
  for (let i: usize = 0; i < 4 * 8; i += 8) {
    const at = row + ROW_FIGURES + i;
    store<u64>(at, load<u64>(at) + load<u64>(record + RECORD_PACKETS * 4 + i));
  }
  const first = timeAt(record + RECORD_FIRST * 4, record + RECORD_MILLISECONDS * 4);
  if (isFirst || first < timeAt(row + ROW_FIRST, row + ROW_MILLISECONDS)) {
    store<u32>(row + ROW_FIRST, load<u32>(record + RECORD_FIRST * 4));
    store<u16>(row + ROW_MILLISECONDS, load<u16>(record + RECORD_MILLISECONDS * 4));
  }
  const last = timeAt(record + RECORD_LAST * 4, record + RECORD_MILLISECONDS * 4 + 2);
  if (last > timeAt(row + ROW_LAST, row + ROW_MILLISECONDS + 2)) {
    store<u32>(row + ROW_LAST, load<u32>(record + RECORD_LAST * 4));
    store<u16>(row + ROW_MILLISECONDS + 2, load<u16>(record + RECORD_MILLISECONDS * 4 + 2));
  }
}

// @inline
function timeAt(seconds: usize, milliseconds: usize): u64 {
  return ((<u64> load<u32>(seconds)) << 16) | <u64> load<u16>(milliseconds);
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
  store<u32>(row + ROW_MILLISECONDS, 0);
  memory.fill(row + ROW_FIGURES, 0, 4 * 8);
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
