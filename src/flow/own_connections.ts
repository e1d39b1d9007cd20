/**
 * Knows the sensor's own connections to its store, which are never reported. The addresses are four
 * words in network order, IPv4 in the last of them.
 */
export interface OwnConnections {
  /**
   * What to do about a packet of a TCP conversation that has these two ends, in either order.
   *
   * @returns {@linkcode NOT_OURS}, {@linkcode OURS}, or {@linkcode MAYBE_OURS} while one of our
   * connections is being made and its local port is not known yet.
   */
  judge(
    isIpv6: boolean,
    one: Uint32Array,
    onePort: number,
    other: Uint32Array,
    otherPort: number,
  ): number;
}

export const NOT_OURS = 0;
export const OURS = 1;
export const MAYBE_OURS = 2;
