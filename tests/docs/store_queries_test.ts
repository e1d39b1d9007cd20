import assert from "node:assert/strict";
import { isProgram } from "../installed.ts";
import { record } from "../store/record.ts";
import { TestStore } from "../store/test_store.ts";

const HAS_SQLITE3 = isProgram("sqlite3", "-version");
const PAGE = new URL("../../docs/store.md", import.meta.url);

/** Each query of the page, with the sentence above it. */
const QUERIES = [...Deno.readTextFileSync(PAGE).matchAll(/\n(.+):\n\n```sql\n([^`]+)```/g)]
  .map(([, title, sql]) => ({ title, sql }));

Deno.test("docs/store.md has five queries or more", () => {
  assert.ok(QUERIES.length >= 5, `${QUERIES.length}`);
});

for (const { title, sql } of QUERIES) {
  Deno.test({
    name: `the query of docs/store.md finds something: ${title}` +
      (HAS_SQLITE3 ? "" : " (ignored: sqlite3 is not installed)"),
    ignore: !HAS_SQLITE3,
    fn: async () => {
      using store = new TestStore();
      const [first, last] = [Date.now() - 60_000, Date.now()];
      store.write({
        records: [
          { names: [{ name: "www.example.com", from: "lookup" as const }] },
          { client: "203.0.113.9", server: "10.0.0.5", port: 22 },
          { client: "203.0.113.9", server: "10.0.0.5", port: 23, state: "refused" as const },
        ].map((it, id) => record({ id, first, last, ...it })),
      });
      // While it is open for writing.
      const { success, stdout, stderr } = await new Deno.Command("sqlite3", {
        args: ["-csv", "-header", "-readonly", store.path, sql],
      }).output();
      const text = new TextDecoder().decode(stdout);
      assert.ok(success, new TextDecoder().decode(stderr));
      assert.ok(text.split("\n").length > 2, text);
    },
  });
}

/** Tables and views, and the columns that they have. */
Deno.test("docs/store.md names every table, view and column of the schema", () => {
  using store = new TestStore();
  const page = Deno.readTextFileSync(PAGE);
  const names = store.rows(
    "SELECT m.name AS name, p.name AS column FROM sqlite_schema m, pragma_table_info(m.name) p " +
      "WHERE m.type IN ('table', 'view')",
  );
  // Counts and figures are told as such.
  const common = /^(packets|bytes|flags)_(client|server)$/;
  const missing = names.flatMap(({ name, column }) => [name, column])
    .filter((word) => !common.test(String(word)) && !page.includes(`\`${word}\``))
    .filter((word) => !new RegExp(`^### .*\\b${word}\\b`, "m").test(page));
  assert.deepEqual([...new Set(missing)], []);
});
