import { DECODED_NAMES } from "../packet/decoded.ts";
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
  readonly linkType: Uint16Array | Int32Array;
}

/**
 * Packets that a {@linkcode BatchDecoder} has decoded, in groups: what is in a group was seen at one
 * time, and is looked up together.
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
  readonly decoded: Int32Array = new Int32Array(DECODED_NAMES.length);
  /** How many groups there are. */
  groupCount = 0;

  /**
   * Makes an empty batch.
   *
   * @param places Where the packets will lie.
   * @param capacity How many there is room for.
   */
  constructor(places: PacketPlaces, readonly capacity: number) {
    this.places = places;
    this.ipv4 = new PacketList(1, capacity);
    this.ipv6 = new PacketList(4, capacity);
    this.other = new Int32Array(capacity);
    this.groupSeconds = new Int32Array(capacity);
    this.groupEnd4 = new Int32Array(capacity);
    this.groupEnd6 = new Int32Array(capacity);
    this.groupEndOther = new Int32Array(capacity);
  }
}
