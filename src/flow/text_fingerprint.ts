import { Fingerprint } from "./fingerprint.ts";

const fingerprint = new Fingerprint();

/**
 * The fingerprint of a text, which is overwritten with the next.
 *
 * @param text ASCII.
 */
export function textFingerprint(text: string): Fingerprint {
  fingerprint.begin();
  const { length } = text;
  // Where a text has ended, there are zeros.
  for (let at = 0; at < length; at += 4) {
    fingerprint.add(
      text.charCodeAt(at) | text.charCodeAt(at + 1) << 8 | text.charCodeAt(at + 2) << 16 |
        text.charCodeAt(at + 3) << 24,
    );
  }
  return fingerprint;
}
