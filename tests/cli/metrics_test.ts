import assert from "node:assert/strict";
import { join } from "node:path";
import { until } from "../namespaces.ts";
import {
  curl,
  HAS_PROMETHEUS,
  PrometheusInNamespace,
  promtool,
  WITHOUT_PROMETHEUS,
} from "../prometheus_in_namespace.ts";
import { unusedPort } from "../redis_server.ts";
import { HAS_SCRIPT, PseudoTerminal, taskCommand } from "./pseudo_terminal.ts";
import { redisTest, type Setting, startCapture } from "./capture_setting.ts";
import { flosensor, type RunningProgram } from "./program.ts";
import { OWN_NETWORKS, SAMPLE_KEYS, SAMPLE_PACKETS } from "./sample_capture.ts";

const PLACE = "127.0.0.1:3048";
const URL_OF = `http://${PLACE}`;

/** What a path says, and its status. */
async function ask({ pair }: Setting, path: string, ...args: string[]) {
  const { stdout } = await curl(pair, "--write-out", "%{http_code}", ...args, `${URL_OF}${path}`);
  return { status: Number(stdout.slice(-3)), text: stdout.slice(0, -3) };
}

/** Waits until it is ready, or not ready for a reason. */
async function untilReady(setting: Setting, expected: "ok" | RegExp): Promise<void> {
  await until(async () => {
    const { status, text } = await ask(setting, "/readyz");
    return expected === "ok"
      ? status === 200 && text === "ok\n"
      : status === 503 && expected.test(text);
  });
}

function sumIn(text: string, name: string): number {
  return [...text.matchAll(new RegExp(`^${name}(?:\\{[^\\n]*\\})? (\\S+)$`, "gm"))]
    .reduce((sum, [, value]) => sum + Number(value), 0);
}

async function end(program: RunningProgram): Promise<string> {
  program.signal("SIGTERM");
  const { status, stderr } = await program.ended;
  assert.equal(status, 0, stderr);
  return stderr;
}

/** A test with Redis and Prometheus. */
function metricsTest(name: string, test: Parameters<typeof redisTest>[1], config?: string): void {
  redisTest(name + WITHOUT_PROMETHEUS, async (setting, redis) => {
    if (HAS_PROMETHEUS) await test(setting, redis);
  }, config);
}

for (const workers of [1, 2]) {
  metricsTest(
    `Prometheus gets what --stats says, with ${workers} ${workers === 1 ? "thread" : "threads"}`,
    async (setting, redis) => {
      const { pair } = setting;
      await using program = await startCapture(setting, [
        ...["veth0", ...OWN_NETWORKS, "--redis", redis.url, "--workers", String(workers)],
        ...["--metrics", PLACE],
      ]);
      await using prometheus = await PrometheusInNamespace.start(pair, PLACE);
      await pair.replay(setting.file);
      await redis.has(...SAMPLE_KEYS);
      const received = "flosensor_received_packets_total";
      await until(async () =>
        (await prometheus.query(received)).some(({ metric, value }) =>
          metric.interface === "veth0" && value >= SAMPLE_PACKETS.length
        )
      );
      const { text } = await ask(setting, "/metrics");
      assert.deepEqual(await promtool(["check", "metrics"], text), {
        code: 0,
        stdout: "",
        stderr: "",
      });
      assert.equal((await ask(setting, "/healthz")).text, "ok\n");
      assert.equal((await ask(setting, "/readyz")).text, "ok\n");
      const [line] = (await end(program)).split("\n").filter((it) => it.includes("packets: "));
      const counts = [
        [/(\d+) dropped by kernel/, "flosensor_kernel_dropped_packets_total"],
        [/(\d+) dropped by interface/, "flosensor_interface_dropped_packets_total"],
        [/(\d+) decoded/, 'flosensor_packets_total\\{outcome="(?:transport|unreachable)"\\}'],
        [/conversations: (\d+)/, "flosensor_conversations"],
        [/flows: (\d+)/, "flosensor_flows_total"],
        [/keys: (\d+) written/, "flosensor_sink_written_total"],
        [/DNS: (\d+) messages/, "flosensor_dns_messages_total"],
      ] as const;
      for (const [inLine, name] of counts) {
        assert.equal(Number(inLine.exec(line)?.[1]), sumIn(text, name), `${name} in ${line}`);
      }
      // The kernel may have sent something itself meanwhile.
      assert.ok(Number(/(\d+) received/.exec(line)?.[1]) >= sumIn(text, received), line);
      assert.ok(sumIn(text, "flosensor_sink_queue_age_seconds_count") > 0, text);
      assert.ok(sumIn(text, "flosensor_sink_flush_duration_seconds_count") > 0, text);
    },
  );
}

for (const workers of [1, 2]) {
  metricsTest(
    `/readyz says what is wrong, with ${workers} ${workers === 1 ? "thread" : "threads"}`,
    async (setting, redis) => {
      const { pair } = setting;
      await using program = await startCapture(setting, [
        ...["veth0", ...OWN_NETWORKS, "--redis", redis.url, "--workers", String(workers)],
        ...["--metrics", PLACE],
      ]);
      await untilReady(setting, "ok");
      await pair.ip("link", "set", "veth0", "down");
      await untilReady(setting, /^veth0 went down\n$/);
      assert.equal(sumIn((await ask(setting, "/metrics")).text, "flosensor_interface_up"), 0);
      await redis.halt();
      await untilReady(
        setting,
        /^veth0 went down\nRedis at redis:\/\/127\.0\.0\.1:6379 is away \(.*\)\n$/,
      );
      assert.equal(sumIn((await ask(setting, "/metrics")).text, "flosensor_sink_up"), 0);
      // It lives, whatever is wrong around it.
      assert.deepEqual(await ask(setting, "/healthz"), { status: 200, text: "ok\n" });
      await redis.run();
      await untilReady(setting, /^veth0 went down\n$/);
      await pair.ip("link", "set", "veth0", "up");
      await untilReady(setting, "ok");
      await end(program);
    },
  );
}

