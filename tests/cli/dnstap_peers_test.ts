import assert from "node:assert/strict";
import { join } from "node:path";
import { encodeDnstap } from "../../src/dns/dnstap.ts";
import { withFiles } from "../config/temporary_files.ts";
import { address, response } from "../dns/dns_messages.ts";
import { control, frame, READY, START } from "../dns/frame_writer.ts";
import { taskPermissions } from "../dns/task_permissions.ts";
import {
  CAN_MAKE_NAMESPACES,
  type NamespacePair,
  withNamespaces,
  WITHOUT_NAMESPACES,
} from "../namespaces.ts";
import { type Bytes, bytes } from "../packets.ts";
import { RunningProgram } from "./program.ts";

const CONFIG = `import { defineConfig } from "flosensor/config";
export default defineConfig({ flushInterval: 0.1 });
`;
const SENSOR = { hostname: "10.99.0.1", port: 6000 };
const MOST_CONNECTIONS = 256;

/** A frame that names an address. */
function answer(name: string): Bytes {
  const responseMessage = response(name, [address(name, "192.0.2.1")]);
  const message = { type: 6, queryAddress: bytes(10, 0, 0, 7), responseMessage };
  return frame(encodeDnstap({ message }));
}

/** A process in the sender's namespace with connections to the sensor. */
class Peers implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
  }

  /** Connects, sends on each connection, and waits until all have sent. `then` is a statement. */
  static async start(
    pair: NamespacePair,
    count: number,
    sent: Uint8Array,
    then = "",
  ): Promise<Peers> {
    const script = `
      const connections = [];
      for (let i = 0; i < ${count}; i++) {
        const connection = await Deno.connect(${JSON.stringify(SENSOR)});
        await connection.write(Uint8Array.fromHex("${sent.toHex()}"));
        connections.push(connection);
      }
      console.log("sent");
      ${then}
      await new Promise((resolve) => setTimeout(resolve, 1_000_000));`;
    const process = new Deno.Command("ip", {
      args: ["netns", "exec", pair.sender, Deno.execPath(), "eval", script],
      stdout: "piped",
    }).spawn();
    const reader = process.stdout.getReader();
    await reader.read();
    await reader.cancel();
    return new Peers(process);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }
}

/** A test with `dnstap` in the sensor's namespace, whose kernel soon asks silent peers for a sign. */
function peersTest(
  name: string,
  test: (pair: NamespacePair, program: RunningProgram) => Promise<void>,
): void {
  Deno.test({
    name: name + WITHOUT_NAMESPACES,
    ignore: !CAN_MAKE_NAMESPACES,
    fn: () =>
      withNamespaces((pair) =>
        withFiles({ "config.ts": CONFIG }, async (directory) => {
          await pair.addSenderAddress("10.99.0.2/24");
          for (const [setting, value] of [["time", 1], ["intvl", 1], ["probes", 2]]) {
            await pair.sysctl(pair.sensor, `net.ipv4.tcp_keepalive_${setting}`, String(value));
          }
          await using program = new RunningProgram(
            [
              ...["dnstap", `tcp:${SENSOR.hostname}:${SENSOR.port}`, "--no-redis"],
              ...["--stats", "0.1", "--log-level", "debug", "-c", join(directory, "config.ts")],
            ],
            {
              command: (name, args, options) => pair.command(name, args, options),
              permissions: taskPermissions("dnstap"),
            },
          );
          await program.says("listening on");
          await test(pair, program);
        })
      ),
  });
}

/** It goes on, takes what others say, and ends as it should, with all that it was told. */
async function requireAlive(
  pair: NamespacePair,
  program: RunningProgram,
  connections: number,
  ...names: string[]
): Promise<void> {
  await using _ = await Peers.start(pair, 1, bytes(control(START), answer("last.example")));
  await program.prints("last.example.");
  program.signal("SIGTERM");
  const { status, stdout, stderr } = await program.ended;
  assert.equal(status, 0, stderr);
  for (const name of names) assert.ok(stdout.includes(name), `${name} is lost`);
  assert.ok(stderr.includes(`connections: ${connections + 1}, `), stderr);
  assert.ok(!stderr.includes("defect"), stderr);
}

/** How a peer is lost, and how the way to it is mended. */
const LOSSES: Record<string, [lose: string[], mend: string[]]> = {
  "its link is down": [
    ["link", "set", "veth0", "down"],
    ["link", "set", "veth0", "up"],
  ],
  ...Object.fromEntries(["unreachable", "prohibit", "blackhole"].map((kind) => [
    `its route is ${kind}`,
    [["route", "add", kind, "10.99.0.2"], ["route", "del", kind, "10.99.0.2"]],
  ])),
};

for (const [loss, [lose, mend]] of Object.entries(LOSSES)) {
  peersTest(`dnstap outlives silent peers of which ${loss}`, async (pair, program) => {
    const silent = await Peers.start(pair, 2, bytes(control(READY)));
    const begun = await Peers.start(pair, 2, bytes(control(START), answer("first.example")));
    await program.says("connections: 4, 4 open");
    await program.prints("first.example.");
    await pair.ip(...lose);
    await program.says("connections: 4, 0 open");
    await using _silent = silent;
    await using _begun = begun;
    await pair.ip(...mend);
    await requireAlive(pair, program, 4, "first.example.");
  });
}

peersTest("dnstap outlives peers that are reset, or half closed", async (pair, program) => {
  const close = "for (const it of connections) it.close();";
  const half = "for (const it of connections) await it.closeWrite();";
  const begin = bytes(control(START), answer("first.example"));
  // What is closed before all was read, such as the answer to READY, is reset.
  const wait = "await new Promise((resolve) => setTimeout(resolve, 300));";
  await using _reset = await Peers.start(pair, 3, control(READY), wait + close);
  await using _half = await Peers.start(pair, 3, begin, half);
  await using _cut = await Peers.start(pair, 3, begin.slice(0, -5), half);
  await program.says("connections: 9, 0 open");
  await requireAlive(pair, program, 9, "first.example.");
});

peersTest("dnstap takes another peer where as many as may be are silent", async (pair, program) => {
  // The kernel finds nothing wrong with them.
  await using _ = await Peers.start(pair, MOST_CONNECTIONS, control(START));
  await program.says(`connections: ${MOST_CONNECTIONS}, ${MOST_CONNECTIONS} open`);
  await requireAlive(pair, program, MOST_CONNECTIONS);
  assert.match(
    program.stderr,
    /a connection is ended: there are 256, and it was silent for longest/,
  );
});
