/*
 * Lines of JSON of what is a number, in AssemblyScript: `deno task wasm` makes `json_program.ts` of it.
 * Names, and what else others may have chosen, are added by `JsonLines`. `json_layout.ts` says what lies
 * where.
 */
import { communityId } from "../../model/assembly/community_id";
import {
  IPV6_BIT,
  KIND_CLIENT,
  KIND_FLOW,
  KIND_ICMP,
  KIND_PEER,
  KIND_RST,
  TUNNEL_KIND_SHIFT,
  WORD_A,
  WORD_ABOUT,
  WORD_B,
  WORD_KIND,
  WORD_PORTS,
  WORD_SECONDS,
  WORD_TUNNEL,
} from "../../model/observation_layout";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "../../model/protocol_numbers";
import {
  RECORD_CLIENT,
  RECORD_FIRST,
  RECORD_FLAGS,
  RECORD_HEAD,
  RECORD_ID,
  RECORD_LAST,
  RECORD_LINK,
  RECORD_MILLISECONDS,
  RECORD_OCTETS,
  RECORD_PACKETS,
  RECORD_PORTS,
  RECORD_PROTOCOL_SHIFT,
  RECORD_REASON_SHIFT,
  RECORD_SERVER,
  RECORD_TUNNEL,
  RECORD_TUNNEL_ID,
} from "../../model/record_layout";
import { NO_TUNNEL } from "../../model/tunnel_numbers";
import {
  ADDRESS_LENGTH,
  ADDRESS_SHIFT,
  ADDRESS_TEXT,
  ADDRESSES,
  ADDRESSES_COUNT,
  BY,
  BYTES,
  CLIENT,
  CLIENT_COUNT,
  CLIENT_KEY,
  CLIENT_PORT,
  CODE,
  COMMUNITY_ID,
  END_KEY,
  FIRST,
  FLAGS,
  FLOW_KEY,
  ICMP_KEY,
  ID,
  KEY,
  LAST,
  PACKETS,
  PEER,
  PEER_KEY,
  PORT,
  PROTOCOL,
  QUOTE,
  REASONS,
  RST_KEY,
  SCRATCH,
  SECOND_LENGTH,
  SECOND_SHIFT,
  SECOND_TEXT,
  SECONDS,
  SECONDS_COUNT,
  SERVER,
  START,
  START_END,
  STATE,
  STATES,
  TCP,
  TEXT_SHIFT,
  TEXTS,
  TUNNEL,
  TUNNELS,
  UDP,
  VLAN,
} from "../json_layout";
import { addressText, secondText } from "./host";

const COMMA: u32 = 0x2c;
const COLON: u32 = 0x3a;
const SEMICOLON: u32 = 0x3b;
const CLOSING_BRACKET: u32 = 0x5d;
const DOT: u32 = 0x2e;
const SPACE: u32 = 0x20;
const LETTER_Z: u32 = 0x5a;
const DIGIT_0: u32 = 0x30;
/** 2^32 divided by the golden ratio (Fibonacci hashing). */
const GOLDEN: u32 = 0x9e3779b1;

/** The end of what was written. Each function that puts something moves it. */
let at: usize = 0;
/** Both addresses, where they were written first. */
let one: usize = 0;
let oneLength: usize = 0;
let other: usize = 0;
let otherLength: usize = 0;

/**
 * An observation, up to what is behind the figures of a flow.
 *
 * @param record That of a flow's conversation, or 0.
 * @returns The end of what was written.
 */
export function observation(into: usize, observation: usize, record: usize): usize {
  at = into;
  const head = load<u32>(observation + (WORD_KIND << 2));
  const isIpv6 = (head & IPV6_BIT) !== 0;
  const kind = head & 0xff;
  const ports = load<u32>(observation + (WORD_PORTS << 2));
  const about = load<u32>(observation + (WORD_ABOUT << 2));
  const protocol = (about >>> 8) & 0xff;
  putText(START + kind);
  putTime(load<u32>(observation + (WORD_SECONDS << 2)), 0);
  putText(KEY);
  if (kind === KIND_CLIENT) {
    putText(CLIENT_KEY);
    one = at;
    putAddress(isIpv6, observation + (WORD_A << 2));
    oneLength = at - one;
    putText(CLIENT_COUNT);
    putAgain(one, oneLength);
    putText(QUOTE);
    return at;
  }
  putAddresses(isIpv6, observation + (WORD_A << 2), observation + (WORD_B << 2));
  if (kind === KIND_PEER) {
    putText(PEER_KEY);
    putAgain(one, oneLength);
    putText(PEER);
    putAgain(other, otherLength);
    putText(QUOTE);
    return at;
  }
  putCharacter(SEMICOLON);
  if (kind === KIND_FLOW) {
    putNumber(ports);
    putText(FLOW_KEY);
    putText(REASONS + (about & 0xff));
    putText(QUOTE);
    putEnds(record !== 0, record === 0 ? 0 : clientPortOf(record), ports, protocol);
    if (record !== 0) putFigures(record);
    return at;
  }
  putNumber(ports >>> 16);
  putCharacter(COLON);
  putNumber(ports & 0xffff);
  const code = (head >>> 16) & 0xff;
  if (kind === KIND_RST) {
    putText(RST_KEY);
  } else {
    putCharacter(SEMICOLON);
    putNumber(code);
    putText(ICMP_KEY);
  }
  putEnds(true, ports >>> 16, ports & 0xffff, protocol);
  if (kind === KIND_ICMP) {
    putText(CODE);
    putNumber(code);
  }
  return at;
}

