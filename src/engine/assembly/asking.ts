/*
 * Which ends asked a moment ago, over UDP: what comes to them is an answer, though it comes from another
 * port than the question went to, as TFTP's data (RFC 1350, section 4), or from another address, where the
 * question went to a group.
 */
import { ASKER, ASKERS, CELL_ADDRESSES, CELL_PORTS, MOST_ASKED } from "../layout";
import { add, change, fillChains, find, secondsSince, setUpTable } from "./aged_table";
import { addressSize } from "./cells";
import { firstHalf, secondHalf, sumForFirst, sumForSecond } from "./fingerprint";

/** Where there is no far address, as the question went to a group. */
const OF_A_GROUP: u32 = 1;
const OF_AN_ADDRESS: u32 = 0;
const ADDRESS: usize = 16;
/** How long an answer from another port may take, in seconds. */
const LONGEST_ANSWER_SECONDS: i64 = 30;
/** Who asks a group asks it again: this long it is known that it did. */
const LONGEST_ASKED_GROUP_SECONDS: i64 = 300;

let areAskersUsed: bool = false;
let first: u32 = 0;
let second: u32 = 0;

/** Makes the table empty. */
export function setUpAskers(): void {
  setUpTable(ASKERS, MOST_ASKED);
}

/** Notes that an end of a conversation asked the other one. */
export function noteAsked(isIpv6: bool, cell: usize, end: u32, isGroup: bool, seconds: u32): void {
  if (!areAskersUsed) {
    fillChains(ASKERS);
    areAskersUsed = true;
  }
  identifyAsker(isIpv6, cell, end, isGroup);
  let at = find(ASKERS, first, second);
  if (at === 0) at = add(ASKERS, first, second);
  change(ASKERS, at, 0, seconds, 0);
}

/** Whether an end of a conversation asked the other one's address a moment ago, or a group. */
export function hasAsked(isIpv6: bool, cell: usize, end: u32, seconds: u32): bool {
  if (!areAskersUsed) return false;
  return isAsker(isIpv6, cell, end, false, LONGEST_ANSWER_SECONDS, seconds) ||
    isAsker(isIpv6, cell, end, true, LONGEST_ASKED_GROUP_SECONDS, seconds);
}

function isAsker(
  isIpv6: bool,
  cell: usize,
  end: u32,
  isGroup: bool,
  longest: i64,
  seconds: u32,
): bool {
  identifyAsker(isIpv6, cell, end, isGroup);
  const at = find(ASKERS, first, second);
  return at !== 0 && secondsSince(at, seconds) <= longest;
}

/** Makes the fingerprint of an end's address and port, and of whom it asked. */
function identifyAsker(isIpv6: bool, cell: usize, end: u32, isGroup: bool): void {
  const size = addressSize(isIpv6);
  const addresses = cell + CELL_ADDRESSES;
  memory.fill(ASKER, 0, 2 * ADDRESS);
  memory.copy(ASKER, addresses + <usize> end * size, size);
  if (!isGroup) memory.copy(ASKER + ADDRESS, addresses + <usize> (1 - end) * size, size);
  const ports = load<u32>(cell + CELL_PORTS);
  const port = end === 0 ? ports >>> 16 : ports & 0xffff;
  const kind = isGroup ? OF_A_GROUP : OF_AN_ADDRESS;
  first = firstHalf(port, kind, sumForFirst(ASKER, 2 * ADDRESS, 0));
  second = secondHalf(port, kind, sumForSecond(ASKER, 2 * ADDRESS, 0));
}