metricsTest(
  "metrics of config.ts are served where it says; a reload that fails is seen there",
  async (setting, redis) => {
    await using program = await startCapture(setting, ["veth0", "--redis", redis.url]);
    await program.says(`metrics: ${URL_OF}/metrics`);
    const name = "flosensor_config_last_reload_successful";
    assert.equal(sumIn((await ask(setting, "/metrics")).text, name), 1);
    await Deno.writeTextFile(setting.config, "no configuration");
    program.signal("SIGHUP");
    await until(async () => sumIn((await ask(setting, "/metrics")).text, name) === 0);
    await Deno.writeTextFile(
      setting.config,
      'import { defineConfig } from "flosensor/config";\nexport default defineConfig({});\n',
    );
    // Signals within a second are one.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    program.signal("SIGHUP");
    await program.says("metrics of the configuration stays as it was until the next start");
    await until(async () => sumIn((await ask(setting, "/metrics")).text, name) === 1);
    await end(program);
  },
  'import { defineConfig } from "flosensor/config";\n' +
    `export default defineConfig({ metrics: "${PLACE}" });\n`,
);

metricsTest(
  "on loopback pages of other sites get no metrics; beyond it whoever reaches them does",
  async (setting, redis) => {
    {
      await using program = await startCapture(
        setting,
        ["veth0", "--redis", redis.url, "--metrics", PLACE],
      );
      assert.equal((await ask(setting, "/metrics", "-H", "Host: evil.example")).status, 421);
      const origin = ["-H", "Origin: https://evil.example"];
      assert.equal((await ask(setting, "/metrics", ...origin)).status, 403);
      assert.equal((await ask(setting, "/metrics", "-X", "POST")).status, 405);
      assert.equal((await ask(setting, "/other")).status, 404);
      assert.doesNotMatch(await end(program), /firewall/);
    }
    await using program = await startCapture(
      setting,
      ["veth0", "--redis", redis.url, "--metrics", "0.0.0.0:3048"],
    );
    await program.says("let a firewall decide who does");
    assert.equal((await ask(setting, "/metrics", "-H", "Host: sensor.example")).status, 200);
    const origin = ["-H", "Origin: https://evil.example"];
    assert.equal((await ask(setting, "/metrics", ...origin)).status, 403);
    await end(program);
  },
);

metricsTest("--user serves metrics after root is given up", async (setting, redis) => {
  await using program = await startCapture(
    setting,
    ["veth0", "--redis", redis.url, "--metrics", PLACE, "--user", "nobody"],
  );
  await untilReady(setting, "ok");
  assert.ok(sumIn((await ask(setting, "/metrics")).text, "process_cpu_seconds_total") > 0);
  await end(program);
});

metricsTest("a port of metrics that is taken ends the start in one line", async (setting) => {
  await using other = setting.pair.command("python3", [
    ...["-m", "http.server", "3048", "--bind", "127.0.0.1"],
  ], { stdout: "null", stderr: "null" }).spawn();
  await until(async () => (await ask(setting, "/")).status === 200);
  const { status, stderr } = await flosensor(
    ["capture", "veth0", "--no-redis", "-c", setting.config, "--metrics", PLACE],
    { command: (name, args, options) => setting.pair.command(name, args, options) },
  );
  assert.equal(status, 1);
  assert.match(
    stderr,
    /^flosensor: error: --metrics 127\.0\.0\.1:3048: another program listens there: name another port$/m,
  );
  // A table that was there already gives the terminal back.
  if (HAS_SCRIPT) {
    const task = taskCommand("capture", "veth0", "-c", setting.config, "--metrics", PLACE);
    await using terminal = new PseudoTerminal(
      `exec ${task}`,
      (name, args, options) => setting.pair.command(name, args, options),
    );
    assert.equal(await terminal.ended, 1);
    assert.deepEqual(terminal.screens, { entered: 1, left: 1 });
    assert.match(terminal.afterScreen, /another program listens there: name another port\n$/);
  }
  other.kill();
  await other.status;
});

Deno.test("--metrics and metrics of config.ts say how a place is written", async () => {
  const usage = await flosensor(["capture", "lo", "--metrics", "nowhere:0"]);
  assert.equal(usage.status, 2);
  assert.match(usage.stderr, /--metrics.*nowhere:0.*Write 127\.0\.0\.1:3048/);
  const folder = await Deno.makeTempDir({ prefix: "flosensor-metrics-" });
  try {
    const config = join(folder, "config.ts");
    await Deno.writeTextFile(
      config,
      'import { defineConfig } from "flosensor/config";\n' +
        `export default defineConfig({\n  metrics: "::${await unusedPort()}::",\n});\n`,
    );
    const { status, stderr } = await flosensor(["check", "-c", config]);
    assert.equal(status, 1);
    assert.match(stderr, /config\.ts:3: .*is not understood.*127\.0\.0\.1:3048/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
