/* What speaks for who opened a conversation and who serves, and what of it is told to the mapping. */
import {
  CELL_ADDRESSES,
  CELL_LAST_SEEN,
  CELL_STATE,
  CELL_UNTIL,
  cellOf,
  COLD_EVIDENCE,
  COLD_OUTCOME,
  coldOf,
  PROTOCOL_MASK,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  STATE_NEW,
  STATE_UNMET,
  STATE_WANTS_PAYLOAD,
  UNJUDGED,
  unjudge,
} from "./cells";
import {
  connectionFirst,
  connectionSecond,
  countOnlyOpened,
  identifyConversation,
  isAnswered,
  isHalfOpenUsed,
  learn,
  noteHalfOpen,
  SYN,
  SYN_ACK,
  takeHalfOpenOf,
} from "./evidence";
import {
  FACTS_DESTINATION_END,
  FACTS_FIRST_SENDER,
  FACTS_OPENER,
  FACTS_OPENER_BY,
  FACTS_PAYLOAD_SERVER,
  FACTS_SOURCE_END,
  LISTENS,
  readFacts,
} from "./facts";
import { isListening, judge } from "./host";
import { addDue } from "./due";
import { keepExample, ONLY_OPENED } from "./no_flow";
import { second } from "./time";

// A packet, as `src/flow/packet_list.ts` has it.
export const DIRECTION_SHIFT: u32 = 8;
export const HAS_PAYLOAD: u32 = 1 << 9;
export const FLAGS_SHIFT: u32 = 16;
export const TCP_FIN: u32 = 1 << 0;
export const TCP_SYN: u32 = 1 << 1;
export const TCP_RST: u32 = 1 << 2;
const TCP_ACK: u32 = 1 << 4;

/*
 * Evidence bits of a conversation, after SYN and SYN_ACK. Those about an end are there twice: for the
 * low end, and one bit further up for the high one.
 */
/** The end asked, or was answered, in DNS. */
const ASKED: u32 = 1 << 4;
/** The end sent the first packet, and it was watched well before. */
const SENT_FIRST: u32 = 1 << 6;
/** The end sent the first packet that was seen. */
const SEEN_FIRST: u32 = 1 << 8;
/** The end serves, by what the payload says. */
const SERVES: u32 = 1 << 10;
/** The end will send no more on this connection: its FIN, or a RST of either. */
const ENDED: u32 = 1 << 12;
const BOTH_ENDED: u32 = ENDED | (ENDED << 1);

// In a cell's state, above the flags: how many packets with payload were looked at, in each direction.
const LOOKED_AT_SHIFT: u32 = 16;
const LOOKS_BITS: u32 = 4;
const LOOKED_AT_MASK: u32 = (1 << LOOKS_BITS) - 1;
const NOTHING_LOOKED_AT: u32 = (1 << LOOKED_AT_SHIFT) - 1;
/** `src/flow/most_looked_at.ts`. */
const MOST_LOOKED_AT: u32 = 4;
const ENOUGH_LOOKS: u32 = MOST_LOOKED_AT | (MOST_LOOKED_AT << LOOKS_BITS);

// `src/payload/sign.ts`, `src/payload/payload_says.ts`.
const FROM_CLIENT: u32 = 1;
const FROM_SERVER: u32 = 2;
const BY_QR_BIT: u32 = 4;

// `src/config/evidence.ts`.
export const NEITHER: u32 = 0;
export const SOURCE_END: u32 = 1;
export const DESTINATION_END: u32 = 2;
// `src/flow/by.ts`.
const BY_SYN: u32 = 5;
const BY_SYN_ACK: u32 = 6;
const BY_QR: u32 = 7;
const BY_FIRST_PACKET: u32 = 8;

/** Whether a payload is wanted, and as what: the first one of its conversation, or a later one. */
const LOOK_NOT: u32 = 0;
const LOOK_FIRST: u32 = 1;
const LOOK_LATER: u32 = 2;

/** Neither end. */
const NONE: u32 = 2;

/**
 * Nothing of an old connection is on its way after this many seconds without a packet, twice the
 * maximum segment lifetime: a SYN is then of a new one (RFC 9293, section 3.4.2).
 */
const LONGEST_DELAY: i64 = 240;
/**
 * For how many seconds the sensor must have been watching for the first packet that it sees of a
 * UDP conversation to be the first there was. What goes on says something in that time: STUN's
 * keepalives come after 15 s (RFC 8445, section 11), those of WireGuard after 25 s, and most QUIC
 * connections end after 30 s of silence.
 */