/** A conversation that is over, up to what is behind its figures. @returns The end of what was written. */
export function end(into: usize, record: usize): usize {
  at = into;
  const head = load<u32>(record + (RECORD_HEAD << 2));
  const port = load<u32>(record + (RECORD_PORTS << 2)) & 0xffff;
  putText(START_END);
  putLast(record);
  putText(KEY);
  putAddresses(
    (head & IPV6_BIT) !== 0,
    record + (RECORD_CLIENT << 2),
    record + (RECORD_SERVER << 2),
  );
  putCharacter(SEMICOLON);
  putNumber(port);
  putText(END_KEY);
  putEnds(true, clientPortOf(record), port, (head >>> RECORD_PROTOCOL_SHIFT) & 0xff);
  putText(BY);
  putText(REASONS + (head >>> RECORD_REASON_SHIFT));
  putText(QUOTE);
  putFigures(record);
  return at;
}

/** The VLAN and the tunnel of an observation of a flow. @returns The end of what was written. */
export function flowLinks(into: usize, observation: usize, record: usize): usize {
  at = into;
  if (record !== 0) putVlan(record);
  putTunnel(
    (load<u32>(observation + (WORD_ABOUT << 2)) >>> TUNNEL_KIND_SHIFT) & 0xff,
    load<u32>(observation + (WORD_TUNNEL << 2)),
  );
  return at;
}

/** VLAN, flags and tunnel of a conversation that is over. @returns The end of what was written. */
export function endLinks(into: usize, record: usize): usize {
  at = into;
  putVlan(record);
  const flags = load<u32>(record + (RECORD_FLAGS << 2));
  putText(FLAGS);
  putNumber(flags & 0xff);
  putCharacter(COMMA);
  putNumber((flags >>> 8) & 0xff);
  putCharacter(CLOSING_BRACKET);
  putTunnel(load<u32>(record + (RECORD_TUNNEL << 2)), load<u32>(record + (RECORD_TUNNEL_ID << 2)));
  return at;
}

/** Both ends, the client's port where it is known, and the protocol. */
function putEnds(hasClientPort: bool, clientPort: u32, port: u32, protocol: u32): void {
  putText(CLIENT);
  putAgain(one, oneLength);
  putText(QUOTE);
  if (hasClientPort) {
    putText(CLIENT_PORT);
    putNumber(clientPort);
  }
  putText(SERVER);
  putAgain(other, otherLength);
  putText(PORT);
  putNumber(port);
  putText(PROTOCOL);
  if (protocol === PROTOCOL_TCP) putText(TCP);
  else if (protocol === PROTOCOL_UDP) putText(UDP);
  else putNumber(protocol);
  putText(QUOTE);
}

function putCommunityId(record: usize): void {
  const head = load<u32>(record + (RECORD_HEAD << 2));
  const ports = load<u32>(record + (RECORD_PORTS << 2));
  at = communityId(
    at,
    SCRATCH,
    (head & IPV6_BIT) !== 0,
    record + (RECORD_CLIENT << 2),
    record + (RECORD_SERVER << 2),
    ports >>> 16,
    ports & 0xffff,
    (head >>> RECORD_PROTOCOL_SHIFT) & 0xff,
    0,
  );
}

function putFigures(record: usize): void {
  putText(ID);
  putWideNumber(load<u64>(record + (RECORD_ID << 2)));
  putText(COMMUNITY_ID);
  putCommunityId(record);
  putText(STATE);
  putText(STATES + (load<u32>(record + (RECORD_HEAD << 2)) & 0xff));
  putText(PACKETS);
  putPair(record + (RECORD_PACKETS << 2));
  putText(BYTES);
  putPair(record + (RECORD_OCTETS << 2));
  putText(FIRST);
  putTime(
    load<u32>(record + (RECORD_FIRST << 2)),
    load<u32>(record + (RECORD_MILLISECONDS << 2)) & 0xffff,
  );
  putText(LAST);
  putLast(record);
  putText(QUOTE);
}

function putPair(numbers: usize): void {
  putWideNumber(load<u64>(numbers));
  putCharacter(COMMA);
  putWideNumber(load<u64>(numbers, 8));
}

