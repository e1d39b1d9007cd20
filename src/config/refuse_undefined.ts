import type { Program } from "acorn";
import { UserError } from "../user_error.ts";
import { closest } from "./closest.ts";
import { OWN_MODULE_NAMES, ownModuleExports } from "./own_modules.ts";
import { type UndefinedName, undefinedName } from "./undefined_name.ts";

/** Names that modules of the older kind have, and what takes their place. */
const COMMONJS: ReadonlyMap<string, string> = new Map([
  ["module", "write export default"],
  ["exports", "write export"],
  ["require", "write import"],
]);

/**
 * Refuses a module that uses a name which nothing defines.
 *
 * @param program The module.
 * @param text Its text, with the types.
 * @param file What the user calls the file.
 * @throws {UserError} for the first such name, with its line and what was most likely meant.
 */
export function refuseUndefined(program: Program, text: string, file: string): void {
  const found = undefinedName(program);
  if (found === null) return;
  const { name, line } = found;
  const place = `${file}:${line}`;
  const [own] = OWN_MODULE_NAMES;
  const vocabulary = ownModuleExports(own);
  if (vocabulary.includes(name)) {
    const isImportedAsType = new RegExp(
      `\\bimport\\s+type\\s*{[^}]*\\b${name}\\b|\\bimport\\b[^;]*[{,]\\s*type\\s+${name}\\b`,
    ).test(text);
    throw new UserError(
      isImportedAsType
        ? `${place}: ${name} is imported as a type: import it without "type"`
        : `${place}: ${name} is not imported: import it from "${own}"`,
    );
  }
  throw new UserError(`${place}: ${name} is not defined: ${remedyOf(found, vocabulary, own)}`);
}

function remedyOf(
  { name, declared }: UndefinedName,
  vocabulary: readonly string[],
  own: string,
): string {
  const modern = COMMONJS.get(name);
  if (modern !== undefined) return modern;
  const here = closest(name, declared);
  if (here !== undefined) return `did you mean ${here}?`;
  const there = closest(name, vocabulary);
  return there === undefined ? "define it, or import it" : `did you mean ${there}, from "${own}"?`;
}
