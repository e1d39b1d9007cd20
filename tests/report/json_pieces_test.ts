import assert from "node:assert/strict";
import fc from "fast-check";
import { jsonList, jsonObject } from "../../src/report/json_pieces.ts";

/** The same values as a list that can be read once. */
function* once<Value>(values: readonly Value[]): Generator<Value> {
  yield* values;
}

Deno.test("jsonObject() and jsonList() write in pieces what JSON.stringify() does at once", () => {
  fc.assert(fc.property(
    fc.dictionary(fc.string(), fc.jsonValue()),
    fc.array(fc.jsonValue()),
    (fields, rows) => {
      const object = { source: "flows.db", ...fields, rows };
      const pieces = [...jsonObject({ source: "flows.db", ...fields, rows: once(rows) })];
      assert.equal(pieces.join(""), `${JSON.stringify(object)}\n`);
      assert.equal([...jsonList(once(rows))].join(""), `${JSON.stringify(rows)}\n`);
    },
  ));
});
