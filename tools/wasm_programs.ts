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
    source: at("sink/assembly/sightings.ts"),
    module: at("sink/sighting_program.ts"),
  },
];

const LINE = 80;

/**
 * The text of the module with the program.
 *
 * @throws {Error} with what the compiler says, when it says anything.
 */
export async function moduleText({ source }: WasmProgram): Promise<string> {
  const name = source.pathname.split("/").at(-1)!;
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
    readFile: (file) => sourceText(new URL(file, source)),
    writeFile: (file, contents) => {
      if (file === "program.wasm") binary = contents as Uint8Array;
    },
    listFiles: () => [],
    stderr: { write: (text: string) => void (messages += text) },
  });
  if (error !== null || messages !== "") throw new Error(messages || String(error));
  const lines = binary.toBase64().match(new RegExp(`.{1,${LINE}}`, "g"))!
    .map((line) => `  "${line}"`);
  return `/*
 * Made by tools/wasm_programs.ts of assembly/${name}; not to be changed by hand.
 */
/** WebAssembly, in base64. */
export const PROGRAM: string =
${lines.join(" +\n")};
`;
}

/** The text of a module, or `null` where there is none: it is asked for in all places where it might be. */
async function sourceText(module: URL): Promise<string | null> {
  const text = await Deno.readTextFile(module).catch(() => null);
  return text
    // Modules of constants name their types to TypeScript, which AssemblyScript has built in.
    ?.replace(/^import type .*wasm_types\.ts";$/m, "")
    // A formatter of TypeScript leaves decorators of functions out, and comments where they are.
    .replaceAll(/^\/\/ @inline$/gm, "@inline") ?? null;
}

if (import.meta.main) {
  for (const program of WASM_PROGRAMS) {
    await Deno.writeTextFile(program.module, await moduleText(program));
  }
}
