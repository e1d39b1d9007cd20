/**
 * What became of one DNS message: the two kinds that make keys, or the reason why it makes none.
 * The index of a name is its number; `--stats` shows the names.
 */
export const DNS_OUTCOME_NAMES = [
  "with addresses",
  "NXDOMAIN",
  "queries",
  "of another opcode",
  "of another response code",
  "without an address",
  "of ignored names",
  "malformed",
  "cut short",
  "after a gap in TCP",
] as const;

/** A response with an A, AAAA or CNAME record in its answer. */
export const ANSWER = 0;
/** A response that says that there is no such name. */
export const NXDOMAIN = 1;
/** No response. Only responses are looked at, but queries may come from their port too. */
export const QUERY = 2;
/** Neither query nor response of the standard kind: NOTIFY, UPDATE ... */
export const OTHER_OPCODE = 3;
/** SERVFAIL, REFUSED ... */
export const OTHER_RESPONSE_CODE = 4;
/** No error, and no record that makes a key. */
export const NO_ADDRESS = 5;
/** `ignoreDns` of the configuration has the name that was asked for. */
export const IGNORED_NAME = 6;
/** It contradicts itself: lengths, counts, compression. */
export const MALFORMED = 7;
/** It goes on, but the capture has no more of it, or the rest came in another fragment. */
export const CUT_SHORT = 8;
/** A part of a TCP stream whose beginning was not seen. */
export const AFTER_GAP = 9;
