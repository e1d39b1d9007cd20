/** The units as a systemd runs them, with the program that is compiled. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeDnstap } from "../../src/dns/dnstap.ts";
import { RedisInNamespace } from "../cli/redis_in_namespace.ts";
import { capture, OWN_NETWORKS, SAMPLE_CAPTURE, SAMPLE_KEYS } from "../cli/sample_capture.ts";
import { withFiles } from "../config/temporary_files.ts";
import { connection, keysOfFlow } from "../conversations.ts";
import { address, response } from "../dns/dns_messages.ts";
import { stream } from "../dns/frame_writer.ts";
import {
  CAN_MAKE_NAMESPACES,
  type NamespacePair,
  until,
  withNamespaces,
  WITHOUT_NAMESPACES,
} from "../namespaces.ts";
import { bytes } from "../packets.ts";
import { threadStatuses } from "../process_status.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER } from "../redis_server.ts";
import { compileOnce, testsOf } from "./compiled.ts";
import { CAN_RUN_SYSTEMD, RunningSystemd, WITHOUT_SYSTEMD } from "./running_systemd.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const COMPILED = await compileOnce();
const compiledTest = testsOf(COMPILED);

const PASSWORD = "a password";
const LOGIN = ["--no-auth-warning", "-a", PASSWORD];
const STORE = "/var/lib/flosensor/veth0/flows.db";
/** CAP_NET_RAW, linux/capability.h. */
const NET_RAW = 1n << 13n;

/** What systemd, the network of its services and the Redis in it are. */
interface Setting {
  readonly systemd: RunningSystemd;
  readonly pair: NamespacePair;
  readonly redis: RedisInNamespace;
  readonly directory: string;
  /** What the journal has of the service, at least that urgent. */
  readonly log: (priority?: string) => Promise<string>;
}

/**
 * A test with a systemd where flosensor was installed.
 *
 * @param settings A drop-in for the unit.
 */
function unitTest(
  name: string,
  unit: string,
  settings: readonly string[],
  test: (setting: Setting) => Promise<void>,
): void {
  compiledTest(name, () =>
    withNamespaces(async (pair) => {
      await using redis = await RedisInNamespace.start(pair);
      await redis.cli("CONFIG", "SET", "requirepass", PASSWORD);
      await withFiles({
        "files/etc/redis-password": `${PASSWORD}\n`,
        [`files/etc/systemd/system/${unit}.service.d/test.conf`]: [
          "[Service]",
          ...["LoadCredential=redis-password:/etc/redis-password", ...settings, ""],
        ].join("\n"),
      }, async (directory) => {
        const files = join(directory, "files");
        const { success, stderr } = await new Deno.Command(Deno.execPath(), {
          args: ["task", "--quiet", "install", "--root", files, "--dist", COMPILED.dist],
          cwd: ROOT,
        }).output();
        assert.ok(success, new TextDecoder().decode(stderr));
        await using systemd = await RunningSystemd.start(pair, files);
        const log = async (priority = "debug") => {
          const options = ["--output=cat", `--unit=${unit}`, `--priority=${priority}`];
          return (await systemd.run("journalctl", "_COMM=flosensor", ...options)).stdout;
        };
        try {
          await test({ systemd, pair, redis, directory, log });
        } catch (error) {
          throw new Error(`the service said:\n${await log()}`, { cause: error });
        }
      });
    }), {
    ignore: !CAN_RUN_SYSTEMD || !CAN_MAKE_NAMESPACES || !HAS_REDIS_SERVER,
    reason: WITHOUT_SYSTEMD + WITHOUT_NAMESPACES + NO_REDIS_SERVER,
  });
}

async function hasKeys(redis: RedisInNamespace, keys: readonly string[]): Promise<boolean> {
  return (await redis.cli(...LOGIN, "EXISTS", ...keys)).trim() === String(keys.length);
}

/** Asserts that threads which run JavaScript have no capability, and all the sandbox. */
function assertConfined(pid: number, spare: bigint): void {
  const threads = threadStatuses(pid);
  assert.ok(threads.length > 1);
  for (const thread of threads) {
    const name = thread.get("Name")!;
    assert.doesNotMatch(thread.get("Uid")!, /\b0\b/, name);
    assert.equal(thread.get("NoNewPrivs"), "1", name);
    assert.equal(thread.get("Seccomp"), "2", name);
    const kept = thread.get("Pid") === thread.get("Tgid") ? 0n : spare;
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"]) {
      assert.equal(BigInt(`0x${thread.get(set)}`) & ~kept, 0n, `${name} ${set}`);
    }
  }
}

