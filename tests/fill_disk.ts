/**
 * Fills a disk to its last byte.
 *
 * @param path Of a file on it, which can be removed again.
 */
export async function fillDisk(path: string): Promise<void> {
  using file = await Deno.open(path, { create: true, write: true });
  for (let size = 65_536; size > 0;) {
    try {
      await file.write(new Uint8Array(size));
    } catch {
      size = Math.floor(size / 2);
    }
  }
}
