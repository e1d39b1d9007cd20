/** A number of things, named in the singular: `1 flow`, `2 flows`. */
export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
