import { FIRST, FROM_CLIENT, FROM_SERVER, NOBODY, type Role, type Sign, wordIn } from "./sign.ts";

/** STUN has this after its length: RFC 8489, section 5. */
const MAGIC_COOKIE = 0x2112a442;
const HEADER = 20;
/** The two bits of a message's type that are its class, and the others, which are its method. */
const CLASS = 0x0110;
const REQUEST = 0x0000;
const INDICATION = 0x0010;
const BINDING = 0x0001;

/** Attributes: RFC 8489, section 18.3, and RFC 8445, section 16.1. */
const MESSAGE_INTEGRITY = 0x0008;
const PRIORITY = 0x0024;
const USE_CANDIDATE = 0x0025;
const ICE_CONTROLLED = 0x8029;
const ICE_CONTROLLING = 0x802a;

/**
 * What a STUN message says of who sent it: RFC 8489, section 5. Not those with which two peers find a
 * way to each other (ICE, RFC 8445): each of them asks, and each answers.
 */
function stunRole(view: DataView, start: number, end: number): Role {
  if (end - start < HEADER || view.getUint32(start + 4) !== MAGIC_COOKIE) return NOBODY;
  const type = view.getUint16(start);
  const messageClass = type & CLASS;
  if (messageClass === INDICATION) return NOBODY;
  const isRequest = messageClass === REQUEST;
  if ((type & ~CLASS) === BINDING && isBetweenPeers(view, start, end, isRequest)) return NOBODY;
  return isRequest ? FROM_CLIENT : FROM_SERVER;
}

/** A message that is not there as a whole may be one. */
function isBetweenPeers(view: DataView, start: number, end: number, isRequest: boolean): boolean {
  const messageEnd = start + HEADER + view.getUint16(start + 2);
  if (messageEnd > end) return true;
  for (let at = start + HEADER; at + 4 <= messageEnd;) {
    const attribute = view.getUint16(at);
    // Their answers differ from others in that they are authenticated: RFC 8445, section 7.3.
    if (isRequest ? isOfIce(attribute) : attribute === MESSAGE_INTEGRITY) return true;
    at += 4 + ((view.getUint16(at + 2) + 3) & ~3);
  }
  return false;
}

function isOfIce(attribute: number): boolean {
  return attribute === PRIORITY || attribute === USE_CANDIDATE || attribute === ICE_CONTROLLED ||
    attribute === ICE_CONTROLLING;
}

/** STUN over UDP, and over TCP (RFC 8489, section 6.2.2). */
export const stun: Sign = {
  protocol: "STUN",
  firstBytes: [0x00, 0x01],
  atLeast: HEADER,
  words: wordIn(4, [MAGIC_COOKIE]),
  read: stunRole,
};

/**
 * STUN in the frames of RFC 4571, as ICE uses it over TCP: whoever opened the connection asks first
 * (RFC 6544, section 7.1).
 */
export const framedStun: Sign = {
  protocol: "STUN in frames",
  firstBytes: [0x00],
  atLeast: 2 + HEADER,
  words: wordIn(6, [MAGIC_COOKIE]),
  read(view, start, end, _port, order) {
    if (view.getUint16(start) + 2 !== end - start) return NOBODY;
    const message = start + 2;
    if (view.getUint32(message + 4) !== MAGIC_COOKIE) return NOBODY;
    if (order === FIRST && (view.getUint16(message) & CLASS) === REQUEST) return FROM_CLIENT;
    return stunRole(view, message, end);
  },
};
