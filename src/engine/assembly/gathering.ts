/* What speaks for who opened a conversation and who serves, and what of it is told to the mapping. */
import { DESTINATION_END, NEITHER, SOURCE_END } from "../../model/evidence_layout";
import {
  ANNOUNCES,
  BY_QR_BIT,
  FIRST,
  FROM_CLIENT,
  FROM_SERVER,
  LATER,
  REPLY,
} from "../../model/payload_roles";
import {
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  TCP_ACK,
  TCP_FIN,
  TCP_RST,
  TCP_SYN,
} from "../../model/protocol_numbers";
import { ONLY_OPENED } from "../../model/no_flow_numbers";
import { BY_FIRST_PACKET, BY_QR, BY_SYN, BY_SYN_ACK } from "../../model/reason_numbers";
import {
  ANNOUNCED,
  CELL_ADDRESSES,
  CELL_PORTS,
  CELL_SECONDS,
  CELL_STATE,
  COLD_EVIDENCE,
  FACTS_DESTINATION_END,
  FACTS_FIRST_SENDER,
  FACTS_OPENER,
  FACTS_OPENER_BY,
  FACTS_PAYLOAD_SERVER,
  FACTS_SOURCE_END,
  FLAGS_SHIFT,
  INSPECTED_BITS,
  INSPECTED_SHIFT,
  LISTENS,
  MOST_INSPECTED,
  PROTOCOL_MASK,
  STATE_ANNOUNCES,
  STATE_HAS_NEW_PEERS,
  STATE_NEW,
  STATE_READS_NAME,
  STATE_WANTS_NAME,
  STATE_WANTS_PAYLOAD,
  UNCLASSIFIED,
} from "../layout";
import {
  addressSize,
  cellOf,
  coldOf,
  declassify,
  directionOf,
  outcomeOf,
  stateOf,
  untilOf,
} from "./cells";
import { classifyPending } from "./classifying";
import { second } from "./clock";
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
  takeHalfOpen,
} from "./evidence";
import { readFacts } from "./facts";
import { hasPayload, isOpen } from "./group";
import { isListening } from "./host";
import { newNameState, readName } from "./naming";
import { keepExample } from "./no_flow";
import { payloadSays } from "./payload";
import { announceBy, isAnnounced } from "./announcing";
import { hasAsked, noteAsked } from "./asking";
import { addPending } from "./pending";
import { endGeneration, open } from "./table";

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
/** The end was announced, when the conversation began. */
const WAS_ANNOUNCED: u32 = 1 << 14;
/** An end of it was announced, whoever opened it: in a control connection, or for a call. */
export const IS_EXPECTED: u32 = 1 << 17;
/** It carries the name of its server. */
export const HAS_NAME: u32 = 1 << 16;

const INSPECTED_MASK: u32 = (1 << INSPECTED_BITS) - 1;
const ALL_INSPECTED: u32 = (1 << (2 * INSPECTED_BITS)) - 1;
const NOTHING_INSPECTED: u32 = ~(ALL_INSPECTED << INSPECTED_SHIFT);
const ENOUGH_INSPECTED: u32 = MOST_INSPECTED | (MOST_INSPECTED << INSPECTED_BITS);

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

/** Says that packets are the host's own, and so what it listens on is asked. */
export function useListening(): void {
  hasListening = true;
}

/** Says that packets may have gone by unseen before this time. */
export function noteGap(seconds: u32): void {
  watchingSince = seconds;
}

/**
 * Notes a TCP packet with SYN, FIN or RST.
 *
 * @param number That of the conversation. Of what has no place it is 0, whose cells have its ends; that
 * and what is not open is none.
 */
export function noteControl(isIpv6: bool, number: u32, about: u32): void {
  const flags = about >>> FLAGS_SHIFT;
  const direction = directionOf(about);
  const isEnd = (flags & (TCP_FIN | TCP_RST)) !== 0;
  const isConversation = isOpen(isIpv6, number);
  // After SYN a conversation may be another one.
  if ((flags & TCP_SYN) !== 0 && isConversation) setNothingInspected(stateOf(isIpv6, number));
  if (isEnd && isConversation) return noteEnd(isIpv6, number, flags, direction);
  identifyConversation(isIpv6, number);
  if (!isConversation && countOnlyOpened(connectionFirst, connectionSecond, second)) {
    readFacts(isIpv6, cellOf(isIpv6, number), direction);
    keepExample(ONLY_OPENED);
  }
  if (isEnd) return;
  const bit: u32 = ((flags & TCP_ACK) === 0 ? SYN : SYN_ACK) << direction;
  if (!isConversation) noteHalfOpen(connectionFirst, connectionSecond, bit, second);
  else if (noteOpening(isIpv6, number, bit, direction)) beginGeneration(isIpv6, number);
}

