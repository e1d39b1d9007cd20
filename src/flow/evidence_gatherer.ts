import {
  DESTINATION_END,
  type EndEvidence,
  type Evidence,
  type EvidentEnd,
  NEITHER,
  SOURCE_END,
} from "../config/evidence.ts";
import { PROTOCOL_TCP, PROTOCOL_UDP, TCP_ACK, TCP_RST } from "../packet/packet_header.ts";
import { LOOKS_BITS } from "../sieve/sighting_batch.ts";
import { BY_QR_BIT } from "../payload/payload_says.ts";
import { FROM_CLIENT, FROM_SERVER, NOBODY } from "../payload/sign.ts";
import { BY_FIRST_PACKET, BY_QR, BY_SYN, BY_SYN_ACK } from "./by.ts";
import {
  COLD_EVIDENCE,
  COLD_SHIFT,
  type ConversationTable,
  HOT_ADDRESSES,
  HOT_LAST_SEEN,
  HOT_STATE,
  STATE_NEW,
  STATE_UNMET,
  STATE_WANTS_PAYLOAD,
} from "./conversation_table.ts";
import {
  type EvidenceMemory,
  type EvidenceProgram,
  FAN_IN_MASK,
  FAN_IN_SHIFT,
  OPENED,
  SERVED,
} from "./evidence_memory.ts";
import type { Fingerprint } from "./fingerprint.ts";
import { isGroup } from "./group_address.ts";
import type { LocalServices } from "./local_services.ts";

/*
 * Evidence bits of a conversation. Those about an end are there twice: for the low end, and one bit
 * further up for the high one.
 */
/** The end sent SYN without ACK. */
const SYN = 1 << 0;
/** The end sent SYN with ACK. */
const SYN_ACK = 1 << 2;
/** The end asked, or was answered, in DNS. */
const ASKED = 1 << 4;
/** The end sent the first packet, and it was watched well before. */
const SENT_FIRST = 1 << 6;
/** The end sent the first packet that was seen. */
const SEEN_FIRST = 1 << 8;
/** The end serves, by what the payload says. */
const SERVES = 1 << 10;
/** The end will send no more on this connection: its FIN, or a RST of either. */
const ENDED = 1 << 12;
const BOTH_ENDED = ENDED | (ENDED << 1);
/** In `HOT_STATE`, above the flags: how many packets with payload were looked at, in each direction. */
const LOOKED_AT_SHIFT = 16;
const LOOKED_AT_MASK = (1 << LOOKS_BITS) - 1;
const NOTHING_LOOKED_AT = (1 << LOOKED_AT_SHIFT) - 1;

/** Neither end. */
const NONE = -1;

/**
 * Nothing of an old connection is on its way after this many seconds without a packet, twice the
 * maximum segment lifetime: a SYN is then of a new one (RFC 9293, section 3.4.2).
 */
const LONGEST_DELAY = 240;

/** Payloads that are looked at in each direction: requests come early, or again and again. */
export const MOST_LOOKED_AT = 4;
const ENOUGH_LOOKS = MOST_LOOKED_AT | (MOST_LOOKED_AT << LOOKS_BITS);
/**
 * For how many seconds the sensor must have been watching for the first packet that it sees of a
 * UDP conversation to be the first there was. What goes on says something in that time: STUN's
 * keepalives come after 15 s (RFC 8445, section 11), those of WireGuard after 25 s, and most QUIC
 * connections end after 30 s of silence.
 */
const WATCHED_WELL_BEFORE = 30;

/** Gathers what speaks for who opened a conversation and who serves, and tells it to the actions. */
export class EvidenceGatherer {
  readonly #program: EvidenceProgram;
  readonly #readings: Int32Array;
  readonly #localServices: LocalServices | null;
  #watchingSince = 0;
  /** Whether any connection was noted as half open. Asking about each takes a call. */
  #knowsHalfOpen = false;

  /**
   * @param memory That of the tables whose conversations it is told of.
   * @param localServices What the host itself listens on; `null` where packets are not its own.
   */
  constructor({ program, readings }: EvidenceMemory, localServices: LocalServices | null) {
    this.#program = program;
    this.#readings = readings;
    this.#localServices = localServices;
  }