const WATCHED_WELL_BEFORE: i64 = 30;

let watchingSince: u32 = 0;
let hasListening: bool = false;

/** Says whether packets are the host's own, and so what it listens on is asked. */
export function setUpGathering(itHasListening: bool): void {
  hasListening = itHasListening;
}

/** Says that packets may have gone by unseen before this time. */
export function noteGap(seconds: u32): void {
  watchingSince = seconds;
}

/**
 * Notes a TCP packet with SYN, FIN or RST.
 *
 * @param number That of the conversation. Of what is none it is 0, whose cells have its ends.
 */
export function noteControl(isIpv6: bool, number: u32, about: u32): void {
  const flags = about >>> FLAGS_SHIFT;
  const direction = (about >>> DIRECTION_SHIFT) & 1;
  const isEnd = (flags & (TCP_FIN | TCP_RST)) !== 0;
  // After SYN a conversation may be another one.
  if ((flags & TCP_SYN) !== 0 && number !== 0) setNoLooks(cellOf(isIpv6, number));
  if (isEnd && number !== 0) return noteEnd(isIpv6, number, flags, direction);
  identifyConversation(isIpv6, number);
  if (number === 0 && countOnlyOpened(connectionFirst, connectionSecond, second)) {
    readFacts(isIpv6, cellOf(isIpv6, 0), direction);
    keepExample(ONLY_OPENED);
  }
  if (isEnd) return;
  const bit: u32 = ((flags & TCP_ACK) === 0 ? SYN : SYN_ACK) << direction;
  if (number === 0) noteHalfOpen(connectionFirst, connectionSecond, bit, second);
  else if (noteOpening(isIpv6, number, bit, direction)) beginAnew(isIpv6, number);
}

/**
 * Notes a packet with SYN of a conversation. That the connection is a new one, on the ports of the
 * old one, is believed where its sender was seen to end the old one, or that was silent for long, or
 * where the other end answered. Anyone can send a SYN in another's name, and a connection that goes
 * on does not mind.
 *
 * @returns Whether the conversation is another one from the next packet on.
 */
function noteOpening(
  isIpv6: bool,
  number: u32,
  bit: u32,
  direction: u32,
): bool {
  const at = coldOf(isIpv6, number) + COLD_EVIDENCE;
  const cell = cellOf(isIpv6, number);
  const bits = load<u32>(at);
  const isNew = (load<u32>(cell + CELL_STATE) & STATE_NEW) !== 0;
  if (openerOf(bits) === openerOf(bit) && !isNew) {
    // One that was sent again, or a new connection that the same end opened.
    store<u32>(at, (bits | bit) & ~BOTH_ENDED);
    return false;
  }
  const noted = noteHalfOpen(connectionFirst, connectionSecond, bit, second);
  if (isNew) return false;
  const silence = <i64> second - <i64> load<u32>(cell + CELL_LAST_SEEN);
  return (bits & (ENDED << direction)) !== 0 || silence > LONGEST_DELAY || isAnswered(noted);
}

/** Notes a packet of a conversation with FIN or RST. */
function noteEnd(isIpv6: bool, number: u32, flags: u32, direction: u32): void {
  const at = coldOf(isIpv6, number) + COLD_EVIDENCE;
  const ended = (flags & TCP_RST) !== 0 ? BOTH_ENDED : ENDED << direction;
  store<u32>(at, load<u32>(at) | ended);
}

/** Makes a conversation a new one, on the ports of the one before. */
function beginAnew(isIpv6: bool, number: u32): void {
  // What was seen of the old one is attributed as the old one.
  judge();
  const state = cellOf(isIpv6, number) + CELL_STATE;
  store<u32>(state, load<u32>(state) | STATE_NEW);
  unjudge(isIpv6, number);
}

/**
 * Notes what a packet says of a conversation that is new, or whose payloads are to be looked at.
 *
 * @returns Whether its payload is to be looked at: then {@linkcode noteLook} is to follow.
 */
export function gather(isIpv6: bool, number: u32, about: u32): u32 {
  if (!wantsPayload(isIpv6, number, about)) return LOOK_NOT;
  return lookWanted(cellOf(isIpv6, number), (about >>> DIRECTION_SHIFT) & 1);
}

/**
 * The same where a sieve has looked at the payload, and notes what it says.
 *
 * @param saysFirst What it says as the first one of the conversation.
 * @param looks How many were looked at before: of the low end and of the high one.
 */
