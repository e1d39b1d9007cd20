/** Captures of new flows while something is wrong with Redis for a moment; for longer: `deno task faults`. */
import { captureTest, IMPORT } from "./capture_setting.ts";
import { CAN_MAKE_NAMESPACES, WITHOUT_NAMESPACES } from "../namespaces.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER } from "../redis_server.ts";
import { REDIS_TRIALS } from "./redis_trials.ts";

const SECONDS = 1;
const CONFIG = `${IMPORT}export default defineConfig({ flushInterval: 0.2 });\n`;

for (const { name, promise, run } of REDIS_TRIALS.filter(({ least }) => least <= SECONDS)) {
  captureTest(
    `a capture, with Redis: ${name}: ${promise}`,
    async (setting) => {
      await run(setting, SECONDS);
    },
    {
      config: CONFIG,
      ignore: !CAN_MAKE_NAMESPACES || !HAS_REDIS_SERVER,
      reason: WITHOUT_NAMESPACES || NO_REDIS_SERVER,
    },
  );
}