  /** Says that packets may have gone by unseen before this time. */
  noteGap(seconds: number): void {
    this.#watchingSince = seconds;
  }

  /**
   * Notes a packet with SYN of a connection that is no conversation yet.
   *
   * @param connection Its fingerprint.
   * @param direction Which end sent it, 0 for the low one.
   */
  noteHalfOpen(connection: Fingerprint, flags: number, direction: number, seconds: number): void {
    const bit = openingBit(flags, direction);
    this.#noteHalfOpen(connection, bit, seconds);
  }

  /**
   * Notes a packet with SYN of a conversation. That the connection is a new one, on the ports of the
   * old one, is believed where its sender was seen to end the old one, or that was silent for long, or
   * where the other end answered. Anyone can send a SYN in another's name, and a connection that goes
   * on does not mind.
   *
   * @param connection The conversation's fingerprint.
   * @returns Whether the conversation is another one from the next packet on.
   */
  noteOpening(
    table: ConversationTable,
    number: number,
    connection: Fingerprint,
    flags: number,
    direction: number,
    seconds: number,
  ): boolean {
    const at = (number << COLD_SHIFT) + COLD_EVIDENCE;
    const cell = number << table.hotShift;
    const bits = table.cold[at];
    const bit = openingBit(flags, direction);
    const opener = openerOf(bits);
    if (opener === openerOf(bit) && (table.hot[cell + HOT_STATE] & STATE_NEW) === 0) {
      // One that was sent again, or a new connection that the same end opened.
      table.cold[at] = (bits | bit) & ~BOTH_ENDED;
      return false;
    }
    const noted = this.#noteHalfOpen(connection, bit, seconds);
    if ((table.hot[cell + HOT_STATE] & STATE_NEW) !== 0) return false;
    const isOver = (bits & (ENDED << direction)) !== 0 ||
      seconds - (table.hot[cell + HOT_LAST_SEEN] >>> 0) > LONGEST_DELAY;
    return isOver || isAnswered(noted);
  }

  /** Notes a packet of a conversation with FIN or RST. */
  noteEnd(table: ConversationTable, number: number, flags: number, direction: number): void {
    const ended = (flags & TCP_RST) !== 0 ? BOTH_ENDED : ENDED << direction;
    table.cold[(number << COLD_SHIFT) + COLD_EVIDENCE] |= ended;
  }

  /**
   * Notes what is known of a conversation at its first packet.
   *
   * @param flags The packet's TCP control bits.
   */
  begin(
    table: ConversationTable,
    number: number,
    direction: number,
    flags: number,
    seconds: number,
  ): void {
    const cell = number << table.hotShift;
    const protocol = table.hot[cell + HOT_STATE] & 0xff;
    table.hot[cell + HOT_STATE] &= NOTHING_LOOKED_AT & ~(STATE_NEW | STATE_WANTS_PAYLOAD);
    let bits = SEEN_FIRST << direction;
    if (protocol === PROTOCOL_TCP) {
      if (this.#knowsHalfOpen) {
        bits |= this.#program.takeHalfOpenOf(table.addressWords === 4, number, seconds);
      }
      if ((flags & TCP_RST) !== 0) {
        // Who was refused opened, and nobody served.
        bits |= BOTH_ENDED;
        table.hot[cell + HOT_STATE] &= ~STATE_UNMET;
      } else this.#learnFromOpening(table, number, bits, seconds);
    } else if (
      protocol === PROTOCOL_UDP && seconds - this.#watchingSince >= WATCHED_WELL_BEFORE
    ) {
      bits |= SENT_FIRST << direction;
    }
    table.cold[(number << COLD_SHIFT) + COLD_EVIDENCE] = bits;
    if (openerOf(bits) === NONE) table.hot[cell + HOT_STATE] |= STATE_WANTS_PAYLOAD;
  }

