/** What the host on which the sensor runs listens on. */
export interface LocalServices {
  /**
   * Whether it listens on this address and port.
   *
   * @param words Has the address in network order from `at`.
   * @param addressWords 1 for IPv4, 4 for IPv6.
   * @param protocol IANA protocol number, TCP or UDP.
   */
  has(
    words: Int32Array,
    at: number,
    addressWords: number,
    port: number,
    protocol: number,
  ): boolean;
}
