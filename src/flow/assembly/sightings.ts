/* What a sieve sends on, as `src/sieve/sighting_batch.ts` has it. */
import {
  addressSize,
  CELL_ADDRESSES,
  CELL_LAST_SEEN,
  CELL_PORTS,
  CELL_STATE,
  CELL_UNTIL,
  cellOf,
  place,
  PROTOCOL_MASK,
  STATE_NEW,
  STATE_WANTS_PAYLOAD,
} from "./cells";
import { addDue } from "./due";
import {
  DIRECTION_SHIFT,
  FLAGS_SHIFT,
  gatherSifted,
  HAS_PAYLOAD,
  noteControl,
  setLooks,
  TCP_FIN,
  TCP_RST,
  TCP_SYN,
} from "./gathering";
import { followTime, prepareForgetting, takeOther, takeReset } from "./host";
import { second, window } from "./time";

const NUMBER: usize = 4;
const SAYS: usize = 8;
const SAYS_LATER_SHIFT: u32 = 4;
const SAYS_MASK: u32 = 15;
const LOOKS_SHIFT: u32 = 16;
const LOOKS_BITS: u32 = 4;
const CAPTURED: usize = 12;
const IDLE: usize = 12;
const SIGHTING: usize = 20;
const PORTS: usize = 20;
const ADDRESSES: usize = 24;

const IS_IPV6: u32 = 1 << 10;
const IS_ADDED: u32 = 1 << 11;
const HAS_ENDS: u32 = 1 << 12;
const IS_OTHER: u32 = 1 << 13;
const IS_TIME: u32 = 1 << 14;
const IS_FORGETTING: u32 = 1 << 15;
const IS_NO_SIGHTING: u32 = IS_OTHER | IS_TIME | IS_FORGETTING;

const CONTROL: u32 = TCP_SYN | TCP_FIN | TCP_RST;
const WANTS_LOOK: u32 = STATE_NEW | STATE_WANTS_PAYLOAD;

/** The numbers after the last that stand for conversations. */
let end4: u32 = 0;
let end6: u32 = 0;

/** The number after the last that stands for a conversation of this family. */
export function placedEnd(isIpv6: bool): u32 {
  return isIpv6 ? end6 : end4;
}

/** Takes what lies from one place to another. */
export function takeSightings(from: usize, end: usize): void {
  for (let at = from; at < end;) {
    const head = at;
    const about = load<u32>(head);
    at += SIGHTING;
    if ((about & IS_NO_SIGHTING) === 0) {
      const isIpv6 = (about & IS_IPV6) !== 0;
      if ((about & HAS_ENDS) !== 0) at += 4 + 2 * addressSize(isIpv6);
      takeSifted(isIpv6, head, about);
    } else if ((about & IS_TIME) !== 0) {
      followTime(load<u32>(head + NUMBER));
    } else if ((about & IS_FORGETTING) !== 0) {
      prepareForgetting();
    } else {
      at += (<usize> load<u32>(head + CAPTURED) + 3) & ~3;
      takeOther(<u32> (head - from) >> 2);
    }
  }
}

function takeSifted(isIpv6: bool, at: usize, about: u32): void {
  const number = load<u32>(at + NUMBER);
  const isAdded = (about & IS_ADDED) !== 0;
  if (isAdded) {
    place(isIpv6, number, about & PROTOCOL_MASK, load<u32>(at + PORTS), at + ADDRESSES);
    if (isIpv6) end6 = max(end6, number + 1);
    else end4 = max(end4, number + 1);
  }
  const cell = cellOf(isIpv6, number);
  const direction = (about >>> DIRECTION_SHIFT) & 1;
  const flags = about >>> FLAGS_SHIFT;
  if ((flags & CONTROL) !== 0) {
    if (number === 0) place(isIpv6, 0, about & PROTOCOL_MASK, load<u32>(at + PORTS), at + ADDRESSES);
    else if ((flags & TCP_SYN) !== 0) noteSyn(isIpv6, number, at);
    if (!isAdded) noteControl(isIpv6, number, about);
    if ((flags & TCP_RST) !== 0) {
      const ports = load<u32>(cell + CELL_PORTS);
      if (takeReset(isIpv6, direction, ports, cell + CELL_ADDRESSES)) return;
    }
    if (number !== 0 && (flags & TCP_SYN) === 0) store<u32>(cell + CELL_LAST_SEEN, second);
    // A connection is attributed from its payload packets: then it is one that worked.
    if ((flags & (TCP_SYN | TCP_FIN)) !== 0 || number === 0) return;
  }
  store<u32>(cell + CELL_LAST_SEEN, second);
  const until = cell + CELL_UNTIL + (<usize> direction << 2);
  if ((load<u32>(cell + CELL_STATE) & WANTS_LOOK) !== 0) {
    const says = load<u32>(at + SAYS);
    gatherSifted(
      isIpv6,
      number,
      says !== 0 ? about : about & ~HAS_PAYLOAD,
      says & SAYS_MASK,
      (says >>> SAYS_LATER_SHIFT) & SAYS_MASK,
      (says >>> LOOKS_SHIFT) - (1 << (direction * LOOKS_BITS)),
    );
  }
  if (load<u32>(until) <= window) addDue(isIpv6, number, direction);
}

/** Notes what a sieve has counted and seen of a conversation up to a packet with SYN. */
function noteSyn(isIpv6: bool, number: u32, at: usize): void {
  setLooks(isIpv6, number, load<u32>(at + SAYS) >>> LOOKS_SHIFT);
  store<u32>(cellOf(isIpv6, number) + CELL_LAST_SEEN, second - load<u32>(at + IDLE));
}
