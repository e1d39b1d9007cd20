import assert from "node:assert/strict";
import { cutToWidth, padToWidth, widthOf } from "../../src/screen/cut_to_width.ts";

Deno.test("cutToWidth() counts the columns that characters take", () => {
  assert.equal(cutToWidth("example", 7), "example");
  assert.equal(cutToWidth("example", 6), "examp…");
  assert.equal(widthOf("名前"), 4);
  assert.equal(cutToWidth("名前です", 5), "名前…");
  assert.equal(cutToWidth("名前です", 4), "名…");
  // A letter with its accent as a character of its own is one column.
  assert.equal(widthOf("e\u0301"), 1);
  assert.equal(cutToWidth("e\u0301e\u0301e\u0301", 2), "e\u0301…");
  assert.equal(cutToWidth("example", 0), "");
});

Deno.test("padToWidth() makes a text as wide as it is to be", () => {
  assert.equal(padToWidth("ab", 4), "ab  ");
  assert.equal(padToWidth("名", 4), "名  ");
  assert.equal(padToWidth("名前", 3), "名…");
});