export function gatherSifted(
  isIpv6: bool,
  number: u32,
  about: u32,
  saysFirst: u32,
  saysLater: u32,
  looks: u32,
): void {
  if (!wantsPayload(isIpv6, number, about)) return;
  setLooks(isIpv6, number, looks);
  const direction = (about >>> DIRECTION_SHIFT) & 1;
  const wanted = lookWanted(cellOf(isIpv6, number), direction);
  if (wanted === LOOK_NOT) return;
  noteLook(isIpv6, number, direction, wanted === LOOK_FIRST ? saysFirst : saysLater);
}

function wantsPayload(isIpv6: bool, number: u32, about: u32): bool {
  const state = cellOf(isIpv6, number) + CELL_STATE;
  const direction = (about >>> DIRECTION_SHIFT) & 1;
  if ((load<u32>(state) & STATE_NEW) !== 0) {
    begin(isIpv6, number, direction, about >>> FLAGS_SHIFT);
  }
  return (about & HAS_PAYLOAD) !== 0 && (load<u32>(state) & STATE_WANTS_PAYLOAD) !== 0;
}

function lookWanted(cell: usize, direction: u32): u32 {
  const looks = load<u32>(cell + CELL_STATE) >>> LOOKED_AT_SHIFT;
  if (((looks >>> (direction * LOOKS_BITS)) & LOOKED_AT_MASK) >= MOST_LOOKED_AT) return LOOK_NOT;
  return looks === 0 ? LOOK_FIRST : LOOK_LATER;
}

/** Notes what is known of a conversation at its first packet. */
function begin(isIpv6: bool, number: u32, direction: u32, flags: u32): void {
  const cell = cellOf(isIpv6, number);
  let state = load<u32>(cell + CELL_STATE) &
    (NOTHING_LOOKED_AT & ~(STATE_NEW | STATE_WANTS_PAYLOAD));
  const protocol = state & PROTOCOL_MASK;
  let bits = SEEN_FIRST << direction;
  if (protocol === PROTOCOL_TCP) {
    if (isHalfOpenUsed) bits |= takeHalfOpenOf(isIpv6, number, second);
    if ((flags & TCP_RST) !== 0) {
      // Who was refused opened, and nobody served.
      bits |= BOTH_ENDED;
      state &= ~STATE_UNMET;
    } else {
      const opener = openerOf(bits);
      if (opener !== NONE) learn(isIpv6, number, 1 - opener, second);
    }
  } else if (protocol === PROTOCOL_UDP) {
    const watched = <i64> second - <i64> watchingSince;
    if (watched >= WATCHED_WELL_BEFORE) bits |= SENT_FIRST << direction;
  }
  store<u32>(coldOf(isIpv6, number) + COLD_EVIDENCE, bits);
  if (openerOf(bits) === NONE) state |= STATE_WANTS_PAYLOAD;
  store<u32>(cell + CELL_STATE, state);
}

/** Notes that the payload of a packet was looked at, and what it says: `payloadSays`. */
export function noteLook(isIpv6: bool, number: u32, direction: u32, says: u32): void {
  const cell = cellOf(isIpv6, number);
  const state = load<u32>(cell + CELL_STATE);
  const found = says === 0 ? 0 : signs(isIpv6, cell, direction, says);
  if (found === 0) {
    const shift = LOOKED_AT_SHIFT + direction * LOOKS_BITS;
    const looks = state + (1 << shift);
    const isEnough = looks >>> LOOKED_AT_SHIFT === ENOUGH_LOOKS;
    store<u32>(cell + CELL_STATE, isEnough ? looks & ~STATE_WANTS_PAYLOAD : looks);
    return;
  }
  const cold = coldOf(isIpv6, number);
  store<u32>(cold + COLD_EVIDENCE, load<u32>(cold + COLD_EVIDENCE) | found);
  store<u32>(cell + CELL_STATE, state & ~STATE_WANTS_PAYLOAD);
  if ((found & (SERVES | (SERVES << 1))) !== 0) {
    learn(isIpv6, number, (found & SERVES) !== 0 ? 0 : 1, second);
  }
  // What was decided without it, in either direction, is asked again.
  store<u32>(cell + CELL_UNTIL + (<usize> direction << 2), 0);
  const other = 1 - direction;
  const outcome = load<u32>(cold + COLD_OUTCOME + (<usize> other << 2));
  if (outcome !== UNJUDGED) addDue(isIpv6, number, other);
}

/**
 * Notes how many payloads were looked at that said nothing, where that was done elsewhere.
 *
 * @param looks Of the low end and of the high one.
 */
