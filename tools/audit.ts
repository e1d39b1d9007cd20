/**
 * Asks the npm registry for known weaknesses of the packages in the lock files: `deno task audit`. Exit
 * status 0: none; 1: some, which are printed; 2: it could not be asked, which is one line.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { lockedPackages } from "../deploy/locked_packages.ts";

const PROJECT = fileURLToPath(new URL("../", import.meta.url));
/** What is in the program, and what makes and tests it. */
const LOCK_FILES = ["deno.lock", "tools/deno.lock"];
const NONE_KNOWN = 0;
const SOME_KNOWN = 1;
const NOT_ASKED = 2;

const decoder = new TextDecoder();

/** @returns The exit status. */
async function audit(file: string): Promise<number> {
  const count = (await lockedPackages(join(PROJECT, file))).length;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["audit", `--lock=${file}`],
    cwd: PROJECT,
    env: { NO_COLOR: "1" },
  }).output();
  const found = decoder.decode(stdout).trim();
  if (code === 0) {
    console.log(`${file}: ${count} packages, no known weakness`);
    return NONE_KNOWN;
  }
  if (/^Found \d+ vulnerabilit/m.test(found)) {
    console.log(`${file}: ${count} packages, with known weaknesses\n\n${found}\n`);
    return SOME_KNOWN;
  }
  const said = decoder.decode(stderr);
  const [, reason = said] = /^error: (.+)$/m.exec(said) ?? [];
  console.error(`${file}: the registry was not asked about ${count} packages: ${reason.trim()}`);
  return NOT_ASKED;
}

let status = NONE_KNOWN;
for (const file of LOCK_FILES) {
  const one = await audit(file);
  // It won't answer to the next one either.
  if (one === NOT_ASKED) Deno.exit(NOT_ASKED);
  status = Math.max(status, one);
}
Deno.exit(status);
