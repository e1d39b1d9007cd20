/**
 * For each number of 0 to `count` - 1 its place among all.
 *
 * @param compare As that of `Array.prototype.sort`, of two of the numbers.
 */
export function ranksOf(count: number, compare: (a: number, b: number) => number): Uint32Array {
  const ranks = new Uint32Array(count);
  const order = Uint32Array.from({ length: count }, (_, i) => i).sort(compare);
  for (const [place, number] of order.entries()) ranks[number] = place;
  return ranks;
}
