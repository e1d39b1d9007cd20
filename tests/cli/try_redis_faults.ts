/**
 * Tries a capture with all that may be wrong with Redis, for a minute each, and prints a table of
 * what was seen: `deno task faults`. Names as arguments choose, `--seconds=N` has it take less time.
 */
import { withNamespaces } from "../namespaces.ts";
import { refuseWords, taskWords } from "../task_words.ts";
import { REDIS_TRIALS } from "./redis_trials.ts";
import { withSample } from "./sample_capture.ts";

const SECONDS = 60;

const USAGE = `deno task faults [--seconds=${SECONDS}] ["NAME"...]`;
const { values, positionals: names } = taskWords(USAGE, {
  allowPositionals: true,
  options: { seconds: { type: "string", default: String(SECONDS) } },
});
const seconds = Number(values.seconds);
if (!(seconds >= 0)) refuseWords(USAGE, "--seconds takes a number");
const all = REDIS_TRIALS.map(({ name }) => name);
const unknown = names.find((it) => !all.includes(it));
if (unknown !== undefined) {
  refuseWords(USAGE, `none is called ${unknown}; there are ${all.join("; ")}`);
}
const chosen = REDIS_TRIALS.filter(({ name }) => names.length === 0 || names.includes(name));
console.log("| fault | promise | seen |\n| --- | --- | --- |");
let failed = 0;
for (const { name, promise, run } of chosen) {
  let seen = "";
  try {
    await withNamespaces((pair) =>
      withSample(async (sample) => {
        seen = await run({ pair, ...sample }, seconds);
      })
    );
  } catch (error) {
    failed++;
    seen = `FAILED: ${(error as Error).message.split("\n")[0]}`;
    console.error(error);
  }
  console.log(`| ${name} | ${promise} | ${seen} |`);
}
Deno.exit(failed === 0 ? 0 : 1);
