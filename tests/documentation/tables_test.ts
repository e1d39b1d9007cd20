/** Tables of pages have what the program has. */
import assert from "node:assert/strict";
import { commandTable } from "../../src/cli/commands.ts";
import * as actions from "../../src/config/actions/mod.ts";
import { BECAME_NAMES } from "../../src/model/no_flow.ts";

const ROOT = new URL("../../", import.meta.url);

function page(name: string): string {
  return Deno.readTextFileSync(new URL(`docs/${name}`, ROOT));
}

/** What stands in code type in the first column of a page's tables. */
function namesIn(text: string): string[] {
  return [...text.matchAll(/^\| ([^|]+)/gm)]
    .flatMap(([, cell]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
}

Deno.test("docs/commands.md has all commands", () => {
  const [table] = page("commands.md").split(/^## /m);
  const documented = namesIn(table).map((it) => it.split(/[ ]/)[0]);
  const commands = commandTable().commands.map((it) => it.name()).filter((it) => it !== "help");
  assert.deepEqual(documented.sort(), commands.sort());
});

Deno.test("docs/rules.md has all actions and settings", () => {
  const names = namesIn(page("rules.md")).map((it) => it.split("(")[0]);
  const source = Deno.readTextFileSync(new URL("src/config/configuration.ts", ROOT));
  const settings = [...source.matchAll(/^ {2}(\w+)\?:/gm)].map(([, name]) => name);
  assert.deepEqual(
    names.filter((it) => it !== "").sort(),
    [...Object.keys(actions), ...settings].sort(),
  );
});

Deno.test("docs/troubleshooting.md has all reasons why a conversation gives no flow", () => {
  const names = namesIn(page("troubleshooting.md"));
  assert.deepEqual(names.sort(), BECAME_NAMES.filter((name) => name !== "flow").sort());
});
