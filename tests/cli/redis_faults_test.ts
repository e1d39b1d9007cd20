/** Captures of new flows while something is wrong with Redis for a moment; for longer: `deno task faults`. */
import { captureTest, IMPORT } from "./capture_setting.ts";
import { CAN_MAKE_NAMESPACES, WITHOUT_NAMESPACES } from "../namespaces.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER } from "../redis_server.ts";
import { FaultedCapture } from "./faulted_capture.ts";
import { REDIS_FAULTS } from "./redis_faults.ts";

const SECONDS = 1;
const CONFIG = `${IMPORT}export default defineConfig({ flushInterval: 0.2 });\n`;

for (const fault of REDIS_FAULTS.filter(({ least = 0 }) => least <= SECONDS)) {
  captureTest(
    `a capture loses and doubles nothing, and says what is wrong once: Redis: ${fault.name}`,
    async (setting) => {
      await FaultedCapture.with(setting, fault, SECONDS);
    },
    {
      config: CONFIG,
      ignore: !CAN_MAKE_NAMESPACES || !HAS_REDIS_SERVER,
      reason: WITHOUT_NAMESPACES || NO_REDIS_SERVER,
    },
  );
}
