import assert from "node:assert/strict";
import { join } from "node:path";
import { encodeDnstap } from "../../src/dns/dnstap.ts";
import { withFiles } from "../config/temporary_files.ts";
import { address, response } from "../dns/dns_messages.ts";
import { control, frame, READY, START } from "../dns/frame_writer.ts";
import { taskPermissions } from "../dns/task_permissions.ts";
import { isProgram } from "../installed.ts";
import {
  CAN_MAKE_NAMESPACES,
  type NamespacePair,
  run,
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

  /**
   * Connects, sends on each connection, and waits until all have sent. `then` is a statement.
   *
   * @param later Is sent when {@linkcode Peers.goOn} says so.
   */
  static async start(
    pair: NamespacePair,
    count: number,
    sent: Uint8Array,
    then = "",
    later: Uint8Array = new Uint8Array(),
  ): Promise<Peers> {
    const script = `
      const connections = [];
      Deno.addSignalListener("SIGUSR1", () => {
        for (const it of connections) it.write(Uint8Array.fromHex("${later.toHex()}"));
      });
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

  goOn(): void {
    this.#process.kill("SIGUSR1");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }
}

/** A kernel that soon asks silent peers for a sign, and soon gives up what is not acknowledged. */
const IMPATIENT = {
  tcp_keepalive_time: "1",
  tcp_keepalive_intvl: "1",
  tcp_keepalive_probes: "2",
  tcp_retries2: "5",
  // What comes from where there is no way to is taken nevertheless.
  "conf.all.rp_filter": "0",
  "conf.veth0.rp_filter": "0",
};

/** Whether the kernel can be made to say that something went wrong. */
const CAN_INJECT = isProgram("strace", "-e", "inject=recvfrom:error=EIO", "true");

const FAILURES = 3;

/** Has the next reads of a thread from sockets fail. */
async function failingReads(thread: number, error: string): Promise<AsyncDisposable> {
  const strace = new Deno.Command("strace", {
    args: [
      ...["-p", String(thread), "-e", "trace=recvfrom"],
      ...["-e", `inject=recvfrom:error=${error}:when=1..${FAILURES}`],
    ],
    stderr: "piped",
  }).spawn();
  let hasEnded = false;
  strace.status.then(() => hasEnded = true);
  const reader = strace.stderr.getReader();
  // It says that it is attached.
  await reader.read();
  return {
    async [Symbol.asyncDispose]() {
      // It ends with what it is attached to.
      if (!hasEnded) strace.kill("SIGTERM");
      await reader.cancel();
      await strace.status;
    },
  };
}

/** A test with `dnstap` in the sensor's namespace. */
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
          for (const [setting, value] of Object.entries(IMPATIENT)) {
            await pair.sysctl(pair.sensor, `net.ipv4.${setting}`, value);
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
const LOSSES: Record<string, (pair: NamespacePair, isLost: boolean) => Promise<unknown>> = {
  "whose link is down": (pair, isLost) => pair.ip("link", "set", "veth0", isLost ? "down" : "up"),
  ...Object.fromEntries(["unreachable", "prohibit", "blackhole"].map((kind) => [
    `whose route is ${kind}`,
    (pair: NamespacePair, isLost: boolean) =>
      pair.ip("route", isLost ? "add" : "del", kind, "10.99.0.2"),
  ])),
};

for (const [loss, change] of Object.entries(LOSSES)) {
  peersTest(`dnstap outlives silent peers ${loss}`, async (pair, program) => {
    const silent = await Peers.start(pair, 2, bytes(control(READY)));
    const begun = await Peers.start(pair, 2, bytes(control(START), answer("first.example")));
    await program.says("connections: 4, 4 open");
    await program.prints("first.example.");
    await change(pair, true);
    await program.says("connections: 4, 0 open");
    await using _silent = silent;
    await using _begun = begun;
    await change(pair, false);
    await requireAlive(pair, program, 4, "first.example.");
  });
}

peersTest("dnstap outlives peers that its answer does not reach", async (pair, program) => {
  const hello = bytes(control(READY), control(START), answer("first.example"));
  const peers = await Peers.start(pair, 2, bytes(), "", hello);
  await program.says("connections: 2, 2 open");
  // Nobody says who has the peer's address, and the peer knows who has the sensor's.
  await pair.sysctl(pair.sender, "net.ipv4.conf.all.arp_ignore", "8");
  const [, , hardware] = (await pair.ip("-br", "link", "show", "dev", pair.veth)).split(/ +/);
  await run(
    "ip",
    ...["-n", pair.sender, "neigh", "replace", "10.99.0.1", "lladdr", hardware],
    ...["dev", pair.peer, "nud", "permanent"],
  );
  await pair.ip("neigh", "flush", "dev", pair.veth);
  peers.goOn();
  await program.prints("first.example.");
  await program.says("connections: 2, 0 open");
  await using _peers = peers;
  await pair.sysctl(pair.sender, "net.ipv4.conf.all.arp_ignore", "0");
  await requireAlive(pair, program, 2, "first.example.");
});

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

for (
  const error of [
    ...["EHOSTUNREACH", "ENETUNREACH", "ENETDOWN", "EHOSTDOWN", "ETIMEDOUT", "ECONNRESET"],
    ...["EACCES", "EINVAL", "EIO", "ENOBUFS", "EPIPE", "EPROTO"],
  ]
) {
  Deno.test({
    name: `dnstap outlives peers whose sockets have ${error}` +
      (CAN_INJECT ? "" : " (skipped: needs strace)"),
    ignore: !CAN_INJECT,
    fn: () =>
      withFiles({ "config.ts": CONFIG }, async (directory) => {
        const path = join(directory, "socket");
        await using program = new RunningProgram(
          [
            ...["dnstap", `unix:${path}`, "--no-redis", "--log-level", "debug"],
            ...["-c", join(directory, "config.ts")],
          ],
          { permissions: taskPermissions("dnstap", directory) },
        );
        await program.says("listening on");
        await using _ = await failingReads(program.pid, error);
        const connections: Deno.Conn[] = [];
        const hello = bytes(control(START), answer("last.example"));
        for (let i = 0; i <= FAILURES; i++) {
          const connection = await Deno.connect({ transport: "unix", path });
          connections.push(connection);
          await connection.write(hello);
          await program.says(i < FAILURES ? "os error" : "has connected", i + 1);
        }
        await program.prints("last.example.");
        for (const connection of connections) connection.close();
        program.signal("SIGTERM");
        const { status, stderr } = await program.ended;
        assert.equal(status, 0, stderr);
        assert.ok(!stderr.includes("defect"), stderr);
      }),
  });
}
