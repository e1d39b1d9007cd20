/** Whether this is the name of a file that can be seen. */
export function isFile(name: string): boolean {
  try {
    return Deno.statSync(name).isFile;
  } catch {
    return false;
  }
}
