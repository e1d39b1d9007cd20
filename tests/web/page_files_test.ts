import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { PAGE } from "../../src/web/page_files.ts";
import { PAGE_FILES, pageFilesText } from "../../tools/page.ts";

/** What the whole page may weigh, compressed, in bytes. */
const MOST_BYTES = 100_000;

Deno.test("the page in the program is what its sources make", async () => {
  const text = await Deno.readTextFile(PAGE_FILES);
  assert.ok(text === await pageFilesText(), "run: deno task page");
});

Deno.test("the whole page is smaller than 100 kB compressed, and names no other host", () => {
  const sizes = Object.values(PAGE).map(({ text }) => gzipSync(text).length);
  const all = sizes.reduce((sum, it) => sum + it, 0);
  assert.ok(all < MOST_BYTES, `${all} bytes`);
  for (const [path, { text }] of Object.entries(PAGE)) {
    const urls = text.match(/https?:\/\/[^"'`\s)]+/g) ?? [];
    // Names of XML's namespaces, which nobody asks for.
    const others = urls.filter((url) => !url.startsWith("http://www.w3.org/"));
    assert.deepEqual(others, [], path);
  }
});