  /**
   * Notes that the payload of a packet was looked at.
   *
   * @param says What it says: `payloadSays`.
   * @returns Whether that is something that was not known.
   */
  noteLook(
    table: ConversationTable,
    number: number,
    direction: number,
    says: number,
    seconds: number,
  ): boolean {
    const stateAt = (number << table.hotShift) + HOT_STATE;
    const state = table.hot[stateAt];
    const found = says === NOBODY ? 0 : signs(table, number, direction, says);
    if (found !== 0) {
      table.cold[(number << COLD_SHIFT) + COLD_EVIDENCE] |= found;
      this.#stopLooking(table, number);
      this.#learnFromPayload(table, number, found, seconds);
      return true;
    }
    const shift = LOOKED_AT_SHIFT + direction * LOOKS_BITS;
    table.hot[stateAt] = state + (1 << shift);
    const other = LOOKED_AT_SHIFT + (1 - direction) * LOOKS_BITS;
    const isEnough = ((state >>> shift) & LOOKED_AT_MASK) + 1 >= MOST_LOOKED_AT &&
      ((state >>> other) & LOOKED_AT_MASK) >= MOST_LOOKED_AT;
    if (isEnough) this.#stopLooking(table, number);
    return false;
  }

  /**
   * Notes how many payloads were looked at that said nothing, where that was done elsewhere.
   *
   * @param looks Of the low end and of the high one, {@linkcode LOOKS_BITS} each.
   */
  setLooks(table: ConversationTable, number: number, looks: number): void {
    const stateAt = (number << table.hotShift) + HOT_STATE;
    table.hot[stateAt] = (table.hot[stateAt] & NOTHING_LOOKED_AT) | (looks << LOOKED_AT_SHIFT);
    if (looks === ENOUGH_LOOKS) this.#stopLooking(table, number);
  }

  /** Has as many payloads looked at as at first: after SYN a conversation may be another one. */
  lookAgain(table: ConversationTable, number: number): void {
    table.hot[(number << table.hotShift) + HOT_STATE] &= NOTHING_LOOKED_AT;
  }

  /** Whether no payload of a conversation was looked at, of either end. */
  hasLookedAtNone(table: ConversationTable, number: number): boolean {
    return (table.hot[(number << table.hotShift) + HOT_STATE] >>> LOOKED_AT_SHIFT) === 0;
  }

  /** Whether enough payloads were looked at in this direction. */
  hasLookedEnough(table: ConversationTable, number: number, direction: number): boolean {
    const state = table.hot[(number << table.hotShift) + HOT_STATE];
    const shift = LOOKED_AT_SHIFT + direction * LOOKS_BITS;
    return ((state >>> shift) & LOOKED_AT_MASK) >= MOST_LOOKED_AT;
  }

  /**
   * Says all that is known of a conversation.
   *
   * @param reading Where among the readings what is known of its ends is.
   * @param direction In which direction a packet goes: 0 if its source is the low end.
   */
  read(
    table: ConversationTable,
    number: number,
    direction: number,
    reading: number,
    into: Evidence,
  ): void {
    const bits = table.cold[(number << COLD_SHIFT) + COLD_EVIDENCE];
    this.#readOpener(bits, direction, into);
    into.payloadServer = endOf(bits, SERVES, direction);
    const isUdp = (table.hot[(number << table.hotShift) + HOT_STATE] & 0xff) === PROTOCOL_UDP;
    into.firstSender = isUdp ? endOf(bits, SEEN_FIRST, direction) : NEITHER;
    readEnd(this.#readings[2 * reading + direction], into.source);
    readEnd(this.#readings[2 * reading + 1 - direction], into.destination);
    into.source.listens = this.#isListening(table, number, direction);
    into.destination.listens = this.#isListening(table, number, 1 - direction);
  }

  /** @returns Bits of all that was noted of the connection. */
  #noteHalfOpen({ first, second }: Fingerprint, bit: number, seconds: number): number {
    this.#knowsHalfOpen = true;
    return this.#program.noteHalfOpen(first, second, bit, seconds);
  }

  #readOpener(bits: number, direction: number, into: Evidence): void {
    const opener = openerOf(bits);
    if (opener !== NONE) {
      into.opener = opener === direction ? SOURCE_END : DESTINATION_END;
      into.openerBy = (bits & (SYN | (SYN << 1))) !== 0 ? BY_SYN : BY_SYN_ACK;
      return;
    }
    into.opener = endOf(bits, ASKED, direction);
    into.openerBy = BY_QR;
    if (into.opener !== NEITHER) return;
    into.opener = endOf(bits, SENT_FIRST, direction);
    into.openerBy = BY_FIRST_PACKET;
  }

