/** What the host itself listens on tells who serves, also of connections that began before. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { RunningProgram } from "../cli/program.ts";
import { withFiles } from "../config/temporary_files.ts";
import {
  CAN_MAKE_NAMESPACES,
  type NamespacePair,
  until,
  withNamespaces,
  WITHOUT_NAMESPACES,
} from "../namespaces.ts";

/** Above the ports that clients get, so that the lower port is the client's. */
const SERVICE_PORT = 61_000;
const SERVER = "10.99.0.1";
const CLIENT = "10.99.0.2";

const ECHO = `for await (const connection of Deno.listen({ port: ${SERVICE_PORT} })) {
  connection.readable.pipeTo(connection.writable).catch(() => {});
}`;
/** Sends what it reads, and prints what comes back. */
const TELL =
  `const connection = await Deno.connect({ hostname: "${SERVER}", port: ${SERVICE_PORT} });
console.log("connected");
Deno.stdin.readable.pipeTo(connection.writable);
for await (const piece of connection.readable) console.log(piece.length);`;

const CONFIG = `import { defineConfig } from "flosensor/config";
export default defineConfig({ suppressOwnNetwork: false });`;

function evaluate(
  namespace: string,
  program: string,
  stdin: "piped" | "null",
): Deno.ChildProcess {
  const args = ["netns", "exec", namespace, Deno.execPath(), "eval", program];
  return new Deno.Command("ip", { args, stdin, stdout: "piped", stderr: "null" }).spawn();
}

/** Whether the server listens, in the words of ss(8). */
async function isListening(pair: NamespacePair): Promise<boolean> {
  const { stdout } = await pair.command("ss", ["-ltnH"]).output();
  return new TextDecoder().decode(stdout).includes(`:${SERVICE_PORT} `);
}

Deno.test({
  name: "capture attributes a connection that it finds in the middle to the port that the host " +
    `listens on${WITHOUT_NAMESPACES}`,
  ignore: !CAN_MAKE_NAMESPACES,
  fn: () =>
    withNamespaces((pair) =>
      withFiles({ "config.ts": CONFIG }, async (directory) => {
        await pair.addSenderAddress(`${CLIENT}/24`);
        const server = evaluate(pair.sensor, ECHO, "null");
        let client: Deno.ChildProcess | undefined;
        try {
          await until(() => isListening(pair));
          client = evaluate(pair.sender, TELL, "piped");
          const output = client.stdout.getReader();
          await output.read();
          const args = ["capture", "veth0", "--json", "-c", join(directory, "config.ts")];
          await using program = new RunningProgram(args, {
            command: (name, parameters, options) => pair.command(name, parameters, options),
          });
          await program.says("capturing on");
          const input = client.stdin.getWriter();
          await input.write(new TextEncoder().encode("question"));
          await output.read();
          program.signal("SIGTERM");
          const { status, stdout, stderr } = await program.ended;
          assert.equal(status, 0, stderr);
          const flows = stdout.trim().split("\n").map((line) => JSON.parse(line))
            .filter(({ key }) => key.endsWith(";flow"));
          const key = `${CLIENT};${SERVER};${SERVICE_PORT};flow`;
          assert.deepEqual(flows.map(({ key, by }) => [key, by]), [[key, "listening"]]);
          assert.match(stderr, /flows: 1 \(1 listening\)/);
          await input.close();
          await output.cancel();
        } finally {
          server.kill("SIGKILL");
          client?.kill("SIGKILL");
          await Promise.all([server.output(), client?.status]);
        }
      })
    ),
});
