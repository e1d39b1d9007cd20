import assert from "node:assert/strict";
import { CAN_MAKE_NAMESPACES, until, withNamespaces, WITHOUT_NAMESPACES } from "../namespaces.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER } from "../redis_server.ts";
import { flosensor } from "./program.ts";
import { withSample } from "./sample_capture.ts";

Deno.test({
  name: "a Redis in protected mode is told in its own words, in one line" +
    (NO_REDIS_SERVER || WITHOUT_NAMESPACES),
  ignore: !HAS_REDIS_SERVER || !CAN_MAKE_NAMESPACES,
  fn: () =>
    withNamespaces((pair) =>
      withSample(async ({ file, config }) => {
        await pair.addSenderAddress("10.99.0.2/24");
        const server = new Deno.Command("ip", {
          args: ["netns", "exec", pair.sender, "redis-server", "--bind", "*", "--save", ""]
            .concat(["--protected-mode", "yes"]),
          stdout: "null",
          stderr: "null",
        }).spawn();
        try {
          const redis = ["redis-cli", "-h", "10.99.0.2", "PING"];
          await until(async () => {
            const { stdout } = await pair.command(redis[0], redis.slice(1)).output();
            return new TextDecoder().decode(stdout).includes("DENIED");
          });
          const url = "redis://10.99.0.2";
          const args = ["replay", file, "-c", config, "--redis", url];
          const { status, stderr } = await flosensor(args, {
            command: (program, parameters, options) => pair.command(program, parameters, options),
          });
          assert.equal(status, 1);
          assert.equal(
            stderr.split("\n").find((line) => line.includes("error")),
            `flosensor: error: Redis at ${url} refuses us (DENIED Redis is running in protected ` +
              "mode because protected mode is enabled and no password is set for the default " +
              'user): give it a password, or set "protected-mode no" there',
          );
        } finally {
          server.kill("SIGKILL");
          await server.status;
        }
      })
    ),
});
