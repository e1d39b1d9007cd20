import assert from "node:assert/strict";
import { TYPES, typesText } from "../../tools/config_types.ts";

Deno.test("the types that users get are those of the sources", async () => {
  assert.equal(await Deno.readTextFile(TYPES), typesText(), "run: deno task types");
});
