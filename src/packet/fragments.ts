import { DESTINATION, PacketHeader, PROTOCOL_UDP, SOURCE } from "./packet_header.ts";

/** Datagrams of which fragments are remembered. */
const MOST_DATAGRAMS = 4096;
/** Lists of them, by the hash of what their fragments are known by. */
const LISTS = 4096;
/** Datagrams that are put together at the same time, each of up to so many bytes. */
const MOST_MESSAGES = 32;
const MESSAGE_SIZE = 65_536;
/** In units of so many bytes fragments lie in their datagram (RFC 791, section 3.1). */
const UNIT = 8;
const UNITS = MESSAGE_SIZE / UNIT;
/**
 * For how many seconds fragments are waited for, as Linux does (ip-sysctl, `ipfrag_time`). What comes
 * later is of another datagram with the same identification.
 */
const PATIENCE = 30;

// What is known of a datagram, in words. First what its fragments are known by.
const ADDRESSES = 0;
const ID = 8;
const KIND = 9;
const TUNNEL = 10;
const TUNNEL_ID = 11;
const KEY_WORDS = 12;
/** Of its first fragment: both ports, and the protocol, 0 while that was not seen. */
const PORTS = 12;
const PROTOCOL = 13;
const SECONDS = 14;
/** Later fragments that came before the first, and the bytes of their packets. */
const PACKETS = 15;
const OCTETS = 16;
/** The number of the message that is put together of it, from 1; 0 for none. */
const MESSAGE = 17;
const IS_USED = 18;
/** Where the next one of its list is, plus 1; 0 for none. */
const NEXT = 19;
const WORDS = 20;
/** In place of a message: its fragments contradict each other. */
const DISCARDED = -1;
const IPV6 = 1 << 8;

const UDP_HEADER = 8;
/** Where a UDP header has the datagram's length (RFC 768). */
const UDP_LENGTH = 4;

/**
 * Fragments of IP datagrams. Later ones have no ports: they are of the conversation that the first one is
 * of. UDP datagrams that are wanted, such as DNS answers, are put together of them.
 *
 * All of it has a bound: what is oldest gives way. Where fragments overlap, their datagram is discarded
 * (RFC 5722, for IPv4 too), since systems differ in which of the two they take.
 */
export class Fragments {
  /** Of the datagram whose first fragment was taken last: later ones that came before it. */
  packetsBefore = 0;
  /** The bytes of these packets. */
  octetsBefore = 0;
  readonly #onDatagram: (view: DataView<ArrayBuffer>, header: PacketHeader) => void;
  readonly #secret = crypto.getRandomValues(new Int32Array(KEY_WORDS));
  readonly #key = new Int32Array(KEY_WORDS);
  readonly #header = new PacketHeader();
  /** Made with the first fragment: most traffic has none. */
  #datagrams: Int32Array | null = null;
  /** Where the first one of each list is, plus 1; 0 for none. */
  readonly #lists = new Int32Array(LISTS);
  /** Where the next one is put: in the place of the oldest, once there are so many. */
  #place = 0;
  #messages: Messages | null = null;
  #second = 0;

  /** @param onDatagram Takes a datagram that is wanted; view and header are used again after that. */
  constructor(onDatagram: (view: DataView<ArrayBuffer>, header: PacketHeader) => void) {
    this.#onDatagram = onDatagram;
  }

  /** Whether any datagram is put together now. */
  get isHolding(): boolean {
    return this.#messages !== null && this.#messages.count > 0;
  }

  /**
   * Takes the first fragment of a datagram.
   *
   * @param header Its fields, with ports.
   * @param seconds When it was seen.
   * @param isWanted Whether the datagram is to be put together.
   * @returns Whether it will be: then it is not read by itself.
   */
  takeFirst(view: DataView, header: PacketHeader, seconds: number, isWanted: boolean): boolean {
    this.#second = seconds;
    const datagrams = this.#datagrams ??= new Int32Array(MOST_DATAGRAMS * WORDS);
    const at = this.#find(header) ?? this.#add();
    this.packetsBefore = datagrams[at + PACKETS];
    this.octetsBefore = datagrams[at + OCTETS];
    datagrams[at + PACKETS] = datagrams[at + OCTETS] = 0;
    datagrams[at + PORTS] = (header.sourcePort << 16) | header.destinationPort;
    datagrams[at + PROTOCOL] = header.protocol;
    if (!isWanted || header.protocol !== PROTOCOL_UDP || isCut(header)) {
      this.#forgetMessage(at);
      return false;
    }
    if (datagrams[at + MESSAGE] === 0) this.#begin(at, true);
    this.#put(at, view, header);
    return true;
  }

