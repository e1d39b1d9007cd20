/** What the journal of systemd is told: sd-daemon(3). */
import assert from "node:assert/strict";

const LOG = new URL("../src/log.ts", import.meta.url);
const PROGRAM = `
  import { LineLog } from "${LOG}";
  const log = new LineLog("debug");
  log.debug("one\\ntwo");
  log.info("up");
  log.warn("down");
  log.error("over");`;

/** What is written on standard error when the variable has that value, in words of sh(1). */
async function written(stream: string): Promise<string> {
  const { stderr } = await new Deno.Command("sh", {
    args: [
      ...["-c", `JOURNAL_STREAM=${stream} exec "$@"`, "sh", Deno.execPath(), "run", "--quiet"],
      ...["--no-prompt", "--no-config", "--no-check", "--allow-env=JOURNAL_STREAM"],
      `data:text/typescript,${encodeURIComponent(PROGRAM)}`,
    ],
  }).output();
  return new TextDecoder().decode(stderr);
}

const LINES = [
  "flosensor: debug: one",
  "    two",
  "flosensor: up",
  "flosensor: warning: down",
  "flosensor: error: over",
];

Deno.test("the journal is told how urgent each line is", async () => {
  const told = await written("$(stat -L -c %d:%i /proc/self/fd/2)");
  assert.deepEqual(
    told.trimEnd().split("\n"),
    LINES.map((line, i) => `<${[7, 7, 6, 4, 3][i]}>${line}`),
  );
});

Deno.test("whoever else reads the lines gets them as they are", async () => {
  // The journal may read standard output only.
  for (const stream of ["1:1", "''", "x"]) {
    assert.deepEqual((await written(stream)).trimEnd().split("\n"), LINES, stream);
  }
});
