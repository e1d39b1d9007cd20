/*
 * Ports that were announced in a control connection, as by FTP: who connects there next is a client. There
 * is room for so many, and the oldest make room.
 */
import {
  ANNOUNCED_ADDRESS,
  ANNOUNCED_ENDS,
  MOST_ANNOUNCED,
  PACKET_ABOUT,
  PACKET_ADDRESSES,
  PACKET_PAYLOAD,
  PACKET_PAYLOAD_SIZE,
  PROTOCOL_MASK,
} from "../layout";
import { add, change, fillChains, find, secondsSince, setUpTable } from "./aged_table";
import { addressSize, directionOf } from "./cells";
import { second } from "./clock";
import { firstHalf, secondHalf, sumForFirst, sumForSecond } from "./fingerprint";
import { readAnnouncements } from "./host";

/** How long, in seconds, a connection to an announced port may be waited for. */
const LONGEST_WAIT_SECONDS: i64 = 300;

let isUsed: bool = false;
let itsFirst: u32 = 0;
let itsSecond: u32 = 0;
/** Of the packet that is read. */
let sender: usize = 0;
let isSenderIpv6: bool = false;

/** Makes the table empty. */
export function setUpAnnounced(): void {
  setUpTable(ANNOUNCED_ENDS, MOST_ANNOUNCED);
}

/** Has a packet of a control connection read, if its payload begins as those that announce something. */
export function announceBy(isIpv6: bool, packet: usize): void {
  const payload: usize = load<u32>(packet, PACKET_PAYLOAD);
  const size: usize = load<u16>(packet, PACKET_PAYLOAD_SIZE);
  if (size < 8 || !mayAnnounce(load<u32>(payload))) return;
  const about = load<u32>(packet, PACKET_ABOUT);
  sender = packet + PACKET_ADDRESSES + <usize> directionOf(about) * addressSize(isIpv6);
  isSenderIpv6 = isIpv6;
  readAnnouncements(about & PROTOCOL_MASK, payload, payload + size);
}

/** By the first bytes: "227 ", "229 ", "PORT", "EPRT", "RTSP", "SIP/", "PRIV", "NOTI", ":". */
function mayAnnounce(word: u32): bool {
  return word === 0x2037_3232 || word === 0x2039_3232 || word === 0x5452_4f50 ||
    word === 0x5452_5045 || word === 0x5053_5452 || word === 0x2f50_4953 ||
    word === 0x5649_5250 || word === 0x4954_4f4e || (word & 0xff) === 0x3a;
}

/**
 * Notes that somebody will connect to a port.
 *
 * @param family 4 or 6 of the address that was put into the memory; 0 for that of the packet's sender.
 */
export function announce(family: u32, port: u32, protocol: u32): void {
  if (!isUsed) {
    fillChains(ANNOUNCED_ENDS);
    isUsed = true;
  }
  if (family === 0) identifyEnd(isSenderIpv6, sender, port, protocol);
  else if (family === 4) identifyEnd(false, ANNOUNCED_ADDRESS + 12, port, protocol);
  else identifyEnd(true, ANNOUNCED_ADDRESS, port, protocol);
  let at = find(ANNOUNCED_ENDS, itsFirst, itsSecond);
  if (at === 0) at = add(ANNOUNCED_ENDS, itsFirst, itsSecond);
  change(ANNOUNCED_ENDS, at, 0, second, 0);
}

/** Whether a connection to this end was announced a while ago at most. */
export function isAnnounced(isIpv6: bool, address: usize, port: u32, protocol: u32): bool {
  if (!isUsed) return false;
  identifyEnd(isIpv6, address, port, protocol);
  const at = find(ANNOUNCED_ENDS, itsFirst, itsSecond);
  return at !== 0 && secondsSince(at, second) <= LONGEST_WAIT_SECONDS;
}

function identifyEnd(isIpv6: bool, address: usize, port: u32, protocol: u32): void {
  const portAndProtocol = (port << 8) | protocol;
  const word = isIpv6 ? 0 : load<u32>(address);
  const size: usize = isIpv6 ? 16 : 0;
  itsFirst = firstHalf(portAndProtocol, word, sumForFirst(address, size, 0));
  itsSecond = secondHalf(portAndProtocol, word, sumForSecond(address, size, 0));
}