export function setLooks(isIpv6: bool, number: u32, looks: u32): void {
  const at = cellOf(isIpv6, number) + CELL_STATE;
  let state = (load<u32>(at) & NOTHING_LOOKED_AT) | (looks << LOOKED_AT_SHIFT);
  if (looks === ENOUGH_LOOKS) state &= ~STATE_WANTS_PAYLOAD;
  store<u32>(at, state);
}

/** Has as many payloads looked at as at first. */
function setNoLooks(cell: usize): void {
  store<u32>(cell + CELL_STATE, load<u32>(cell + CELL_STATE) & NOTHING_LOOKED_AT);
}

/** The evidence bits of what a payload says. */
function signs(isIpv6: bool, cell: usize, direction: u32, says: u32): u32 {
  const role = says & ~BY_QR_BIT;
  const other = 1 - direction;
  if (role === says) return SERVES << (role === FROM_SERVER ? direction : other);
  if (role === FROM_CLIENT) return ASKED << direction;
  // Multicast DNS answers to a group (RFC 6762, section 6), which has asked nothing.
  const address = cell + CELL_ADDRESSES + (<usize> other << (isIpv6 ? 4 : 2));
  return isGroup(isIpv6, load<u32>(address)) ? 0 : ASKED << other;
}

/** `group_address.ts`. */
@inline
export function isGroup(isIpv6: bool, firstWord: u32): bool {
  if (isIpv6) return firstWord >>> 24 === 0xff;
  return firstWord >>> 28 === 0xe || firstWord === 0xffff_ffff;
}

/**
 * Tells the facts all that is known of a conversation.
 *
 * @param reading What was read of its ends: the low one's, the high one's.
 * @param direction In which direction a packet goes: 0 if its source is the low end.
 */
export function readEvidence(isIpv6: bool, number: u32, direction: u32, reading: usize): void {
  const bits = load<u32>(coldOf(isIpv6, number) + COLD_EVIDENCE);
  const protocol = load<u32>(cellOf(isIpv6, number) + CELL_STATE) & PROTOCOL_MASK;
  readOpener(bits, direction);
  store<u32>(FACTS_PAYLOAD_SERVER, endOf(bits, SERVES, direction));
  const firstSender = protocol === PROTOCOL_UDP ? endOf(bits, SEEN_FIRST, direction) : NEITHER;
  store<u32>(FACTS_FIRST_SENDER, firstSender);
  let source = load<u32>(reading + (<usize> direction << 2)) & ~LISTENS;
  let destination = load<u32>(reading + (<usize> (1 - direction) << 2)) & ~LISTENS;
  if (hasListening) {
    if (isListening(isIpv6, number, direction)) source |= LISTENS;
    if (isListening(isIpv6, number, 1 - direction)) destination |= LISTENS;
  }
  store<u32>(FACTS_SOURCE_END, source);
  store<u32>(FACTS_DESTINATION_END, destination);
}

function readOpener(bits: u32, direction: u32): void {
  const opener = openerOf(bits);
  if (opener !== NONE) {
    store<u32>(FACTS_OPENER, opener === direction ? SOURCE_END : DESTINATION_END);
    store<u32>(FACTS_OPENER_BY, (bits & (SYN | (SYN << 1))) !== 0 ? BY_SYN : BY_SYN_ACK);
    return;
  }
  const asked = endOf(bits, ASKED, direction);
  const isAsked = asked !== NEITHER;
  store<u32>(FACTS_OPENER, isAsked ? asked : endOf(bits, SENT_FIRST, direction));
  store<u32>(FACTS_OPENER_BY, isAsked ? BY_QR : BY_FIRST_PACKET);
}

/**
 * Which end opened a connection by its evidence bits, 0 for the low one, or {@linkcode NONE}. Both is
 * none: in a simultaneous open neither is the client (RFC 9293, section 3.5).
 */
function openerOf(bits: u32): u32 {
  const lowOpened = (bits & (SYN | (SYN_ACK << 1))) !== 0;
  const highOpened = (bits & ((SYN << 1) | SYN_ACK)) !== 0;
  if (lowOpened === highOpened) return NONE;
  return lowOpened ? 0 : 1;
}

/** Which end of a packet has one of a pair of bits; neither when both or none have it. */
function endOf(bits: u32, low: u32, direction: u32): u32 {
  const isLow = (bits & low) !== 0;
  const isHigh = (bits & (low << 1)) !== 0;
  if (isLow === isHigh) return NEITHER;
  return isLow === (direction === 0) ? SOURCE_END : DESTINATION_END;
}
