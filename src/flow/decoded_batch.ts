import { DECODED_NAMES } from "../packet/decoded.ts";
import { OWN_WORDS, type Words } from "../words.ts";
import { PacketList } from "./packet_list.ts";

/** Where packets lie in a buffer; a `PacketBatch` is one. */
export interface PacketPlaces {
  /** The buffer. */
  readonly view: DataView<ArrayBufferLike>;
  /** Where the first byte of each packet is. */
  readonly offset: Int32Array;
  /** How many bytes of each are there. */
  readonly captured: Int32Array;
  /** The link type of each. */
  readonly linkType: Uint16Array;
}

/**
 * Packets that a {@linkcode BatchDecoder} has decoded, in groups: what is in a group was seen at one
 * time, and is looked up together. Its arrays may be memory that another thread fills.
 */
export class DecodedBatch {
  /** Where the packets lie. */
  places: PacketPlaces;
  /** TCP and UDP packets over IPv4, without those that repeat others. */
  readonly ipv4: PacketList;
  /** The same over IPv6. */
  readonly ipv6: PacketList;
  /** Index in its batch of each packet that has to be decoded again, for more than its headers. */
  readonly other: Int32Array;
  /** The second of each group, as the lower 32 bits of the time. */
  readonly groupSeconds: Int32Array;
  /** Where each group ends in `ipv4`. It begins where the last one ends. */
  readonly groupEnd4: Int32Array;
  /** Where it ends in `ipv6`. */
  readonly groupEnd6: Int32Array;
  /** Where it ends in `other`. */
  readonly groupEndOther: Int32Array;
  /** Packets by what became of them, in the order of `DECODED_NAMES`. */
  readonly decoded: Int32Array;
  readonly #groupCount: Int32Array;

  /**
   * Makes an empty batch.
   *
   * @param places Where the packets will lie.
   * @param capacity How many there is room for.
   * @param words Gives the arrays.
   */
  constructor(places: PacketPlaces, readonly capacity: number, words: Words = OWN_WORDS) {
    this.places = places;
    this.ipv4 = new PacketList(1, capacity, words);
    this.ipv6 = new PacketList(4, capacity, words);
    this.other = words.int32(capacity);
    this.groupSeconds = words.int32(capacity);
    this.groupEnd4 = words.int32(capacity);
    this.groupEnd6 = words.int32(capacity);
    this.groupEndOther = words.int32(capacity);
    this.decoded = words.int32(DECODED_NAMES.length);
    this.#groupCount = words.int32(1);
  }

  /** How many groups there are. */
  get groupCount(): number {
    return this.#groupCount[0];
  }

  set groupCount(count: number) {
    this.#groupCount[0] = count;
  }
}
