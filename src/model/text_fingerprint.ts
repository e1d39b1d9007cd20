const MIX_1 = 0x85ebca6b | 0;
const MIX_2 = 0xc2b2ae35 | 0;
const MIX_3 = 0x9e3779b1 | 0;

/** Unknown to whoever sends us names. */
const SEEDS = crypto.getRandomValues(new Int32Array(2));

/** 64 bits that stand for a text. By chance it takes billions of texts until two have the same. */
export interface TextFingerprint {
  readonly first: number;
  readonly second: number;
}

const fingerprint = { first: 0, second: 0 };

/**
 * The fingerprint of a text, which is overwritten with the next.
 *
 * @param text ASCII.
 */
export function textFingerprint(text: string): TextFingerprint {
  let [first, second] = SEEDS;
  const { length } = text;
  // Where a text has ended, there are zeros.
  for (let at = 0; at < length; at += 4) {
    const word = text.charCodeAt(at) | text.charCodeAt(at + 1) << 8 |
      text.charCodeAt(at + 2) << 16 | text.charCodeAt(at + 3) << 24;
    first = Math.imul(first ^ word ^ (first >>> 15), MIX_1);
    first ^= first >>> 13;
    second = Math.imul(second ^ word ^ (second >>> 14), MIX_2);
    second = Math.imul(second ^ (second >>> 16), MIX_3);
  }
  fingerprint.first = first;
  fingerprint.second = second;
  return fingerprint;
}