/**
 * Notes a packet with SYN of a conversation, of which the fingerprint was made. That the connection is a
 * new one, on the ports of the old one, is believed where its sender was seen to end the old one, or
 * that was silent for long, or where the other end answered. Anyone can send a SYN in another's name,
 * and a connection that goes on does not mind.
 *
 * @returns Whether the conversation is another one from the next packet on.
 */
function noteOpening(isIpv6: bool, number: u32, bit: u32, direction: u32): bool {
  const at = coldOf(isIpv6, number) + COLD_EVIDENCE;
  const cell = cellOf(isIpv6, number);
  const bits = load<u32>(at);
  const isNew = (load<u32>(cell, CELL_STATE) & STATE_NEW) !== 0;
  if (openerOf(bits) === openerOf(bit) && !isNew) {
    // One that was sent again, or a new connection that the same end opened.
    let over = BOTH_ENDED;
    if ((bits & (ENDED << direction)) !== 0) {
      endGeneration(isIpv6, number);
      over |= HAS_NAME;
      const state = load<u32>(cell, CELL_STATE) & ~STATE_READS_NAME;
      store<u32>(cell, state | newNameState(), CELL_STATE);
    }
    store<u32>(at, (bits | bit) & ~over);
    return false;
  }
  const noted = noteHalfOpen(connectionFirst, connectionSecond, bit, second);
  if (isNew) return false;
  const silence = <i64> second - <i64> load<u32>(cell, CELL_SECONDS);
  return (bits & (ENDED << direction)) !== 0 || silence > LONGEST_DELAY || isAnswered(noted);
}

/** Notes a packet of a conversation with FIN or RST. */
function noteEnd(isIpv6: bool, number: u32, flags: u32, direction: u32): void {
  const at = coldOf(isIpv6, number) + COLD_EVIDENCE;
  const ended = (flags & TCP_RST) !== 0 ? BOTH_ENDED : ENDED << direction;
  store<u32>(at, load<u32>(at) | ended);
}

/** Begins another generation of a conversation, on the ports of the one before. */
function beginGeneration(isIpv6: bool, number: u32): void {
  // What was seen of the old one is attributed as the old one.
  classifyPending(true);
  endGeneration(isIpv6, number);
  const state = stateOf(isIpv6, number);
  store<u32>(state, load<u32>(state) | STATE_NEW);
  declassify(isIpv6, number);
}

/** Notes what a packet says of a conversation that is new, or whose payloads are inspected. */
export function gather(isIpv6: bool, number: u32, packet: usize, about: u32): void {
  const state = stateOf(isIpv6, number);
  const direction = directionOf(about);
  const isNew = (load<u32>(state) & STATE_NEW) !== 0;
  if (isNew) begin(isIpv6, number, direction, about >>> FLAGS_SHIFT);
  if (hasPayload(about)) {
    inspect(isIpv6, number, packet, direction);
    if ((load<u32>(state) & STATE_ANNOUNCES) !== 0) announceBy(isIpv6, packet);
    if ((load<u32>(state) & STATE_WANTS_NAME) !== 0) readName(isIpv6, number, packet, about);
  }
  if (isNew && (about & PROTOCOL_MASK) === PROTOCOL_UDP) noteQuestion(isIpv6, number, direction);
}

function inspect(isIpv6: bool, number: u32, packet: usize, direction: u32): void {
  const state = stateOf(isIpv6, number);
  if ((load<u32>(state) & STATE_WANTS_PAYLOAD) === 0) return;
  const inspected = inspectedOf(load<u32>(state));
  const ofDirection = (inspected >>> (direction * INSPECTED_BITS)) & INSPECTED_MASK;
  if (ofDirection >= MOST_INSPECTED) return;
  noteRole(
    isIpv6,
    number,
    direction,
    payloadSays(packet, inspected === 0 ? FIRST : ofDirection === 0 ? REPLY : LATER),
  );
}

/** How many payloads were inspected, by a state. */
// @inline
export function inspectedOf(state: u32): u32 {
  return (state >>> INSPECTED_SHIFT) & ALL_INSPECTED;
}