function putLast(record: usize): void {
  putTime(
    load<u32>(record + (RECORD_LAST << 2)),
    load<u32>(record + (RECORD_MILLISECONDS << 2)) >>> 16,
  );
}

function putVlan(record: usize): void {
  const vlan = load<u32>(record + (RECORD_LINK << 2)) & 0xffff;
  if (vlan === 0) return;
  putText(VLAN);
  putNumber(vlan);
}

function putTunnel(kind: u32, id: u32): void {
  if (kind === NO_TUNNEL) return;
  putText(TUNNEL);
  putText(TUNNELS + kind);
  if (id !== 0) {
    putCharacter(SPACE);
    putNumber(id);
  }
  putText(QUOTE);
}

// @inline
function clientPortOf(record: usize): u32 {
  return load<u32>(record + (RECORD_PORTS << 2)) >>> 16;
}

/** Both addresses as a key has them, for those that come again. */
function putAddresses(isIpv6: bool, first: usize, second: usize): void {
  one = at;
  putAddress(isIpv6, first);
  oneLength = at - one;
  putCharacter(SEMICOLON);
  other = at;
  putAddress(isIpv6, second);
  otherLength = at - other;
}

/** @param address Four words in network order, IPv4 in the last of them. */
function putAddress(isIpv6: bool, address: usize): void {
  if (isIpv6) return putIpv6(address);
  const word = load<u32>(address, 12);
  putNumber(word >>> 24);
  putCharacter(DOT);
  putNumber((word >>> 16) & 0xff);
  putCharacter(DOT);
  putNumber((word >>> 8) & 0xff);
  putCharacter(DOT);
  putNumber(word & 0xff);
}

/** How zeros are left out, `addressText` knows. */
function putIpv6(address: usize): void {
  const low = load<u64>(address);
  const high = load<u64>(address, 8);
  const both = low ^ high;
  const slot = ((<u32> both ^ <u32> (both >>> 32)) * GOLDEN) >>> 16 & (ADDRESSES_COUNT - 1);
  const entry: usize = ADDRESSES + (slot << ADDRESS_SHIFT);
  const isKnown = load<u64>(entry) === low && load<u64>(entry, 8) === high &&
    load<u32>(entry + ADDRESS_LENGTH) !== 0;
  if (!isKnown) {
    store<u64>(entry, low);
    store<u64>(entry, high, 8);
    store<u32>(entry + ADDRESS_LENGTH, addressText(address, entry + ADDRESS_TEXT));
  }
  putAgain(entry + ADDRESS_TEXT, load<u32>(entry + ADDRESS_LENGTH));
}

/** RFC 3339, in UTC. */
function putTime(second: u32, milliseconds: u32): void {
  const entry: usize = SECONDS + ((second & (SECONDS_COUNT - 1)) << SECOND_SHIFT);
  if (load<u32>(entry) !== second || load<u32>(entry + SECOND_LENGTH) === 0) {
    store<u32>(entry, second);
    store<u32>(entry + SECOND_LENGTH, secondText(second, entry + SECOND_TEXT));
  }
  putAgain(entry + SECOND_TEXT, load<u32>(entry + SECOND_LENGTH));
  putCharacter(DIGIT_0 + milliseconds / 100);
  putCharacter(DIGIT_0 + milliseconds / 10 % 10);
  putCharacter(DIGIT_0 + milliseconds % 10);
  putCharacter(LETTER_Z);
}

/** Puts one of our texts, and what is behind it, which is written over next. */
// @inline
function putText(number: u32): void {
  const text: usize = TEXTS + (number << TEXT_SHIFT);
  v128.store(at, v128.load(text, 1));
  v128.store(at, v128.load(text, 17), 16);
  at += load<u8>(text);
}

/** Puts what stands elsewhere, up to 48 bytes, and what is behind it. */
function putAgain(text: usize, length: usize): void {
  v128.store(at, v128.load(text));
  v128.store(at, v128.load(text, 16), 16);
  v128.store(at, v128.load(text, 32), 32);
  at += length;
}

// @inline
function putCharacter(character: u32): void {
  store<u8>(at, character);
  at++;
}

function putNumber(number: u32): void {
  let digits: usize = 1;
  for (let most: u32 = 10; digits < 10 && number >= most; digits++) most *= 10;
  at += digits;
  let rest = number;
  for (let place = at; digits !== 0; digits--) {
    place--;
    store<u8>(place, DIGIT_0 + rest % 10);
    rest /= 10;
  }
}

function putWideNumber(number: u64): void {
  if (number >>> 32 === 0) return putNumber(<u32> number);
  let digits: usize = 0;
  for (let rest = number; rest !== 0; rest /= 10) digits++;
  at += digits;
  let rest = number;
  for (let place = at; rest !== 0; rest /= 10) {
    place--;
    store<u8>(place, <u8> (DIGIT_0 + <u32> (rest % 10)));
  }
}