  /**
   * Takes another fragment than the first.
   *
   * @param header Its fields; has ports and protocol of the datagram afterwards, if they are known.
   * @param octets The bytes of its packet.
   * @returns Whether they are. If not, the fragment counts when the first one comes.
   */
  takeLater(view: DataView, header: PacketHeader, seconds: number, octets: number): boolean {
    this.#second = seconds;
    const datagrams = this.#datagrams ??= new Int32Array(MOST_DATAGRAMS * WORDS);
    const at = this.#find(header) ?? this.#add();
    if (datagrams[at + PROTOCOL] === 0) {
      datagrams[at + PACKETS]++;
      datagrams[at + OCTETS] += octets;
      const mayBeUdp = header.isIpv6 || header.fragmentProtocol === PROTOCOL_UDP;
      if (datagrams[at + MESSAGE] === 0 && mayBeUdp) this.#begin(at, false);
      this.#put(at, view, header);
      return false;
    }
    this.#put(at, view, header);
    const ports = datagrams[at + PORTS];
    header.protocol = datagrams[at + PROTOCOL];
    header.sourcePort = ports >>> 16;
    header.destinationPort = ports & 0xffff;
    header.tcpFlags = 0;
    header.payloadOffset = header.payloadEnd = header.fragmentEnd;
    return true;
  }

