/** Knows which addresses are on the own networks. */
export interface LocalNetworks {
  /** Whether an address is, as `addressText` writes it. */
  has(address: string): boolean;

  /**
   * The same by its numbers.
   *
   * @param words Has the address, four words in network order, IPv4 in the last, from `at` on.
   */
  hasAt(isIpv6: boolean, words: Uint32Array, at: number): boolean;
}
