/**
 * Makes the sieve's WebAssembly, `src/sieve/program.ts`, of its source, `src/sieve/assembly/sieve.ts`:
 * `deno task sieve`.
 *
 * @module
 */
import asc from "assemblyscript/asc";

const SOURCE = new URL("../src/sieve/assembly/sieve.ts", import.meta.url);
const PROGRAM = new URL("../src/sieve/program.ts", import.meta.url);
const LINE = 80;

/**
 * The text of the module with the program.
 *
 * @throws {Error} with what the compiler says, when it says anything.
 */
export async function programText(): Promise<string> {
  const source = await Deno.readTextFile(SOURCE);
  let binary: Uint8Array = new Uint8Array();
  let messages = "";
  const { error } = await asc.main([
    "sieve.ts",
    ...["--outFile", "sieve.wasm"],
    "-O3",
    ...["--runtime", "stub"],
    ...["--enable", "threads,simd,bulk-memory"],
    ...["--importMemory", "--sharedMemory", "--initialMemory", "1", "--maximumMemory", "65536"],
  ], {
    readFile: (name) => name === "sieve.ts" ? source : null,
    writeFile: (name, contents) => {
      if (name === "sieve.wasm") binary = contents as Uint8Array;
    },
    listFiles: () => [],
    stderr: { write: (text: string) => void (messages += text) },
  });
  if (error !== null || messages !== "") throw new Error(messages || String(error));
  const text = binary.toBase64();
  const lines = text.match(new RegExp(`.{1,${LINE}}`, "g"))!.map((line) => `  "${line}"`);
  return `/*
 * Made by tools/sieve_program.ts of assembly/sieve.ts; not to be changed by hand.
 */
/** WebAssembly, in base64. */
export const PROGRAM: string =
${lines.join(" +\n")};
`;
}

if (import.meta.main) await Deno.writeTextFile(PROGRAM, await programText());