  /** Gives up messages of which nothing came for long. What there is of their beginning is read. */
  flush(seconds: number): void {
    const messages = this.#messages;
    if (messages === null || messages.count === 0) return;
    for (let message = 1; message <= MOST_MESSAGES; message++) {
      const at = messages.datagram[message];
      if (at >= 0 && isOld(this.#datagrams![at + SECONDS], seconds)) this.#giveUp(message);
    }
  }

  /** The same of all, at the end. */
  end(): void {
    for (let message = 1; message <= MOST_MESSAGES; message++) {
      if (this.#messages !== null && this.#messages.datagram[message] >= 0) this.#giveUp(message);
    }
  }

  /** Where the datagram of a fragment is, or `null`. Its key is noted. */
  #find(header: PacketHeader): number | null {
    const key = this.#key;
    const { isIpv6, addresses } = header;
    for (let word = 0; word < 8; word++) {
      const isThere = isIpv6 || word === SOURCE + 3 || word === DESTINATION + 3;
      key[ADDRESSES + word] = isThere ? addresses[word] : 0;
    }
    key[ID] = header.fragmentId;
    key[KIND] = header.fragmentProtocol | (isIpv6 ? IPV6 : 0);
    key[TUNNEL] = header.tunnel;
    key[TUNNEL_ID] = header.tunnelId;
    const datagrams = this.#datagrams!;
    for (let at = this.#lists[this.#listOf(key, 0)] - 1; at >= 0; at = datagrams[at + NEXT] - 1) {
      if (isOld(datagrams[at + SECONDS], this.#second)) continue;
      let word = 0;
      while (word < KEY_WORDS && datagrams[at + word] === key[word]) word++;
      if (word === KEY_WORDS) return at;
    }
    return null;
  }

  /**
   * Remembers the datagram whose key was noted, in place of the oldest: not of one that has the same
   * hash, since that is another one in each process.
   */
  #add(): number {
    const datagrams = this.#datagrams!;
    const at = this.#place;
    this.#place = (at + WORDS) % (MOST_DATAGRAMS * WORDS);
    if (datagrams[at + IS_USED] !== 0) {
      if (datagrams[at + MESSAGE] > 0) this.#giveUp(datagrams[at + MESSAGE]);
      this.#takeOutOfList(at);
    }
    datagrams.fill(0, at, at + WORDS);
    datagrams.set(this.#key, at);
    datagrams[at + SECONDS] = this.#second;
    datagrams[at + IS_USED] = 1;
    const list = this.#listOf(this.#key, 0);
    datagrams[at + NEXT] = this.#lists[list];
    this.#lists[list] = at + 1;
    return at;
  }

  #takeOutOfList(at: number): void {
    const datagrams = this.#datagrams!;
    const list = this.#listOf(datagrams, at);
    const next = datagrams[at + NEXT];
    if (this.#lists[list] === at + 1) {
      this.#lists[list] = next;
      return;
    }
    let before = this.#lists[list] - 1;
    while (datagrams[before + NEXT] !== at + 1) before = datagrams[before + NEXT] - 1;
    datagrams[before + NEXT] = next;
  }

  /** The list of a datagram whose key begins there. */
  #listOf(words: Int32Array, from: number): number {
    let hash = 0;
    for (let word = 0; word < KEY_WORDS; word++) {
      hash = Math.imul(hash ^ words[from + word] ^ this.#secret[word], 0x9e37_79b1);
      hash ^= hash >>> 15;
    }
    return (hash >>> 0) % LISTS;
  }

  /** @param mayPush Whether another message may be given up for it. */
  #begin(at: number, mayPush: boolean): void {
    const messages = this.#messages ??= new Messages();
    let message = messages.free();
    if (message === 0 && mayPush) {
      message = messages.oldest();
      this.#giveUp(message);
    }
    if (message === 0) return;
    messages.begin(message, at);
    this.#datagrams![at + MESSAGE] = message;
  }

  /** Puts a fragment into the message of its datagram, if there is one. */
  #put(at: number, view: DataView, header: PacketHeader): void {
    const message = this.#datagrams![at + MESSAGE];
    if (message <= 0) return;
    const messages = this.#messages!;
    if (isCut(header)) {
      this.#giveUp(message);
    } else if (!messages.put(message, view, header)) {
      messages.end(message);
      this.#datagrams![at + MESSAGE] = DISCARDED;
    } else if (messages.isWhole(message)) {
      this.#read(message, messages.total[message]);
      this.#forgetMessage(at);
    }
  }

  /** Reads what there is of a message's beginning, and forgets the message. */
  #giveUp(message: number): void {
    const { firstEnd, datagram } = this.#messages!;
    if (firstEnd[message] > 0) this.#read(message, firstEnd[message]);
    this.#forgetMessage(datagram[message]);
  }

  #forgetMessage(at: number): void {
    const datagrams = this.#datagrams!;
    if (datagrams[at + MESSAGE] <= 0) return;
    this.#messages!.end(datagrams[at + MESSAGE]);
    datagrams[at + MESSAGE] = 0;
  }

  /** Hands on a message up to where it is there. */
  #read(message: number, size: number): void {
    const messages = this.#messages!;
    const at = messages.datagram[message];
    const datagrams = this.#datagrams!;
    const start = message * MESSAGE_SIZE;
    const transport = start + messages.transport[message];
    const end = start + size;
    const payload = transport + UDP_HEADER;
    if (payload > end) return;
    const header = this.#header;
    for (let word = 0; word < 8; word++) header.addresses[word] = datagrams[at + ADDRESSES + word];
    header.isIpv6 = (datagrams[at + KIND] & IPV6) !== 0;
    header.protocol = datagrams[at + PROTOCOL];
    header.sourcePort = datagrams[at + PORTS] >>> 16;
    header.destinationPort = datagrams[at + PORTS] & 0xffff;
    header.tcpFlags = 0;
    header.tunnel = datagrams[at + TUNNEL];
    header.tunnelId = datagrams[at + TUNNEL_ID];
    header.transportOffset = transport;
    header.payloadOffset = payload;
    const length = messages.view.getUint16(transport + UDP_LENGTH);
    header.payloadEnd = Math.max(payload, Math.min(end, transport + length));
    this.#onDatagram(messages.view, header);
  }
}

