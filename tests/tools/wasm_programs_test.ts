import assert from "node:assert/strict";
import { moduleText, WASM_PROGRAMS } from "../../tools/wasm_programs.ts";

Deno.test("each program in WebAssembly is what its source is compiled to", async () => {
  for (const program of WASM_PROGRAMS) {
    const text = await Deno.readTextFile(program.module);
    const expected = await moduleText(program);
    assert.equal(text.replaceAll(/\s/g, ""), expected.replaceAll(/\s/g, ""), "run: deno task wasm");
  }
});
