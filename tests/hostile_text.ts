import assert from "node:assert/strict";
import fc from "fast-check";

/** Code points that a terminal obeys, or that make text look like other text: first and last of each. */
const FORBIDDEN: readonly (readonly [number, number])[] = [
  [0x00, 0x1f], // C0
  [0x7f, 0x9f], // DEL and C1
  [0xad, 0xad], // soft hyphen
  [0x61c, 0x61c], // Arabic letter mark
  [0x180e, 0x180e], // Mongolian vowel separator
  [0x200b, 0x200f], // no width; left-to-right and right-to-left mark
  [0x2028, 0x202e], // separators of lines and paragraphs; embeddings and overrides of direction
  [0x2060, 0x206f], // word joiner; isolates
  [0xd800, 0xdfff], // halves of surrogate pairs
  [0xfe00, 0xfe0f], // variation selectors
  [0xfeff, 0xfeff], // byte order mark
  [0xfff9, 0xfffb], // interlinear annotation
  [0xe0000, 0xe0fff], // tags
];

/** What is well known of attacks on terminals and logs. */
const ATTACKS = [
  "\x1b[2J\x1b[31m",
  "\x1b]0;title\x07",
  "\x9b31m",
  "\u202egnp.exe",
  "\u2066\u2069",
  "\r\nflosensor: error: another line",
  "\u2028",
  "\x7f\x08",
  "\ud800",
  "\u{e0041}",
];

/** Texts as an attacker would choose them, and any others. */
export const hostileText: fc.Arbitrary<string> = fc.array(
  fc.oneof(
    fc.constantFrom(...ATTACKS),
    fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    fc.constantFrom(...FORBIDDEN).chain(([first, last]) =>
      fc.integer({ min: first, max: last }).map((point) => String.fromCodePoint(point))
    ),
    fc.string({ unit: "grapheme" }),
  ),
  { maxLength: 12 },
).map((parts) => parts.join(""));

/** Asserts that a text has nothing in it that a terminal obeys, but for line feeds. */
export function assertPrintable(text: string): void {
  for (const character of text) {
    const point = character.codePointAt(0)!;
    const isForbidden = character !== "\n" &&
      FORBIDDEN.some(([first, last]) => point >= first && point <= last);
    assert.ok(!isForbidden, `U+${point.toString(16)} in ${JSON.stringify(text)}`);
  }
}
