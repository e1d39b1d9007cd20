/**
 * Tries a capture with all that may be wrong with Redis, for a minute each, and prints a table of
 * what was seen: `deno task faults`. Names as arguments choose, `--seconds=N` has it take less time.
 */
import { withNamespaces } from "../namespaces.ts";
import { REDIS_TRIALS } from "./redis_trials.ts";
import { withSample } from "./sample_capture.ts";

const SECONDS = 60;

const options = Deno.args.filter((it) => it.startsWith("--seconds="));
const names = Deno.args.filter((it) => !options.includes(it));
const seconds = Number(options[0]?.split("=")[1] ?? SECONDS);
const chosen = REDIS_TRIALS.filter(({ name }) => names.length === 0 || names.includes(name));
if (chosen.length === 0) {
  console.error(`none is called so; there are: ${REDIS_TRIALS.map(({ name }) => name).join("; ")}`);
  Deno.exit(2);
}
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