/** Notes what is known of a conversation at its first packet. */
function begin(isIpv6: bool, number: u32, direction: u32, flags: u32): void {
  open(isIpv6, number);
  const cell = cellOf(isIpv6, number);
  let state = load<u32>(cell, CELL_STATE) &
    (NOTHING_INSPECTED &
      ~(STATE_NEW | STATE_WANTS_PAYLOAD | STATE_WANTS_NAME | STATE_READS_NAME));
  state |= newNameState();
  const protocol = state & PROTOCOL_MASK;
  let bits = SEEN_FIRST << direction;
  if (protocol === PROTOCOL_TCP) {
    if (isHalfOpenUsed) {
      identifyConversation(isIpv6, number);
      bits |= takeHalfOpen(connectionFirst, connectionSecond, second);
    }
    if ((flags & TCP_RST) !== 0) {
      // Who was refused opened, and nobody served.
      bits |= BOTH_ENDED;
      state &= ~STATE_HAS_NEW_PEERS;
    } else {
      const opener = openerOf(bits);
      if (opener !== NONE) learn(isIpv6, number, 1 - opener, second);
    }
  } else if (protocol === PROTOCOL_UDP) {
    const watched = <i64> second - <i64> watchingSince;
    // What comes to an end that asked a moment ago is an answer, though it comes from elsewhere.
    if (hasAsked(isIpv6, cell, 1 - direction, second)) bits |= SENT_FIRST << (1 - direction);
    else if (watched >= WATCHED_WELL_BEFORE) bits |= SENT_FIRST << direction;
  }
  const ports = load<u32>(cell, CELL_PORTS);
  let announced: u32 = 0;
  if (isAnnouncedEnd(isIpv6, cell, 0)) announced |= WAS_ANNOUNCED;
  if (isAnnouncedEnd(isIpv6, cell, 1)) announced |= WAS_ANNOUNCED << 1;
  if (openerOf(bits) === NONE) bits |= announced;
  if (announced !== 0) bits |= IS_EXPECTED;
  state &= ~STATE_ANNOUNCES;
  if (isControlPort(ports >>> 16) || isControlPort(ports & 0xffff)) state |= STATE_ANNOUNCES;
  store<u32>(coldOf(isIpv6, number), bits, COLD_EVIDENCE);
  if (openerOf(bits) === NONE) state |= STATE_WANTS_PAYLOAD;
  store<u32>(cell, state, CELL_STATE);
}

/** FTP (RFC 959), IRC (RFC 7194 and common use), RTSP (RFC 7826), SIP (RFC 3261). */
function isControlPort(port: u32): bool {
  return port === 21 || port === 5060 || port === 554 || port === 8554 ||
    (port >= 6665 && port <= 6669);
}

function isAnnouncedEnd(isIpv6: bool, cell: usize, end: u32): bool {
  const address = cell + CELL_ADDRESSES + <usize> end * addressSize(isIpv6);
  const ports = load<u32>(cell, CELL_PORTS);
  const port = end === 0 ? ports >>> 16 : ports & 0xffff;
  return isAnnounced(isIpv6, address, port, load<u32>(cell, CELL_STATE) & PROTOCOL_MASK);
}

/**
 * Notes that the sender of the first packet that was seen of a UDP conversation asked, so that what others
 * send there is an answer: where it is seen to be one who asks, and what is sent to a group is.
 */
function noteQuestion(isIpv6: bool, number: u32, direction: u32): void {
  const cell = cellOf(isIpv6, number);
  const other = 1 - direction;
  const bits = load<u32>(coldOf(isIpv6, number), COLD_EVIDENCE);
  if (answered(bits, direction) || (bits & (SENT_FIRST << other)) !== 0) return;
  // Whoever sends from the port that it sends to is a peer, and may be asked there itself.
  const ports = load<u32>(cell, CELL_PORTS);
  if (ports >>> 16 === (ports & 0xffff)) return;
  const receiver = load<u32>(cell + CELL_ADDRESSES + <usize> other * addressSize(isIpv6));
  const isToGroup = isGroup(isIpv6, receiver) || (!isIpv6 && (receiver & 0xff) === 0xff);
  const isQuestion = (bits & (SENT_FIRST << direction)) !== 0 || answered(bits, other);
  if (isToGroup || isQuestion) noteAsked(isIpv6, cell, direction, isToGroup, second);
}

/** Whether an end answered, by what was sent. */
function answered(bits: u32, end: u32): bool {
  return (bits & (SERVES << end)) !== 0 || (bits & (ASKED << (1 - end))) !== 0;
}

/** Whether an end opened a connection, by its handshake. */
export function isOpenedBy(isIpv6: bool, number: u32, end: u32): bool {
  return openerOf(load<u32>(coldOf(isIpv6, number), COLD_EVIDENCE)) === end;
}

/** Whether an end was seen to open a conversation, or to ask in it. */
export function isOpener(isIpv6: bool, number: u32, end: u32): bool {
  const bits = load<u32>(coldOf(isIpv6, number), COLD_EVIDENCE);
  return openerOf(bits) === end || answered(bits, 1 - end) ||
    ((bits & (SENT_FIRST << end)) !== 0 && !answered(bits, end));
}

