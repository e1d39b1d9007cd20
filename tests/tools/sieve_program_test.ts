import assert from "node:assert/strict";
import { programText } from "../../tools/sieve_program.ts";

Deno.test("the sieve's program is what its source is compiled to", async () => {
  const program = new URL("../../src/sieve/program.ts", import.meta.url);
  assert.equal(
    (await Deno.readTextFile(program)).replaceAll(/\s/g, ""),
    (await programText()).replaceAll(/\s/g, ""),
    "run: deno task sieve",
  );
});
