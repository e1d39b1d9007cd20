import type { PacketBatch, RecordFormat } from "../capture/packet_batch.ts";
import type { Cidr } from "../config/cidr.ts";
import { maskWords } from "../config/prefix_mask.ts";
import { isLate } from "../flow/late.ts";
import { aboutPacket, portsOf } from "../flow/packet_list.ts";
import { WindowClock } from "../flow/window_clock.ts";
import { decode } from "../packet/decode.ts";
import { NOBODY } from "../payload/sign.ts";
import { makeSignFilter } from "../payload/sign_filter.ts";
import { payloadSays } from "../payload/payload_says.ts";
import { TRANSPORT, UNREACHABLE } from "../packet/decoded.ts";
import { DESTINATION, PacketHeader, SOURCE } from "../packet/packet_header.ts";
import type { UndecodedCounts } from "../packet/undecoded_counts.ts";
import { compileProgram, startProgram } from "../wasm_program.ts";
import { PROGRAM } from "./program.ts";
import { SAYS_LATER_SHIFT, SIGHTING_ABOUT, SIGHTING_SAYS } from "./sighting_batch.ts";
import {
  GROUP,
  LOOKED_END,
  LOOKED_FROM,
  LOOKED_HEAD,
  LOOKED_PORTS,
  LOOKED_WORDS,
  SECRETS,
  sieveInput,
  SieveLayout,
  type SieveOutput,
  type SieveSettings,
  TABLE_CELLS,
  TABLE_COUNT,
  TABLE_FORGOTTEN,
  TABLE_INDEX,
  TABLE_LIMIT,
  TABLE_OWN,
  TABLE_OWN_COUNT,
  undecodedCounts,
} from "./sieve_memory.ts";

/** What `assembly/sieve.ts` exports, by names that say what it is. */
interface SieveProgram {
  setUp(
    tables: number,
    lists: number,
    scratch: number,
    readPorts: number,
    signFilter: number,
    looked: number,
    secrets: number,
  ): void;
  setUpInput(
    bytes: number,
    offset: number,
    captured: number,
    linkType: number,
  ): void;
  setRecords(
    from: number,
    end: number,
    most: number,
    header: number,
    mostBytes: number,
    isBigEndian: number,
    linkType: number,
  ): void;
  siftRecords(): number;
  recordsTaken(): number;
  recordSecond(): number;
  recordPacket(): number;
  recordCaptured(): number;
  plainPackets(): number;
  begin(words: number): void;
  end(): number;
  setTime(second: number, window: number): void;
  sendTime(second: number): void;
  addOther(at: number, captured: number, linkType: number): void;
  sendAllAgain(): void;
  decode(from: number, to: number): number;
  setPayload(from: number, end: number): void;
  add4(source: number, destination: number, ports: number, about: number): void;
  next6(): number;
  add6(ports: number, about: number): void;
  lookUp(): void;
  toBeLookedAt(): number;
  queries(): number;
}

// While this module is loaded in a thread of its own, the other one is still far from asking for a sieve.
const SIGN_FILTER = makeSignFilter();
compileProgram(PROGRAM);

/** Less than the bits of a window that it knows a packet's by. */
const CYCLE_BITS = 14;
/** Why the program has stopped taking records; otherwise, a packet is not as most are. */
const STOP_END = 0;
const STOP_TIME = 1;
const WORD = 4;

/**
 * Decodes packets, knows their conversations, and sends on the few among them that may change
 * something for a `FlowMeter`: a conversation's first packet and the first of each direction in a
 * window of time, its first payloads, and whatever opens, ends or refuses a connection.
 *
 * The inner loops are WebAssembly (`assembly/sieve.ts`), and run as fast at the first packet as at the
 * last one; what is not as most packets are is decoded here.
 */
export class Sieve {
  readonly #program: SieveProgram;
  readonly #readPorts: Uint8Array;
  readonly #anew: Int32Array;
  #anewSeen = 0;
  readonly #header = new PacketHeader();
  readonly #undecoded: UndecodedCounts;
  readonly #words: Int32Array;
  /** The words of each family's table. */
  readonly #tables: readonly Int32Array[];
  /** The bytes that the program sees, whatever those of the input are at present. */
  readonly #memory: Uint8Array<ArrayBufferLike>;
  readonly #view: DataView<ArrayBufferLike>;
  /** Word of the first payload that is to be looked at. */
  readonly #looked: number;
  #second = 0;
  /** The time that was sent on last, which may be earlier. */
  #sentSecond = -1;
  readonly #input: PacketBatch;
  readonly #clock = new WindowClock();

