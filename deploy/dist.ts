import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "./project.ts";
import type { Target } from "./target.ts";

/** Where what is made for others to use goes. */
export const DIST: string = join(PROJECT, "dist");
/** The file of checksums, in the form that `sha256sum --check` reads. */
export const CHECKSUMS = "SHA256SUMS";
/** The licences of what is compiled in. */
export const LICENCES = "THIRD-PARTY-LICENCES";
/** The software bill of materials, CycloneDX. */
export const SBOM = "flosensor.cdx.json";

/** The compiled file for a target. */
export function executableOf(target: Target, directory: string = DIST): string {
  return join(directory, `flosensor-${target.name}`);
}

/** Writes the checksums of all files beside it. */
export async function writeChecksums(directory: string = DIST): Promise<void> {
  const lines: string[] = [];
  const names = [...Deno.readDirSync(directory)].filter(({ isFile }) => isFile)
    .map(({ name }) => name);
  for (const name of names.sort()) {
    if (name === CHECKSUMS) continue;
    const hash = createHash("sha256");
    for await (const bytes of createReadStream(join(directory, name))) hash.update(bytes);
    lines.push(`${hash.digest("hex")}  ${name}\n`);
  }
  await Deno.writeTextFile(join(directory, CHECKSUMS), lines.join(""));
}
