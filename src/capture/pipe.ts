/** Whether a capture's packets may come as they happen: standard input, a named pipe, a device. */
export function isPipe(name: string): boolean {
  if (name === "-") return true;
  try {
    const { isFile, isDirectory } = Deno.statSync(name);
    return !isFile && !isDirectory;
  } catch {
    // Opening it will say why.
    return false;
  }
}
