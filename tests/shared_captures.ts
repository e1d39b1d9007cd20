import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../../shared/captures/", import.meta.url));

/** Whether the real captures are there, beside the project. Tests that need them are skipped if not. */
export const HAS_SHARED_CAPTURES = existsSync(FOLDER);

/** What to add to the name of a test that is skipped without them. */
export const WITHOUT_SHARED_CAPTURES = HAS_SHARED_CAPTURES
  ? ""
  : " (skipped: ../shared/captures is not there)";

/** The path of one of their files. */
export function sharedCapture(name: string): string {
  return `${FOLDER}${name}`;
}

/** One of their JSON files. */
export function sharedJson<Content>(name: string): Content {
  return JSON.parse(Deno.readTextFileSync(sharedCapture(name)));
}
