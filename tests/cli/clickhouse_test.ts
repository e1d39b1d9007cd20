import assert from "node:assert/strict";
import { join } from "node:path";
import { ClickHouseServer, HAS_CLICKHOUSE, NO_CLICKHOUSE } from "../clickhouse_server.ts";
import { flosensor } from "./program.ts";
import { OWN_NETWORKS, withSample } from "./sample_capture.ts";

function clickHouseTest(name: string, test: (server: ClickHouseServer) => Promise<void>): void {
  Deno.test({
    name: `${name}${NO_CLICKHOUSE}`,
    ignore: !HAS_CLICKHOUSE,
    async fn() {
      await using server = await ClickHouseServer.start();
      await server.ask("CREATE DATABASE flosensor");
      await test(server);
    },
  });
}

/** A report without what depends on where it is from. */
function comparable(json: string) {
  return { ...JSON.parse(json), source: "" };
}

async function printed(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await flosensor(args);
  assert.equal(status, 0, stderr);
  return stdout;
}

clickHouseTest(
  "a report of a ClickHouse says what one of a store says",
  (server) =>
    withSample(async ({ directory, file, config }) => {
      const store = join(directory, "flows.db");
      const url = `${server.url.replace("//", "//sensor:correct@")}/flosensor`;
      const options = ["-c", config];
      const sinks = ["--store", store, "--clickhouse", url];
      await printed("replay", file, ...OWN_NETWORKS, ...options, ...sinks);
      const expected = comparable(await printed("report", store, "--json"));
      const read = await printed(
        "report",
        ...OWN_NETWORKS,
        ...options,
        "--clickhouse",
        url,
        "--json",
      );
      assert.deepEqual(comparable(read), expected);
      // The same again, as of another sensor that sees the same: each conversation counts once.
      const other = config.replace("config.ts", "other.ts");
      await Deno.writeTextFile(
        other,
        `import { defineConfig } from "flosensor/config";\nexport default defineConfig({ sensor: "b", clickhouse: "${url}" });\n`,
      );
      await printed("replay", file, ...OWN_NETWORKS, "-c", other);
      const both = comparable(
        await printed("report", ...OWN_NETWORKS, "-c", other, "--clickhouse", url, "--json"),
      );
      assert.equal(both.totals.conversations, expected.totals.conversations);
      assert.equal(both.totals.bytes_client, expected.totals.bytes_client);
    }),
);

clickHouseTest(
  "a wrong login to a ClickHouse is one line, which has no password",
  (server) =>
    withSample(async ({ file, config }) => {
      const url = `${server.url.replace("//", "//sensor:wrong-horse@")}/flosensor`;
      const { status, stderr } = await flosensor([
        "replay",
        file,
        "-c",
        config,
        "--clickhouse",
        url,
      ]);
      assert.equal(status, 1);
      const errors = stderr.trim().split("\n").filter((line) => line.includes("error:"));
      assert.equal(errors.length, 1, stderr);
      assert.doesNotMatch(stderr, /wrong-horse/);
      assert.match(
        stderr,
        /^flosensor: warning: --clickhouse: all users of this host can see its password in the list of processes: put it into a file, --clickhouse-password-file$/m,
      );
      const place = await flosensor(["replay", file, "-c", config, "--clickhouse", "db:8123"]);
      assert.equal(place.status, 2);
      assert.match(
        place.stderr,
        /--clickhouse: the URL is none of a ClickHouse: write https:\/\/\[\[user\]\[:password\]@\]host\[/,
      );
    }),
);
