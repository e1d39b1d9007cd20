import { parse, type Program } from "acorn";
import { transform } from "sucrase";
import { printable } from "../printable.ts";
import { UserError } from "../user_error.ts";
import { unsupportedSyntax } from "./unsupported_syntax.ts";

/** A module's text as JavaScript, and its syntax tree. */
export interface ParsedModule {
  readonly code: string;
  readonly program: Program;
}

/**
 * Strips the types of a module, keeping its lines, and parses it.
 *
 * @param text The module's text.
 * @param file What the user calls the file.
 * @param isTypeScript Whether it may have types. Plain JavaScript is left as it is.
 * @throws {UserError} for a syntax error, and for TypeScript that is more than types, with its line.
 */
export function parseModule(text: string, file: string, isTypeScript: boolean): ParsedModule {
  try {
    if (isTypeScript) refuseUnsupported(text, file);
    const code = isTypeScript ? withoutTypes(text) : text;
    const program = parse(code, {
      ecmaVersion: "latest",
      sourceType: "module",
      allowHashBang: true,
      locations: true,
    });
    return { code, program };
  } catch (error) {
    throw syntaxError(error, file, text);
  }
}

function refuseUnsupported(text: string, file: string): void {
  const found = unsupportedSyntax(text);
  if (found === null) return;
  const { line, what, remedy } = found;
  throw new UserError(`${file}:${line}: ${what} can't be loaded: ${remedy}`);
}

function withoutTypes(text: string): string {
  // Sucrase changes no line breaks, so that a line of its output is a line of the file.
  return transform(text, { transforms: ["typescript"], disableESTransforms: true }).code;
}

function syntaxError(error: unknown, file: string, text: string): unknown {
  if (!(error instanceof Error) || error instanceof UserError) return error;
  // Where sucrase comes to the end and lacks something, it says no place.
  const { line } = "loc" in error
    ? error.loc as { line: number }
    : { line: text.trimEnd().split("\n").length };
  // Both parsers add the position to their messages, and sucrase a prefix. They cite what they don't expect.
  const what = error.message.replace(/ \(\d+:\d+\)$/, "").replace(
    /^Error transforming [^:]*: /,
    "",
  );
  return new UserError(
    `${file}:${line}: syntax error (${
      printable(lowerFirst(what))
    }): mend this line or the one before it`,
  );
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
