/**
 * Which file has a name now: SQLite goes on with one that has another name, or none any more.
 *
 * @returns `null` where there is none.
 */
export function fileAt(path: string): string | null {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev} ${ino}`;
  } catch {
    return null;
  }
}
