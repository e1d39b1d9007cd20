import stringWidth from "string-width";

const segmenter = new Intl.Segmenter();
/** What needs no closer look: each character has one column. */
const PLAIN = /^[\x20-\x7e]*$/;
const CUT = "…";

/** Columns that a printable text takes on a terminal. */
export function widthOf(text: string): number {
  return PLAIN.test(text) ? text.length : stringWidth(text);
}

/** A printable text with no more columns than there is room for; a mark says that it was cut. */
export function cutToWidth(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = "";
  let width = 0;
  for (const { segment } of segmenter.segment(text)) {
    width += widthOf(segment);
    if (width > columns - 1) break;
    kept += segment;
  }
  return columns > 0 ? kept + CUT : "";
}

/** A printable text with exactly so many columns. */
export function padToWidth(text: string, columns: number): string {
  const kept = cutToWidth(text, columns);
  return kept + " ".repeat(Math.max(0, columns - widthOf(kept)));
}