/** Messages that are put together. Their numbers begin with 1. */
class Messages {
  readonly #bytes = new Uint8Array((MOST_MESSAGES + 1) * MESSAGE_SIZE);
  readonly view = new DataView(this.#bytes.buffer);
  /** Which units of each are there. */
  readonly #units = new Uint8Array((MOST_MESSAGES + 1) * UNITS);
  /** Where the datagram of each is, or -1. */
  readonly datagram = new Int32Array(MOST_MESSAGES + 1).fill(-1);
  /** Its bytes, once the last fragment has come. */
  readonly total = new Int32Array(MOST_MESSAGES + 1);
  /** Where the first fragment ends, and the UDP header begins in it. */
  readonly firstEnd = new Int32Array(MOST_MESSAGES + 1);
  readonly transport = new Int32Array(MOST_MESSAGES + 1);
  /** How many bytes are there, and where the furthest of them is. */
  readonly #received = new Int32Array(MOST_MESSAGES + 1);
  readonly #furthest = new Int32Array(MOST_MESSAGES + 1);
  /** In which order they began. */
  readonly #began = new Float64Array(MOST_MESSAGES + 1);
  #clock = 0;
  count = 0;

  /** A number that no message has, or 0. */
  free(): number {
    for (let message = 1; message <= MOST_MESSAGES; message++) {
      if (this.datagram[message] < 0) return message;
    }
    return 0;
  }

  /** The one that began first. */
  oldest(): number {
    let oldest = 1;
    for (let message = 2; message <= MOST_MESSAGES; message++) {
      if (this.#began[message] < this.#began[oldest]) oldest = message;
    }
    return oldest;
  }

  begin(message: number, datagram: number): void {
    this.datagram[message] = datagram;
    this.total[message] = this.firstEnd[message] = this.transport[message] = 0;
    this.#received[message] = this.#furthest[message] = 0;
    this.#began[message] = this.#clock++;
    this.#units.fill(0, message * UNITS, (message + 1) * UNITS);
    this.count++;
  }

  end(message: number): void {
    this.datagram[message] = -1;
    this.count--;
  }

  isWhole(message: number): boolean {
    return this.total[message] > 0 && this.#received[message] === this.total[message];
  }

  /**
   * Puts a fragment where it belongs.
   *
   * @returns Whether it fits to what is there. One that is there as it is fits.
   */
  put(message: number, view: DataView, header: PacketHeader): boolean {
    const { fragmentOffset: from, fragmentStart, fragmentEnd, hasMoreFragments } = header;
    const size = fragmentEnd - fragmentStart;
    const to = from + size;
    if (size === 0 || to > MESSAGE_SIZE - 1 || (hasMoreFragments && size % UNIT !== 0)) {
      return false;
    }
    const total = this.total[message];
    if (total > 0 && (to > total || (!hasMoreFragments && to !== total))) return false;
    if (!hasMoreFragments && to < this.#furthest[message]) return false;
    const fragment = new Uint8Array(view.buffer, view.byteOffset + fragmentStart, size);
    const at = message * MESSAGE_SIZE + from;
    const units = message * UNITS;
    const [firstUnit, endUnit] = [from / UNIT, Math.ceil(to / UNIT)];
    let there = 0;
    for (let unit = firstUnit; unit < endUnit; unit++) there += this.#units[units + unit];
    if (there > 0) {
      if (there < endUnit - firstUnit) return false;
      for (let i = 0; i < size; i++) if (this.#bytes[at + i] !== fragment[i]) return false;
      return true;
    }
    this.#units.fill(1, units + firstUnit, units + endUnit);
    this.#bytes.set(fragment, at);
    this.#received[message] += size;
    this.#furthest[message] = Math.max(this.#furthest[message], to);
    if (!hasMoreFragments) this.total[message] = to;
    if (from === 0) {
      this.firstEnd[message] = to;
      this.transport[message] = header.transportOffset - fragmentStart;
    }
    return true;
  }
}

/** Whether the capture has not all of a fragment. */
function isCut({ fragmentEnd, fragmentLimit }: PacketHeader): boolean {
  return fragmentEnd < fragmentLimit;
}

function isOld(since: number, seconds: number): boolean {
  return Math.abs(seconds - since) > PATIENCE;
}
