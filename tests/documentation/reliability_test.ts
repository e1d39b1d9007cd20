/** The commands of docs/reliability.md, most of which take long, are there to be run. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { REDIS_TRIALS } from "../cli/redis_trials.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PAGE = Deno.readTextFileSync(`${ROOT}docs/reliability.md`);
const { tasks } = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));

/** Cells of the rows below the heads of tables: fault, promise, what was seen, command. */
const ROWS = PAGE.split("\n").filter((it) => it.startsWith("|"))
  .map((it) => it.slice(1, -1).split(" | ").map((cell) => cell.trim()))
  .filter(([fault]) => fault !== "Fault" && !fault.startsWith("---"));

const COMMANDS = ROWS.map((cells) => cells[3]);

Deno.test("each row of docs/reliability.md has a fault, a promise, what was seen, and a command", () => {
  assert.ok(ROWS.length > 60, `${ROWS.length}`);
  for (const cells of ROWS) {
    assert.equal(cells.length, 4, cells.join(" | "));
    assert.ok(cells.every((it) => it !== ""), cells.join(" | "));
    assert.match(cells[3], /^the same$|`(?:\w+=\d+ )?deno task \w+|^`tests\//);
  }
});

Deno.test("files that docs/reliability.md names are tests, and its tasks are there", () => {
  for (const [, path] of PAGE.matchAll(/(?:^|[`\s])(tests\/[\w./]+)/gm)) {
    assert.ok(existsSync(ROOT + path), path);
  }
  for (const command of COMMANDS) {
    for (const [, path] of command.matchAll(/(tests\/\S+?)(?=[`\s])/g)) {
      assert.match(path, /_test\.ts$/, "no task runs it");
    }
  }
  const named = [...PAGE.matchAll(/deno task ([\w-]+)/g)].map(([, task]) => task);
  assert.ok(named.length > 0);
  for (const task of named) assert.ok(task in tasks, task);
});

Deno.test("docs/reliability.md has a row for each fault of Redis that is tried, by its name", () => {
  const named = COMMANDS.flatMap((it) => /`deno task faults "(.*)"`/.exec(it)?.[1] ?? []);
  assert.deepEqual(named.sort(), REDIS_TRIALS.map(({ name }) => name).sort());
});

Deno.test("what docs/reliability.md filters tests by, and sets for them, is in them", () => {
  const filtered = COMMANDS.filter((it) => it.includes("--filter"));
  assert.ok(filtered.length > 0);
  for (const command of filtered) {
    const [, variable, filter, path] =
      /^`(?:(\w+)=\d+ )?deno task test --filter "(.+)" (tests\/\S+)`$/.exec(command)!;
    const text = Deno.readTextFileSync(ROOT + path);
    assert.ok(text.includes(filter), filter);
    assert.ok(variable === undefined || text.includes(`"${variable}"`), variable);
  }
});
