import {
  CAN_MAKE_NAMESPACES,
  type NamespacePair,
  withNamespaces,
  WITHOUT_NAMESPACES,
} from "../namespaces.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER } from "../redis_server.ts";
import { type ProgramOptions, RunningProgram } from "./program.ts";
import { RedisInNamespace } from "./redis_in_namespace.ts";
import { withSample } from "./sample_capture.ts";

/** What a test has: namespaces, the sample as a file, and a configuration. */
export interface Setting {
  pair: NamespacePair;
  directory: string;
  file: string;
  config: string;
}

/** The first line of a configuration. */
export const IMPORT = 'import { defineConfig, LowerPort, PortMatch } from "flosensor/config";\n';
const CONFIG = `${IMPORT}export default defineConfig({});\n`;

/** Starts a capture in the sensor's namespace and waits until packets are taken. */
export async function startCapture(
  { pair, config }: Setting,
  args: string[],
  permissions?: string[],
): Promise<RunningProgram> {
  const program = new RunningProgram(["capture", ...args, "-c", config], {
    command: (name, parameters, options) => pair.command(name, parameters, options),
    permissions,
  });
  await program.says("capturing on");
  return program;
}

/** Runs a command in the sensor's namespace as root without the capabilities that capture needs. */
export function withoutCapabilities(pair: NamespacePair): ProgramOptions["command"] {
  return (name, parameters, options) =>
    pair.command(
      "setpriv",
      ["--bounding-set=-net_raw,-net_admin", name, ...parameters],
      options,
    );
}

/** A test in namespaces of its own, with the sample and a configuration. */
export function captureTest(
  name: string,
  test: (setting: Setting) => Promise<void>,
  { config = CONFIG, ignore = !CAN_MAKE_NAMESPACES, reason = WITHOUT_NAMESPACES } = {},
): void {
  Deno.test({
    name: name + reason,
    ignore,
    fn: () => withNamespaces((pair) => withSample((sample) => test({ pair, ...sample }), config)),
  });
}

/** The same, with a Redis in the sensor's namespace. */
export function redisTest(
  name: string,
  test: (setting: Setting, redis: RedisInNamespace) => Promise<void>,
  config = CONFIG,
): void {
  const run = async (setting: Setting) => {
    await using redis = await RedisInNamespace.start(setting.pair);
    await test(setting, redis);
  };
  captureTest(name, run, {
    config,
    ignore: !CAN_MAKE_NAMESPACES || !HAS_REDIS_SERVER,
    reason: WITHOUT_NAMESPACES || NO_REDIS_SERVER,
  });
}
