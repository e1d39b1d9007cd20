/** The dashboard and the alert rules, against promtool and what a sensor really says. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { redisTest, startCapture } from "../cli/capture_setting.ts";
import { OWN_NETWORKS, SAMPLE_KEYS } from "../cli/sample_capture.ts";
import { until } from "../namespaces.ts";
import {
  curl,
  HAS_PROMETHEUS,
  PrometheusInNamespace,
  promtool,
  WITHOUT_PROMETHEUS,
} from "../prometheus_in_namespace.ts";

const FOLDER = fileURLToPath(new URL("../../deploy/monitoring/", import.meta.url));
const RULES = join(FOLDER, "flosensor.rules.yml");
const PLACE = "127.0.0.1:3048";
/** What Prometheus itself says of what it asks. */
const OF_PROMETHEUS = "up";

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: Readonly<Record<"x" | "y" | "w" | "h", number>>;
  readonly targets?: readonly { readonly expr: string }[];
}

const DASHBOARD: {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly definition?: string }[] };
} = JSON.parse(await Deno.readTextFile(join(FOLDER, "grafana-dashboard.json")));

/** The dashboard's queries, as Grafana would ask them. */
const QUERIES = DASHBOARD.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
  .map((expr) => expr.replaceAll("$__rate_interval", "1m").replaceAll(/\$(job|instance)/g, ".*"));

/** Names of metrics in queries; those of histograms without what is added to them. */
function metricsIn(text: string): Set<string> {
  const names = text.match(/\b(?:flosensor|process)_\w+|\bup\b/g) ?? [];
  return new Set(names.map((name) => name.replace(/(_seconds)_(?:bucket|sum|count)$/, "$1")));
}

Deno.test({
  name: "promtool finds nothing wrong with the alert rules, and their tests hold" +
    WITHOUT_PROMETHEUS,
  ignore: !HAS_PROMETHEUS,
  fn: async () => {
    const checked = await promtool(["check", "rules", RULES]);
    assert.equal(checked.code, 0, checked.stdout + checked.stderr);
    const tested = await promtool(["test", "rules", join(FOLDER, "flosensor.rules_test.yml")]);
    assert.equal(tested.code, 0, tested.stdout + tested.stderr);
  },
});

Deno.test("each alert has a test, and stands in docs/monitoring.md", async () => {
  const alertsIn = (text: string, key: string) =>
    new Set([...text.matchAll(new RegExp(`${key}:? *(Flosensor\\w+)`, "g"))].map(([, it]) => it));
  const alerts = alertsIn(await Deno.readTextFile(RULES), "alert");
  assert.ok(alerts.size > 0);
  const tests = await Deno.readTextFile(join(FOLDER, "flosensor.rules_test.yml"));
  assert.deepEqual(alertsIn(tests, "alertname"), alerts);
  const page = await Deno.readTextFile(new URL("../../docs/monitoring.md", import.meta.url));
  const documented = new Set([...page.matchAll(/^\| `(Flosensor\w+)`/gm)].map(([, it]) => it));
  assert.deepEqual(documented, alerts);
});

Deno.test("no two panels of the dashboard overlap, and each says what it shows", () => {
  const { panels } = DASHBOARD;
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const cells = new Map<string, string>();
  for (const { type, title, description, gridPos: { x, y, w, h } } of panels) {
    assert.ok(type === "row" || description, title);
    assert.ok(x + w <= 24, title);
    for (let row = y; row < y + h; row++) {
      for (let column = x; column < x + w; column++) {
        const cell = `${column} ${row}`;
        assert.equal(cells.get(cell), undefined, title);
        cells.set(cell, title);
      }
    }
  }
});

redisTest(
  "each query of the dashboard has an answer, each rule asks what is there; all is documented" +
    WITHOUT_PROMETHEUS,
  async (setting, redis) => {
    if (!HAS_PROMETHEUS) return;
    const { pair } = setting;
    await using program = await startCapture(setting, [
      ...["veth0", ...OWN_NETWORKS, "--redis", redis.url, "--metrics", PLACE],
    ]);
    await using prometheus = await PrometheusInNamespace.start(pair, PLACE, [RULES]);
    await pair.replay(setting.file);
    await redis.has(...SAMPLE_KEYS);
    // For a packet that is not decoded: the kernel asks for the address first (ARP).
    await pair.addSenderAddress("10.99.0.2/24");
    await new Deno.Command("ip", {
      args: ["netns", "exec", pair.sender, "bash", "-c", "echo > /dev/udp/10.99.0.1/9"],
    }).output();

    const { stdout: text } = await curl(pair, `http://${PLACE}/metrics`);
    const exported = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    const { definitions, rules } = {
      definitions: DASHBOARD.templating.list.map(({ definition = "" }) => definition).join("\n"),
      rules: (await Deno.readTextFile(RULES)).replaceAll(/^ *(?:#|summary:).*$/gm, ""),
    };
    const asked = metricsIn([...QUERIES, definitions, rules].join("\n"));
    const unknown = [...asked].filter((name) => name !== OF_PROMETHEUS && !exported.has(name));
    assert.deepEqual(unknown, []);
    const shown = metricsIn(QUERIES.join("\n"));
    const notShown = [...exported].filter((name) => !shown.has(name));
    assert.deepEqual(notShown, ["process_start_time_seconds"]);
    const page = await Deno.readTextFile(new URL("../../docs/monitoring.md", import.meta.url));
    const documented = [...page.matchAll(/^\| `((?:flosensor|process)_\w+)/gm)].map(([, it]) => it);
    assert.deepEqual(documented.sort(), [...exported].sort());

    for (const query of QUERIES) {
      await until(async () => (await prometheus.query(query)).length > 0).catch(() => {
        assert.fail(`no answer to ${query}`);
      });
    }

    await redis.halt();
    await until(async () =>
      (await prometheus.query('ALERTS{alertname="FlosensorSinkDown"}')).some(({ metric }) =>
        metric.alertstate === "pending" && metric.sink === "redis"
      )
    );
    program.signal("SIGTERM");
    await program.ended;
  },
);