  #stopLooking(table: ConversationTable, number: number): void {
    table.hot[(number << table.hotShift) + HOT_STATE] &= ~STATE_WANTS_PAYLOAD;
  }

  #learnFromOpening(
    table: ConversationTable,
    number: number,
    bits: number,
    seconds: number,
  ): void {
    const opener = openerOf(bits);
    if (opener !== NONE) this.#learn(table, number, 1 - opener, seconds);
  }

  #learnFromPayload(
    table: ConversationTable,
    number: number,
    found: number,
    seconds: number,
  ): void {
    if ((found & (SERVES | (SERVES << 1))) === 0) return;
    this.#learn(table, number, (found & SERVES) !== 0 ? 0 : 1, seconds);
  }

  #learn(table: ConversationTable, number: number, server: number, seconds: number): void {
    this.#program.learn(table.addressWords === 4, number, server, seconds);
  }

  #isListening(table: ConversationTable, number: number, end: number): boolean {
    const services = this.#localServices;
    if (services === null) return false;
    const cell = number << table.hotShift;
    const words = table.addressWords;
    const address = cell + HOT_ADDRESSES + end * words;
    const protocol = table.hot[cell + HOT_STATE] & 0xff;
    return services.has(table.hot, address, words, table.portOf(number, end), protocol);
  }
}

/** The evidence bits of what a payload says. */
function signs(table: ConversationTable, number: number, direction: number, says: number): number {
  const role = says & ~BY_QR_BIT;
  if (role === says) return SERVES << (role === FROM_SERVER ? direction : 1 - direction);
  if (role === FROM_CLIENT) return ASKED << direction;
  // Multicast DNS answers to a group (RFC 6762, section 6), which has asked nothing.
  return isGroupAddress(table, number, 1 - direction) ? 0 : ASKED << (1 - direction);
}

function openingBit(flags: number, direction: number): number {
  return ((flags & TCP_ACK) === 0 ? SYN : SYN_ACK) << direction;
}

/** Whether one end's SYN was answered by the other end's SYN-ACK. */
function isAnswered(bits: number): boolean {
  const lowIs = SYN | (SYN_ACK << 1);
  const highIs = (SYN << 1) | SYN_ACK;
  return (bits & lowIs) === lowIs || (bits & highIs) === highIs;
}

function readEnd(known: number, into: EndEvidence): void {
  into.served = (known & SERVED) !== 0;
  into.opened = (known & OPENED) !== 0;
  into.fanIn = (known >>> FAN_IN_SHIFT) & FAN_IN_MASK;
}

/** Whether an end has an address that only receives. */
function isGroupAddress(table: ConversationTable, number: number, end: number): boolean {
  const words = table.addressWords;
  return isGroup(words, table.hot[(number << table.hotShift) + HOT_ADDRESSES + end * words]);
}

/**
 * Which end opened a connection by its evidence bits, 0 for the low one, or {@linkcode NONE}. Both is
 * none: in a simultaneous open neither is the client (RFC 9293, section 3.5).
 */
function openerOf(bits: number): number {
  const lowOpened = (bits & (SYN | (SYN_ACK << 1))) !== 0;
  const highOpened = (bits & ((SYN << 1) | SYN_ACK)) !== 0;
  if (lowOpened === highOpened) return NONE;
  return lowOpened ? 0 : 1;
}

/** Which end of a packet has one of a pair of bits; neither when both or none have it. */
function endOf(bits: number, low: number, direction: number): EvidentEnd {
  const isLow = (bits & low) !== 0;
  const isHigh = (bits & (low << 1)) !== 0;
  if (isLow === isHigh) return NEITHER;
  return isLow === (direction === 0) ? SOURCE_END : DESTINATION_END;
}
