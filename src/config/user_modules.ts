/** By how their URLs end, the user's files that modules were made of. */
const files = new Map<string, string>();

/** What a frame of a stack trace begins with that is neither the user's nor ours. */
const OF_DENO = /^(async )?(\S+ )*\(?(ext:|node:|<anonymous>|native|Promise\.)/;

/**
 * Remembers what file a module was made of, for errors that come when it was loaded long ago.
 *
 * @param urlEnd How its URL ends, also where it is shortened.
 */
export function rememberUserModule(urlEnd: string, file: string): void {
  files.set(urlEnd, file);
}

/**
 * The place in the user's files where an error was made.
 *
 * @param stack The error's.
 * @returns Such as `config.ts:3`, or `null` if it was made in other code, ours included.
 */
export function userPlaceOf(stack: string): string | null {
  const frames = stack.split("\n").map((line) => line.trim()).filter((it) => it.startsWith("at "));
  const first = frames.map((it) => it.slice("at ".length)).find((it) => !OF_DENO.test(it)) ?? "";
  for (const [urlEnd, file] of files) {
    const index = first.indexOf(`${urlEnd}:`);
    const line = index < 0 ? null : /^\d+/.exec(first.slice(index + urlEnd.length + 1));
    if (line !== null) return `${file}:${line[0]}`;
  }
  return null;
}
