/** Groups of 16 bits in an IPv6 address. */
const GROUPS = 8;

/**
 * An address as the Redis contract writes it, which is the way of Python's `ipaddress`: IPv4 as a
 * dotted quad; IPv6 in lower case without leading zeros, the longest run of two or more zero groups
 * as `::`, the first of them on a tie (RFC 5952, sections 4.1 to 4.3). IPv4-mapped addresses are in
 * groups as well (`::ffff:a00:1`), unlike RFC 5952, section 5. There is never a zone.
 *
 * @param words Holds four words in network order, IPv4 in the last of them.
 * @param offset Where the four words begin.
 * @param isIpv6 Which of the two families it is.
 */
export function addressText(words: Uint32Array, offset: number, isIpv6: boolean): string {
  return isIpv6 ? ipv6Text(words, offset) : ipv4Text(words[offset + 3]);
}

function ipv4Text(word: number): string {
  return (word >>> 24) + "." + ((word >>> 16) & 0xff) + "." + ((word >>> 8) & 0xff) + "." +
    (word & 0xff);
}

function ipv6Text(words: Uint32Array, offset: number): string {
  let runStart = 0;
  let bestStart = -1;
  // A single zero group stays as it is, so a run must be longer than this (RFC 5952, 4.2.2).
  let bestLength = 1;
  for (let group = 0; group < GROUPS; group++) {
    if (groupOf(words, offset, group) !== 0) {
      runStart = group + 1;
    } else if (group + 1 - runStart > bestLength) {
      bestLength = group + 1 - runStart;
      bestStart = runStart;
    }
  }
  if (bestStart < 0) return groupsText(words, offset, 0, GROUPS);
  return groupsText(words, offset, 0, bestStart) + "::" +
    groupsText(words, offset, bestStart + bestLength, GROUPS);
}

function groupsText(words: Uint32Array, offset: number, from: number, to: number): string {
  let text = "";
  for (let group = from; group < to; group++) {
    if (group > from) text += ":";
    text += groupOf(words, offset, group).toString(16);
  }
  return text;
}

function groupOf(words: Uint32Array, offset: number, group: number): number {
  const word = words[offset + (group >>> 1)];
  return (group & 1) === 0 ? word >>> 16 : word & 0xffff;
}
