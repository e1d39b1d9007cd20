/** The page of a ClickHouse, beside that of a store of the same. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ClickHouseServer, HAS_CLICKHOUSE, NO_CLICKHOUSE } from "../clickhouse_server.ts";
import { connection } from "../conversations.ts";
import { bytes, pcap } from "../packets.ts";
import { unusedPort } from "../redis_server.ts";
import { flosensor, RunningProgram } from "./program.ts";

const DEMO = fileURLToPath(new URL("../demo_capture.ts", import.meta.url));
const CLIENT = "192.168.1.23";
const OWN = ["192.168.1.0/24", "2001:db8:1::/64"];
const CONFIG =
  'import { defineConfig } from "flosensor/config";\nexport default defineConfig({});\n';
/** Of a capture file, pcap-savefile(5). */
const FILE_HEADER = 24;
/** What the page asks for. */
const VIEWS = [
  "overview",
  "flows",
  "flows?sort=-bytes&limit=3&offset=2",
  "flows?filter=port%3A443",
  "services",
  "services?of=all",
  "unexplained",
  "encrypted-dns",
  "refused",
  "names",
];

/** The demo, and a connection of DNS over TLS. */
async function demo(): Promise<Uint8Array> {
  const args = ["run", "--quiet", DEMO];
  const { success, stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
  assert.ok(success);
  const encrypted = connection(CLIENT, 50_853, "198.51.100.53", 853);
  const seconds = new DataView(stdout.buffer, stdout.byteOffset).getUint32(FILE_HEADER, true) + 60;
  const more = pcap(encrypted.map((packet) => ({ packet, seconds })));
  return bytes(stdout, more.subarray(FILE_HEADER));
}

/** Starts `serve`, and gives where its page is. */
async function served(...args: string[]): Promise<{ program: RunningProgram; url: string }> {
  const program = new RunningProgram(["serve", "--listen", String(await unusedPort()), ...args]);
  await program.says("page: ");
  return { program, url: /page: (\S+)/.exec(program.stderr)![1] };
}

async function answer(page: string, what: string) {
  const response = await fetch(new URL(`/api/${what}`, page));
  assert.equal(response.status, 200, what);
  return comparable((await response.json()).data);
}

/** Without what is of the database that is shown: numbers of rows, and when it was written. */
function comparable(data: unknown) {
  const own = ["id", "sensor"];
  return JSON.parse(JSON.stringify(data, (name, value) => own.includes(name) ? undefined : value));
}

Deno.test({
  name:
    `serve shows of a ClickHouse what it shows of a store, and expect expects the same${NO_CLICKHOUSE}`,
  ignore: !HAS_CLICKHOUSE,
  fn: async () => {
    await using server = await ClickHouseServer.start();
    const folder = await Deno.makeTempDir({ prefix: "flosensor-serve-" });
    try {
      const file = join(folder, "demo.pcap");
      const store = join(folder, "flows.db");
      const config = join(folder, "config.ts");
      await Deno.writeFile(file, await demo());
      await Deno.writeTextFile(config, CONFIG);
      const clickhouse = `${server.url}/flows`;
      const { status, stderr } = await flosensor([
        ...["replay", "-c", config, "--no-redis", "--store", store, "--clickhouse", clickhouse],
        ...[file, ...OWN],
      ]);
      assert.equal(status, 0, stderr);
      const expectations = async (...source: string[]) => {
        const { status, stdout, stderr } = await flosensor(["expect", "-c", config, ...source]);
        assert.equal(status, 0, stderr);
        // The first line names the source.
        return stdout.split("\n").slice(1);
      };
      const expected = await expectations(store);
      assert.ok(expected.some((line) => line.includes("22")), expected.join("\n"));
      assert.deepEqual(await expectations("--clickhouse", clickhouse), expected);

      const ofStore = await served("-c", config, store);
      await using _one = ofStore.program;
      const ofServer = await served("-c", config, "--clickhouse", clickhouse);
      await using _other = ofServer.program;
      const isSame = async (view: string) => {
        const [found, expected] = [
          await answer(ofServer.url, view),
          await answer(ofStore.url, view),
        ];
        assert.deepEqual(found, expected, view);
        return expected;
      };
      for (const view of VIEWS) await isSame(view);
      const { rows } = await isSame("flows");
      assert.ok(rows.length > 8);
      for (const { client, server, port, protocol } of rows) {
        const flow = new URLSearchParams({ client, server, port, proto: protocol });
        await isSame(`flow?${flow}`);
        await isSame(`explain?${flow}`);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
