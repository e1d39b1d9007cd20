/** Programs that were compiled, by their text. */
const compiled = new Map<string, WebAssembly.Module>();

/**
 * Has a program in WebAssembly run in a memory: one of those that `deno task wasm` makes.
 *
 * @param program In base64. It is compiled once.
 * @param memory What it works in.
 * @param host Functions that it calls, by their names.
 * @returns What it exports, which the caller has names for.
 */
export function startProgram<Exports>(
  program: string,
  memory: WebAssembly.Memory,
  host: WebAssembly.ModuleImports = {},
): Exports {
  const imports = { env: { memory }, host };
  return new WebAssembly.Instance(compileProgram(program), imports).exports as Exports;
}

/** Compiles a program, unless it was, for whoever has time for it before it is to run. */
export function compileProgram(program: string): WebAssembly.Module {
  let module = compiled.get(program);
  if (module === undefined) {
    compiled.set(program, module = new WebAssembly.Module(Uint8Array.fromBase64(program)));
  }
  return module;
}