  /** @param memory As `sieveMemory` makes it of the same settings. */
  constructor(memory: WebAssembly.Memory, settings: SieveSettings) {
    const layout = new SieveLayout(settings);
    const { buffer } = memory;
    this.#words = new Int32Array(buffer);
    this.#readPorts = settings.readPorts;
    this.#anew = settings.anew;
    new Uint8Array(buffer).set(settings.readPorts, layout.readPorts);
    this.#tables = layout.families.map(({ table, cells, index, own }, i) => {
      const words = new Int32Array(buffer, table, 16);
      const networks = settings.ownNetworks.filter(({ family }) => family === (i === 0 ? 4 : 6));
      words[TABLE_CELLS] = cells;
      words[TABLE_INDEX] = index;
      words[TABLE_LIMIT] = settings.maxConversations;
      words[TABLE_OWN] = own;
      words[TABLE_OWN_COUNT] = networks.length;
      this.#words.set(networks.flatMap(i === 0 ? valueAndMask4 : valueAndMask6), own / WORD);
      return words;
    });
    this.#program = startProgram<SieveProgram>(PROGRAM, memory);
    const { tables, lists, scratch, readPorts, signFilter, looked, secrets, input } = layout;
    this.#words.set(SIGN_FILTER, signFilter / WORD);
    // Unknown to whoever sends us packets, so that they can't be made to fall into one slot.
    this.#words.set(crypto.getRandomValues(new Int32Array(SECRETS / WORD)), secrets / WORD);
    this.#program
      .setUp(tables, lists, scratch, readPorts, signFilter, looked, secrets);
    this.#looked = looked / WORD;
    this.#undecoded = undecodedCounts(buffer, layout);
    const { bytes, offset, captured, linkType } = input;
    this.#program.setUpInput(bytes, offset, captured, linkType);
    this.#input = sieveInput(buffer, layout);
    this.#memory = this.#input.bytes;
    this.#view = this.#input.view;
    this.#program.setTime(this.#second, this.#clock.window);
  }

  /** The batch that is sifted, without packets, for a source to fill. */
  newInput(): PacketBatch {
    this.#input.setBytes(this.#memory);
    this.#input.count = 0;
    this.#input.takeRecords = null;
    return this.#input;
  }

  /**
   * Sifts packets of {@linkcode Sieve.newInput}, as many as there is room for, and one at least.
   *
   * @param from The index of the first.
   * @param room Where to put what is sent on.
   * @param output Is there afterwards.
   * @returns The index after the last packet.
   */
  sift(from: number, room: number, output: SieveOutput): number {
    const { seconds } = this.#input;
    const program = this.#program;
    const end = this.#takeBytes(from);
    const decoded = this.#begin(room, output);
    for (let i = from; i < end;) {
      const most = Math.min(end, i + GROUP);
      const second = seconds[i];
      let groupEnd = i + 1;
      while (groupEnd < most && seconds[groupEnd] === second) groupEnd++;
      this.#setTime(second);
      this.#decode(i, groupEnd, decoded);
      program.lookUp();
      i = groupEnd;
    }
    this.#end(output);
    return end;
  }

  /**
   * Sifts records of a saved capture, as {@linkcode PacketBatch.takeRecords} takes them, as many as a
   * batch may have. It is faster than an index of them.
   *
   * @param room Where to put what is sent on.
   * @param output Is there afterwards.
   * @returns The place after the last that was taken, and how many there were.
   */
  siftRecords(
    { header, littleEndian, linkType, most }: RecordFormat,
    from: number,
    end: number,
    room: number,
    output: SieveOutput,
  ): { taken: number; count: number } {
    const program = this.#program;
    const { bytes, capacity } = this.#input;
    // The program sees its own memory only.
    if (bytes !== this.#memory) return { taken: from, count: 0 };
    const decoded = this.#begin(room, output);
    program.setRecords(from, end, capacity, header, most, littleEndian ? 0 : 1, linkType);
    let others = 0;
    for (let stop; (stop = program.siftRecords()) !== STOP_END;) {
      if (stop === STOP_TIME) {
        this.#setTime(program.recordSecond() >>> 0);
      } else {
        others++;
        this.#decodeOther(program.recordPacket(), program.recordCaptured(), linkType, decoded);
      }
    }
    const plain = program.plainPackets();
    decoded[TRANSPORT] += plain;
    this.#end(output);
    return { taken: program.recordsTaken(), count: plain + others };
  }

  /** @returns Where packets are counted by what becomes of them. */
  #begin(room: number, output: SieveOutput): Int32Array {
    const program = this.#program;
    output.moveTo(room);
    program.begin(output.from * WORD);
    const anew = Atomics.load(this.#anew, 0);
    if (anew !== this.#anewSeen) program.sendAllAgain();
    this.#anewSeen = anew;
    return output.decoded.fill(0);
  }

  #end(output: SieveOutput): void {
    const program = this.#program;
    this.#lookAtPayloads(program.toBeLookedAt(), output.view);
    const [ipv4, ipv6] = this.#tables;
    output.setSifted(
      program.end() / WORD,
      ipv4[TABLE_COUNT] + ipv6[TABLE_COUNT],
      ipv4[TABLE_FORGOTTEN] + ipv6[TABLE_FORGOTTEN],
      program.queries(),
    );
  }

  /**
   * Takes the bytes of packets that are elsewhere, as a window that has grown for a long record is.
   *
   * @returns The index after those that there was room for.
   */
  #takeBytes(from: number): number {
    const { bytes, offset, captured, count } = this.#input;
    if (bytes === this.#memory || from === count) return count;
    const room = this.#memory.length;
    const first = offset[from];
    // Nothing is read of what is further from a packet's beginning.
    captured[from] = Math.min(captured[from], room);
    let end = from + 1;
    while (end < count && offset[end] + captured[end] - first <= room) end++;
    this.#memory.set(bytes.subarray(first, offset[end - 1] + captured[end - 1]));
    for (let i = from; i < end; i++) offset[i] -= first;
    return end;
  }

  /** Keeps the time that a `FlowMeter` keeps. */
  #setTime(second: number): void {
    const program = this.#program;
    if (second === this.#sentSecond) return;
    this.#sentSecond = second;
    program.sendTime(second);
    if (second === this.#second || isLate(second, this.#second)) return;
    this.#second = second;
    const before = this.#clock.window;
    this.#clock.set(second);
    const { window } = this.#clock;
    // The program knows a window by its last bits, and must not take an old one for the present.
    if (before >>> CYCLE_BITS !== window >>> CYCLE_BITS) program.sendAllAgain();
    program.setTime(second, window);
  }

  /** @param decoded Counts packets by what becomes of them. */
  #decode(from: number, end: number, decoded: Int32Array): void {
    const program = this.#program;
    const { offset, captured, linkType } = this.#input;
    for (let i = from;; i++) {
      const first = i;
      i = program.decode(i, end);
      decoded[TRANSPORT] += i - first;
      if (i === end) return;
      this.#decodeOther(offset[i], captured[i], linkType[i], decoded);
    }
  }

  /** Decodes a packet that is not as most are. */
  #decodeOther(start: number, captured: number, linkType: number, decoded: Int32Array): void {
    const program = this.#program;
    const header = this.#header;
    const outcome = decode(this.#view, start, start + captured, linkType, header);
    decoded[outcome]++;
    const isWanted = outcome === TRANSPORT
      ? this.#readPorts[header.sourcePort] !== 0
      : outcome === UNREACHABLE;
    if (isWanted) program.addOther(start, captured, linkType);
    if (outcome === TRANSPORT) this.#add();
    else if (outcome !== UNREACHABLE) this.#undecoded.note(outcome, linkType, header);
  }

  /** Says with the sightings that were just sent on what their payloads say. */
  #lookAtPayloads(count: number, view: DataView<ArrayBufferLike>): void {
    const words = this.#words;
    for (let at = this.#looked, end = at + count * LOOKED_WORDS; at < end; at += LOOKED_WORDS) {
      const head = words[at + LOOKED_HEAD] / WORD;
      const protocol = words[head + SIGHTING_ABOUT] & 0xff;
      const ports = words[at + LOOKED_PORTS];
      words[head + SIGHTING_SAYS] |= says(
        protocol,
        view,
        words[at + LOOKED_FROM],
        words[at + LOOKED_END],
        ports,
      );
    }
  }

  #add(): void {
    const program = this.#program;
    const header = this.#header;
    const { addresses } = header;
    const ports = portsOf(header);
    const about = aboutPacket(header);
    program.setPayload(header.payloadOffset, header.payloadEnd);
    if (header.isIpv6) {
      this.#words.set(addresses, program.next6() / WORD);
      program.add6(ports, about);
    } else {
      program.add4(addresses[SOURCE + 3], addresses[DESTINATION + 3], ports, about);
    }
  }
}

/** What a payload says as the first one, and as a later one. */
function says(
  protocol: number,
  view: DataView<ArrayBufferLike>,
  from: number,
  end: number,
  ports: number,
): number {
  const low = ports >>> 16;
  const high = ports & 0xffff;
  const first = payloadSays(protocol, view, from, end, low, high, true);
  if (first === NOBODY) return NOBODY;
  return first | (payloadSays(protocol, view, from, end, low, high, false) << SAYS_LATER_SHIFT);
}

function valueAndMask4({ words, prefixLength }: Cidr): number[] {
  return [words[3], maskWords(4, prefixLength)[3]];
}

function valueAndMask6({ words, prefixLength }: Cidr): number[] {
  return [...words, ...maskWords(6, prefixLength)];
}
