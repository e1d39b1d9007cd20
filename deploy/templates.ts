import { join } from "node:path";
import { VERSION } from "../src/version.ts";
import { PROJECT } from "./project.ts";

/** Where the unit file in this folder has the executable. */
const UNIT_FOLDER = "/usr/local/bin";

/** The unit of systemd, for an executable in this folder. */
export async function unit(folder: string): Promise<string> {
  const text = await Deno.readTextFile(join(PROJECT, "deploy/flosensor@.service"));
  return text.replaceAll(`${UNIT_FOLDER}/flosensor`, `${folder}/flosensor`);
}

/** The page of the manual, for an executable in this folder. */
export async function manualPage(folder: string): Promise<string> {
  const text = await Deno.readTextFile(join(PROJECT, "deploy/flosensor.8"));
  return text.replaceAll("@VERSION@", VERSION).replaceAll("@BIN@", folder);
}

/** The shipped configuration, which says how flosensor is run where it is installed. */
export async function configuration(): Promise<string> {
  const text = await Deno.readTextFile(join(PROJECT, "config.ts"));
  return text.replaceAll("deno task flosensor", "flosensor");
}