unitTest(
  "systemd runs a capture: confined, reloaded, started again when it is killed, ended with all it saw",
  "flosensor@veth0",
  [
    `Environment="FLOSENSOR_OPTIONS=${OWN_NETWORKS.join(" ")} --redis redis://127.0.0.1:6379 ` +
    `--redis-password-file %d/redis-password --store ${STORE}"`,
  ],
  async ({ systemd, pair, redis, directory, log }) => {
    const service = "flosensor@veth0";
    const show = async (property: string) =>
      (await systemd.systemctl("show", `--property=${property}`, "--value", service)).trim();
    const sample = join(directory, "sample.pcap");
    await Deno.writeFile(sample, SAMPLE_CAPTURE);
    await systemd.systemctl("start", service);
    assert.equal(await show("StatusText"), "capturing on veth0");
    const first = await systemd.mainPid(service);
    assertConfined(first, NET_RAW);
    await pair.replay(sample);
    await until(() => hasKeys(redis, SAMPLE_KEYS));

    await systemd.systemctl("reload", service);
    await until(async () => (await log()).split("configuration: ").length === 3);
    await pair.removeVeth();
    await until(async () => (await log("warning")).includes("veth0 has vanished"));
    await pair.addVeth();
    await until(async () => (await log()).includes("veth0 is up: capture goes on"));
    await until(async () => await show("StatusText") === "capturing on veth0");

    Deno.kill(first, "SIGKILL");
    await until(async () => {
      const isActive = await systemd.run("systemctl", "is-active", "--quiet", service);
      return await show("NRestarts") === "1" && isActive.code === 0;
    });
    const again = join(directory, "again.pcap");
    await Deno.writeFile(again, capture(connection("10.1.0.77", 50_000, "198.51.100.80", 443)));
    await pair.replay(again);
    await systemd.systemctl("stop", service);
    assert.equal(await show("Result"), "success");
    assert.ok(await hasKeys(redis, keysOfFlow("10.1.0.77", "198.51.100.80", 443)));
    const { stdout } = await systemd.run("flosensor", "report", STORE, "--json");
    const usages: { client: string; port: number }[] = JSON.parse(stdout).usages;
    for (const client of ["10.1.0.1", "10.1.0.77"]) {
      assert.ok(usages.some((it) => it.client === client && it.port === 443), stdout);
    }
    const vanished = "flosensor: warning: veth0 has vanished: capture waits for it to come back\n";
    assert.equal(await log("warning"), vanished);
    assert.doesNotMatch(await log(), /error|sandbox|<\d>/);
  },
);

unitTest(
  "systemd tries an interface that is not there until it is, where a drop-in says so",
  "flosensor@late0",
  [
    `Environment="FLOSENSOR_OPTIONS=${OWN_NETWORKS.join(" ")} --no-redis --json"`,
    ...["RestartSec=100ms", "[Unit]", "StartLimitIntervalSec=0"],
  ],
  async ({ systemd, pair, log }) => {
    const service = "flosensor@late0";
    assert.notEqual((await systemd.run("systemctl", "start", service)).code, 0);
    // More often than the unit has it tried.
    await until(async () => (await log("err")).split("late0: no such interface").length > 11);
    await pair.addVeth("late0", "peer1");
    await until(async () => (await systemd.run("systemctl", "is-active", service)).code === 0);
    assert.match(await log(), /^flosensor: capturing on late0$/m);
  },
);

unitTest(
  "systemd runs dnstap: confined, at a socket that a name server's group may write to",
  "flosensor-dnstap",
  [
    "Group=bind-test",
    'Environment="FLOSENSOR_OPTIONS=--redis redis://127.0.0.1:6379 ' +
    '--redis-password-file %d/redis-password"',
  ],
  async ({ systemd, redis, log }) => {
    const service = "flosensor-dnstap";
    assert.equal((await systemd.run("groupadd", "bind-test")).code, 0);
    await systemd.systemctl("start", service);
    assertConfined(await systemd.mainPid(service), 0n);
    const path = "/run/flosensor/dnstap.sock";
    const { stdout } = await systemd.run("stat", "--format=%A %G", path);
    assert.equal(stdout, "srw-rw---- bind-test\n");
    using connection = await Deno.connect({ transport: "unix", path: systemd.path(path) });
    const message = {
      ...{ type: 6, socketFamily: 1, socketProtocol: 1, queryPort: 5353 },
      ...{ queryAddress: bytes(10, 0, 0, 7), responseTimeSec: 1_790_000_000, responseTimeNsec: 0 },
      responseMessage: response("www.example", [address("www.example", "192.0.2.1")]),
    };
    const sent = stream(
      encodeDnstap({ identity: bytes("ns1"), version: bytes("test"), message }),
    );
    assert.equal(await connection.write(sent), sent.length);
    await until(() => hasKeys(redis, ["10.0.0.7;192.0.2.1;dns"]));
    await systemd.systemctl("stop", service);
    assert.equal(await log("warning"), "");
    assert.match(await log(), /^flosensor: listening on unix:/m);
  },
);
