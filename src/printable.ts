/** What is printable ASCII, or ends a line, needs no closer look. That is nearly all text. */
const OTHER = /[^\n\x20-\x7e]/;

/*
 * Control characters (C0, DEL, C1), which terminals obey; characters of format, among them those that
 * turn the direction of what follows (Bidi_Control) and those without a width; line and paragraph
 * separators; halves of surrogate pairs. UTR #36, section 2.5, has what can be done with directions.
 * What is ignored by default is nothing that UTS #39 (table 1) would have in a name.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
const UNPRINTABLE_BUT_LINE_FEED =
  /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * A text that a terminal or a log can only show: what would move the cursor, change the terminal, turn
 * the direction of writing, end a line or can't be seen is written as `\u001b`, as JSON has it.
 *
 * All that goes to standard error or standard output goes through this, since it may have parts that
 * others chose: names of files, interfaces, hosts and networks, and what servers answer. Text that is
 * JSON already stays the same JSON.
 */
export function printable(text: string): string {
  return escaped(text, UNPRINTABLE);
}

/** The same for text of several lines, which stay lines. */
export function printableLines(text: string): string {
  return escaped(text, UNPRINTABLE_BUT_LINE_FEED);
}

function escaped(text: string, unprintable: RegExp): string {
  if (!OTHER.test(text) && (unprintable !== UNPRINTABLE || !text.includes("\n"))) return text;
  return text.replace(unprintable, unitsOf);
}

/** A character's UTF-16 code units, which is what JSON escapes are made of (RFC 8259, section 7). */
function unitsOf(character: string): string {
  let units = "";
  for (let i = 0; i < character.length; i++) {
    units += "\\u" + character.charCodeAt(i).toString(16).padStart(4, "0");
  }
  return units;
}
