/**
 * Makes the program's WebAssembly of its sources in AssemblyScript: `deno task wasm`.
 *
 * @module
 */
import asc from "assemblyscript/asc";

/** A source, and the module with what it is compiled to. */
export interface WasmProgram {
  readonly source: URL;
  readonly module: URL;
}

function at(path: string): URL {
  return new URL(`../src/${path}`, import.meta.url);
}

export const WASM_PROGRAMS: readonly WasmProgram[] = [
  { source: at("engine/assembly/engine.ts"), module: at("engine/program.ts") },
  {
    source: at("sink/assembly/observations.ts"),
    module: at("sink/observation_program.ts"),
  },
  { source: at("sink/assembly/json_lines.ts"), module: at("sink/json_program.ts") },
  {
    source: at("model/assembly/community_id.ts"),
    module: at("model/community_id_program.ts"),
  },
];

const LINE = 80;

/**
 * The text of the module with the program.
 *
 * @throws {Error} with what the compiler says, when it says anything.
 */
export async function moduleText(program: WasmProgram): Promise<string> {
  const name = nameOf(program);
  const lines = (await compile(program)).toBase64().match(new RegExp(`.{1,${LINE}}`, "g"))!
    .map((line) => `  "${line}"`);
  return `/*
 * Made by tools/wasm_programs.ts of assembly/${name}; not to be changed by hand.
 */
/** WebAssembly, in base64. */
export const PROGRAM: string =
${lines.join(" +\n")};
`;
}

/**
 * Compiles a program.
 *
 * @param change What is done to the text of each of its modules before that. By default, nothing.
 * @throws {Error} with what the compiler says, when it says anything.
 */
export async function compile(
  program: WasmProgram,
  change: (text: string, module: URL) => string = (text) => text,
): Promise<Uint8Array> {
  const name = nameOf(program);
  let binary: Uint8Array = new Uint8Array();
  let messages = "";
  const { error } = await asc.main([
    name,
    ...["--outFile", "program.wasm"],
    "-O3",
    ...["--runtime", "stub"],
    ...["--enable", "simd,bulk-memory"],
    ...["--importMemory", "--initialMemory", "1", "--maximumMemory", "65536"],
  ], {
    readFile: (file) => sourceText(new URL(file, program.source), change),
    writeFile: (file, contents) => {
      if (file === "program.wasm") binary = contents as Uint8Array;
    },
    listFiles: () => [],
    stderr: { write: (text: string) => void (messages += text) },
  });
  if (error !== null || messages !== "") throw new Error(messages || String(error));
  return binary;
}

function nameOf({ source }: WasmProgram): string {
  return source.pathname.split("/").at(-1)!;
}

/** The text of a module, or `null` where there is none: it is asked for in all places where it might be. */
async function sourceText(
  module: URL,
  change: (text: string, module: URL) => string,
): Promise<string | null> {
  const text = await Deno.readTextFile(module).catch(() => null);
  return text === null ? null : change(text, module)
    // Modules of constants name their types to TypeScript, which AssemblyScript has built in.
    .replace(/^import type .*wasm_types\.ts";$/m, "")
    // A formatter of TypeScript leaves decorators of functions out, and comments where they are.
    .replaceAll(/^\/\/ @inline$/gm, "@inline");
}

if (import.meta.main) {
  for (const program of WASM_PROGRAMS) {
    await Deno.writeTextFile(program.module, await moduleText(program));
  }
}
