/** Configurations that are not loaded for ever, by the program: they stay what it waits for. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { flosensor, RunningProgram } from "../cli/program.ts";
import { withFiles } from "./temporary_files.ts";

const IMPORT = `import { defineConfig } from "flosensor/config";\n`;
const AWAITED = "what is awaited here did not come within 10 s: a configuration may wait for " +
  "nothing that can stay away";

for (
  const [what, files, message] of [
    [
      "an await that never ends",
      {
        "config.ts": `${IMPORT}\nawait new Promise(() => {});\nexport default defineConfig({});\n`,
      },
      `config.ts:3: ${AWAITED}`,
    ],
    [
      "an await that never ends in what it imports",
      {
        "config.ts": `${IMPORT}import "./slow.ts";\nexport default defineConfig({});\n`,
        "slow.ts":
          "const wait = async () => { await 1; };\nfor await (const _ of never()) wait();\n" +
          "async function* never() { yield await new Promise(() => {}); }\n",
      },
      `slow.ts:2: ${AWAITED}`,
    ],
  ] as const
) {
  Deno.test(`a configuration is given up after a while for ${what}`, () =>
    withFiles(files, async (directory) => {
      const { status, stderr } = await flosensor(["check", "-c", join(directory, "config.ts")]);
      assert.equal(stderr, `flosensor: error: ${join(directory, message)}\n`);
      assert.equal(status, 1);
    }));
}

Deno.test("a configuration is given up after a while for an import that is never read to its end", () =>
  withFiles({
    "config.ts": `${IMPORT}import "./pipe.ts";\nexport default defineConfig({});\n`,
  }, async (directory) => {
    await new Deno.Command("mkfifo", { args: [join(directory, "pipe.ts")] }).output();
    const config = join(directory, "config.ts");
    await using program = new RunningProgram(["check", "-c", config]);
    const { status, stderr } = await program.ended;
    assert.equal(
      stderr,
      `flosensor: error: ${config}: it was not loaded within 10 s: see what it imports, and what ` +
        "that waits for\n",
    );
    assert.equal(status, 1);
  }));
