/** Captures of new flows while something is wrong with Redis for a moment; for longer: `deno task faults`. */
import { CAN_MAKE_NAMESPACES, withNamespaces, WITHOUT_NAMESPACES } from "../namespaces.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER } from "../redis_server.ts";
import { IMPORT } from "./capture_setting.ts";
import { REDIS_TRIALS } from "./redis_trials.ts";
import { withSample } from "./sample_capture.ts";

const SECONDS = 1;
const CONFIG = `${IMPORT}export default defineConfig({ flushInterval: 0.2 });\n`;
/** They wait most of the time. */
const AT_ONCE = 4;
/** Those at once can't be told apart by what they leave open. */
const sanitizers = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };

Deno.test({
  name: "a capture bears what is wrong with Redis" + (WITHOUT_NAMESPACES || NO_REDIS_SERVER),
  ignore: !CAN_MAKE_NAMESPACES || !HAS_REDIS_SERVER,
  ...sanitizers,
  fn: async (test) => {
    const trials = REDIS_TRIALS.filter(({ least }) => least <= SECONDS);
    const next = async () => {
      for (let trial; (trial = trials.shift()) !== undefined;) {
        const { name, promise, run } = trial;
        await test.step({
          name: `${name}: ${promise}`,
          fn: () =>
            withNamespaces((pair) =>
              withSample(async (sample) => {
                await run({ pair, ...sample }, SECONDS);
              }, CONFIG)
            ),
          ...sanitizers,
        });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
  },
});
