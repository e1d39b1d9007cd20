import { join } from "node:path";
import { starterFiles } from "../src/config/starter_files.ts";
import { VERSION } from "../src/version.ts";
import { PROJECT } from "./project.ts";

/** Where the unit file in this folder has the executable. */
const UNIT_FOLDER = "/usr/local/bin";

/** The units of systemd: one for each interface, and one for name servers. */
export const UNITS = ["flosensor@.service", "flosensor-dnstap.service"] as const;

/** A unit of systemd, for an executable in this folder. */
export async function unit(name: typeof UNITS[number], folder: string): Promise<string> {
  const text = await Deno.readTextFile(join(PROJECT, "deploy", name));
  return text.replaceAll(`${UNIT_FOLDER}/flosensor`, `${folder}/flosensor`);
}

/** The page of the manual, for an executable in this folder. */
export async function manualPage(folder: string): Promise<string> {
  const text = await Deno.readTextFile(join(PROJECT, "deploy/flosensor.8"));
  return text.replaceAll("@VERSION@", VERSION).replaceAll("@BIN@", folder);
}

/** The files of a configuration, which say how flosensor is run where it is installed. */
export function configurationFiles(): Promise<ReadonlyMap<string, string>> {
  return starterFiles({ program: "flosensor" });
}
