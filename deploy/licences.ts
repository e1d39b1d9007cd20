import { join } from "node:path";
import type { BundledPackage } from "./bundle.ts";

const LICENCE_FILE = /^(licen[cs]e|copying|notice)(\.(md|txt))?$/i;

/** The text of the licences of all packages that are in the bundle, each with the package's name. */
export async function licenceTexts(packages: readonly BundledPackage[]): Promise<string> {
  const texts = await Promise.all(packages.map(licenceText));
  return [
    "The compiled file of flosensor has the Deno runtime in it (https://deno.com, MIT licence,\n" +
    "copyright 2018-2026 the Deno authors), which has V8 and other works in it; their licences\n" +
    "are at https://github.com/denoland/deno. It also has code of these npm packages in it:\n",
    ...texts,
  ].join("\n");
}

async function licenceText({ name, directory }: BundledPackage): Promise<string> {
  const { version, license } = JSON.parse(
    await Deno.readTextFile(join(directory, "package.json")),
  );
  const heading = `==== ${name} ${version} (${license}) ====\n`;
  const file = [...Deno.readDirSync(directory)].find(({ name }) => LICENCE_FILE.test(name));
  if (file === undefined) return heading;
  const text = await Deno.readTextFile(join(directory, file.name));
  return `${heading}\n${text.trim()}\n`;
}
