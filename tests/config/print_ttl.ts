/** Run as a process of its own by load_test.ts: prints the time to live of a configuration. */
import { loadConfig } from "../../src/config/load.ts";

console.log((await loadConfig(Deno.args[0])).config.ttl);