/** Notes that the payload of a packet was inspected, and what it says: `payloadSays`. */
function noteRole(isIpv6: bool, number: u32, direction: u32, says: u32): void {
  const cell = cellOf(isIpv6, number);
  const state = load<u32>(cell, CELL_STATE);
  const found = says === 0 ? 0 : evidenceOf(isIpv6, cell, direction, says);
  if (found === 0) {
    const now = state + (1 << (INSPECTED_SHIFT + direction * INSPECTED_BITS));
    const isEnough = inspectedOf(now) === ENOUGH_INSPECTED;
    store<u32>(cell, isEnough ? now & ~STATE_WANTS_PAYLOAD : now, CELL_STATE);
    return;
  }
  const cold = coldOf(isIpv6, number);
  store<u32>(cold, load<u32>(cold, COLD_EVIDENCE) | found, COLD_EVIDENCE);
  const announces: u32 = (says & ANNOUNCES) !== 0 ? STATE_ANNOUNCES : 0;
  store<u32>(cell, (state & ~STATE_WANTS_PAYLOAD) | announces, CELL_STATE);
  if ((found & (SERVES | (SERVES << 1))) !== 0) {
    learn(isIpv6, number, (found & SERVES) !== 0 ? 0 : 1, second);
  }
  // What was decided without it, in either direction, is asked again.
  store<u32>(untilOf(cell, direction), 0);
  const other = 1 - direction;
  if (load<u32>(outcomeOf(cold, other)) !== UNCLASSIFIED) addPending(isIpv6, number, other);
}

/** Has as many payloads inspected as at first. */
function setNothingInspected(state: usize): void {
  store<u32>(state, load<u32>(state) & NOTHING_INSPECTED);
}

/** The evidence bits of what a payload says. */
function evidenceOf(isIpv6: bool, cell: usize, direction: u32, says: u32): u32 {
  const role = says & ~(BY_QR_BIT | ANNOUNCES);
  const other = 1 - direction;
  if ((says & BY_QR_BIT) === 0) return SERVES << (role === FROM_SERVER ? direction : other);
  if (role === FROM_CLIENT) return ASKED << direction;
  // Multicast DNS answers to a group (RFC 6762, section 6), which has asked nothing.
  const address = cell + CELL_ADDRESSES + <usize> other * addressSize(isIpv6);
  return isGroup(isIpv6, load<u32>(address)) ? 0 : ASKED << other;
}

/**
 * Whether an address stands for several hosts, and so receives only: multicast (RFC 5771, and RFC 4291,
 * section 2.7) and the limited broadcast (RFC 919). That of a subnet can't be told from a host's.
 */
// @inline
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
  const bits = load<u32>(coldOf(isIpv6, number), COLD_EVIDENCE);
  const protocol = load<u32>(stateOf(isIpv6, number)) & PROTOCOL_MASK;
  readOpener(bits, direction);
  store<u32>(FACTS_PAYLOAD_SERVER, endOf(bits, SERVES, direction));
  const firstSender = protocol === PROTOCOL_UDP ? endOf(bits, SEEN_FIRST, direction) : NEITHER;
  store<u32>(FACTS_FIRST_SENDER, firstSender);
  let source = load<u32>(reading + (<usize> direction << 2)) & ~(LISTENS | ANNOUNCED);
  let destination = load<u32>(reading + (<usize> (1 - direction) << 2)) & ~(LISTENS | ANNOUNCED);
  if ((bits & (WAS_ANNOUNCED << direction)) !== 0) source |= ANNOUNCED;
  if ((bits & (WAS_ANNOUNCED << (1 - direction))) !== 0) destination |= ANNOUNCED;
  if (hasListening) {
    if (listens(isIpv6, number, direction)) source |= LISTENS;
    if (listens(isIpv6, number, 1 - direction)) destination |= LISTENS;
  }
  store<u32>(FACTS_SOURCE_END, source);
  store<u32>(FACTS_DESTINATION_END, destination);
}

function listens(isIpv6: bool, number: u32, end: u32): bool {
  const cell = cellOf(isIpv6, number);
  const address = cell + CELL_ADDRESSES + <usize> end * addressSize(isIpv6);
  const ports = load<u32>(cell, CELL_PORTS);
  const protocol = load<u32>(cell, CELL_STATE) & PROTOCOL_MASK;
  return isListening(isIpv6, address, end === 0 ? ports >>> 16 : ports & 0xffff, protocol);
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
