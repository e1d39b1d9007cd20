import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { commandTable } from "../../src/cli/commands.ts";
import { EXIT_STATUSES } from "../../src/cli/exit_statuses.ts";
import { WRITTEN_KEYS } from "../../src/sink/written_keys.ts";
import { MANUAL_PAGE, manualPage } from "../../tools/manual_page.ts";
import { flosensor } from "../cli/program.ts";
import { SAMPLE_KEYS } from "../cli/sample_capture.ts";
import { isProgram } from "../installed.ts";
import { run } from "../namespaces.ts";

const PAGE = fileURLToPath(MANUAL_PAGE);
const HAS_MAN = isProgram("man", "--version");
const HAS_GROFF = isProgram("groff", "--version");

Deno.test("the page of the manual is that which tools/manual_page.ts makes of the commands", () => {
  assert.equal(Deno.readTextFileSync(PAGE), manualPage(), "run: deno task man");
});

Deno.test({
  name: `groff and man have no complaint about the page${
    HAS_MAN && HAS_GROFF ? "" : " (skipped: man or groff is not installed)"
  }`,
  ignore: !HAS_MAN || !HAS_GROFF,
  fn: async () => {
    const groff = await run("groff", "-ww", "-man", "-Tutf8", "-z", PAGE);
    assert.deepEqual(groff, { code: 0, stdout: "", stderr: "" });
    const man = await run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", PAGE);
    assert.deepEqual([man.code, man.stderr], [0, ""]);
  },
});

Deno.test({
  name: `a reader finds all commands, options, keys and exit statuses in the page${
    HAS_MAN ? "" : " (skipped: man is not installed)"
  }`,
  ignore: !HAS_MAN,
  fn: async () => {
    const { stdout } = await run(
      ...["env", "MANWIDTH=400", "LC_ALL=C.UTF-8", "MAN_KEEP_FORMATTING="] as const,
      ...["man", "--no-hyphenation", "-Tutf8", "-P", "cat", "-l", PAGE],
    );
    // deno-lint-ignore no-control-regex
    const text = stdout.replaceAll(/\x1b\[[\d;]*m|.\x08/g, "").replaceAll(/\s+/g, " ");
    for (const command of commandTable().commands) {
      assert.ok(text.includes(` ${command.name()} ${command.usage().replaceAll(/[<>]/g, "")} `));
      for (const { flags, description } of command.options) {
        const option = `${flags.replaceAll(/[<>]/g, "")} ${description}`;
        assert.ok(text.includes(` ${option}`), option);
      }
    }
    for (const [form, meaning] of WRITTEN_KEYS) {
      assert.ok(text.includes(` ${form.replaceAll(/[<>]/g, "")} ${meaning} `), form);
    }
    for (const [status, meaning] of EXIT_STATUSES) {
      assert.ok(text.includes(` ${status} ${meaning} `));
    }
  },
});

Deno.test("every key that is written has one of the forms of the manual", () => {
  const forms = WRITTEN_KEYS.map(([form]) =>
    new RegExp(`^${form.replaceAll(/<(\w*port|code)>/g, "\\d+").replaceAll(/<[^>]+>/g, "[^;]+")}$`)
  );
  assert.ok(SAMPLE_KEYS.length > 0);
  for (const key of SAMPLE_KEYS) {
    assert.equal(forms.filter((form) => form.test(key)).length, 1, key);
  }
});

Deno.test("flosensor --help tells the exit statuses", async () => {
  const { stdout } = await flosensor(["--help"]);
  const text = stdout.replaceAll(/\s+/g, " ");
  for (const [status, meaning] of EXIT_STATUSES) assert.ok(text.includes(` ${status} ${meaning} `));
});
