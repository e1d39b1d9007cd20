/** Captures on the interface that leads to their ClickHouse, while it goes and comes back. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { ClickHouseServer, HAS_CLICKHOUSE, NO_CLICKHOUSE } from "../clickhouse_server.ts";
import { connection } from "../conversations.ts";
import { address, nameError, response } from "../dns/dns_messages.ts";
import { CAN_MAKE_NAMESPACES, until, WITHOUT_NAMESPACES } from "../namespaces.ts";
import { type Bytes, ethernet, ip, ipUdp, pcap, RST, tcp, udp } from "../packets.ts";
import { captureTest, IMPORT, type Setting, startCapture } from "./capture_setting.ts";
import { flosensor, PERMISSIONS } from "./program.ts";

const CLICKHOUSE = "10.99.0.2";
const SENSOR = "10.99.0.1";
const OWN_NETWORKS = ["10.1.0.0/16", `${SENSOR}/32`];
/** Milliseconds; minutes are tried with another number in `FLOSENSOR_TEST_AWAY`. */
const AWAY = Number(Deno.env.get("FLOSENSOR_TEST_AWAY") ?? 8_000);
/** New connections a second. */
const CONNECTIONS = Number(Deno.env.get("FLOSENSOR_TEST_CONNECTIONS") ?? 200);
/** Milliseconds before it goes, and after it is back. */
const THERE = 4_000;

/** A test with a ClickHouse behind the interface that is captured. */
function clickHouseTest(
  name: string,
  test: (setting: Setting, server: ClickHouseServer, args: string[]) => Promise<void>,
): void {
  captureTest(
    name,
    async (setting) => {
      const { pair, directory } = setting;
      await pair.addSenderAddress(`${CLICKHOUSE}/24`);
      const at = { namespace: pair.sender, address: CLICKHOUSE };
      await using server = await ClickHouseServer.start({ at });
      const spool = join(directory, "spool");
      await test(setting, server, [
        ...["veth0", ...OWN_NETWORKS, "--clickhouse", `${server.url}/flows`],
        ...["--clickhouse-spool", spool],
      ]);
    },
    {
      config: `${IMPORT}export default defineConfig({ sensor: "north" });\n`,
      ignore: !CAN_MAKE_NAMESPACES || !HAS_CLICKHOUSE,
      reason: WITHOUT_NAMESPACES || NO_CLICKHOUSE,
    },
  );
}

function allowedToWrite(folder: string): string[] {
  return PERMISSIONS.map((it) => it.replace("--allow-write=/,", `--allow-write=/,${folder},`));
}

function storedConversations(path: string): number {
  using database = new DatabaseSync(path, { readOnly: true });
  return Number(database.prepare("SELECT max(id) AS id FROM slice").get()!.id);
}

/** A connection that works, of a client that was answered the server's name, and one that is refused. */
function visit(number: number): Bytes[] {
  const client = `10.1.${(number >> 8) & 255}.${number & 255}`;
  const port = 32_768 + number % 28_000;
  const server = `198.51.100.${number % 200}`;
  const name = `host-${number % 200}.example`;
  const answer = (message: Bytes) =>
    ethernet(ipUdp("203.0.113.53", client, udp(53, port, message)));
  return [
    answer(number % 10 === 0 ? nameError(name) : response(name, [address(name, server)])),
    ...connection(client, port, server, 443),
    ...number % 10 === 0 ? [ethernet(ip(server, client, tcp(8080, port, RST)))] : [],
  ];
}

clickHouseTest(
  "a capture loses nothing while ClickHouse is away, and its rows are those of its store",
  async ({ pair, directory, config }, server, args) => {
    const store = join(directory, "flows.db");
    const spool = join(directory, "spool");
    const count = Math.ceil((2 * THERE + AWAY) / 1000 * CONNECTIONS);
    const packets = Array.from({ length: count }, (_, i) => visit(i)).flat();
    const file = join(directory, "visits.pcap");
    await Deno.writeFile(file, pcap(packets.map((packet, i) => ({ packet, seconds: i / 1000 }))));
    await using program = await startCapture(
      { pair, directory, config, file },
      [...args, "--store", store, "--no-redis", "--buffer", "128"],
      allowedToWrite(directory),
    );
    const sent = pair.replay(file, {
      packetsPerSecond: Math.round(packets.length / count * CONNECTIONS),
    });
    await pause(THERE);
    await server.halt();
    await pause(AWAY);
    await program.says("it is tried again");
    const files = [...Deno.readDirSync(spool)].map(({ name }) => join(spool, name));
    const waiting = files.length;
    const bytes = files.reduce((sum, path) => sum + Deno.statSync(path).size, 0);
    assert.ok(waiting > 0, "what waits is on disk");
    await server.run();
    await program.says("is written again");
    await sent;
    // At its end a program has five seconds: on a machine that is busy, not all waits until then.
    let before = "";
    await until(async () => {
      await pause(2000);
      const [rows] = await server.ask("SELECT count() FROM conversation FINAL", "flows");
      const now = `${rows} ${storedConversations(store)} ${[...Deno.readDirSync(spool)].length}`;
      const isSettled = now === before && now.endsWith(" 0");
      before = now;
      return isSettled;
    });
    program.signal("SIGTERM");
    const { status, stderr } = await program.ended;
    assert.equal(status, 0, stderr);
    assert.match(stderr, /is written again after \d+ s; nothing was lost/);
    assert.deepEqual([...Deno.readDirSync(spool)], []);

    using database = new DatabaseSync(store, { readOnly: true });
    const ofStore = (query: string) =>
      Object.values(database.prepare(query).get()!).map(String).join("\t");
    const ofServer = async (query: string) => (await server.ask(query, "flows"))[0];
    const sums =
      "sum(packets_client), sum(packets_server), sum(bytes_client), sum(bytes_server), " +
      "sum(is_over)";
    const inAll = await ofServer(`SELECT count(), ${sums} FROM conversation FINAL`);
    assert.equal(inAll, ofStore(`SELECT count(*), ${sums} FROM conversation`));
    const uses = await ofServer("SELECT sum(count) FROM service_use FINAL");
    assert.equal(uses, ofStore("SELECT sum(observations) FROM usage"));
    // Each visit is a question to a name server, too. A machine that is busy may drop packets.
    assert.ok(Number(uses) <= 2 * count && Number(uses) > 1.9 * count, uses);
    const names = await ofServer("SELECT count() FROM name FINAL");
    assert.equal(names, ofStore("SELECT count(*) FROM name WHERE origin = 'lookup'"));
    const refusals =
      "FROM refusal FINAL WHERE kind IN ('rst', 'nx') GROUP BY kind ORDER BY kind DESC";
    assert.deepEqual(
      await server.ask(`SELECT kind, count(), sum(count) ${refusals}`, "flows"),
      database.prepare(`SELECT kind, count(*), sum(count) ${refusals.replace(" FINAL", "")}`).all()
        .map((row) => Object.values(row).join("\t")),
    );
    const options = {
      command: pair.command.bind(pair),
      permissions: allowedToWrite(directory),
    } as const;
    const report = async (...source: string[]) => {
      const { status, stdout, stderr } = await flosensor(["report", "--json", ...source], options);
      assert.equal(status, 0, stderr);
      const { source: _source, devices: _devices, ...data } = JSON.parse(stdout);
      return data;
    };
    assert.deepEqual(await report("--clickhouse", `${server.url}/flows`), await report(store));
    // What was tried is told where it is tried for long.
    if (Deno.env.has("FLOSENSOR_TEST_AWAY")) {
      const said = /is written again after.*/.exec(stderr)![0];
      const received = /packets: .* received, \d+ dropped by kernel/.exec(stderr)![0];
      console.log(
        `${packets.length} packets sent; ${received}; ${said}; ${waiting} files with ${bytes} bytes ` +
          `waited; conversations ${inAll.split("\t")[0]}; uses ${uses}; names ${names}`,
      );
    }
  },
);

clickHouseTest(
  "a capture's own connections to ClickHouse are no flows, whatever becomes of them",
  async (setting, server, args) => {
    const { pair, directory, file } = setting;
    await using program = await startCapture(
      setting,
      [...args, "--json", "--no-redis"],
      allowedToWrite(directory),
    );
    const inserted = () =>
      server.ask("SELECT count() FROM conversation", "flows").then(([it]) => Number(it), () => 0);
    const insertMore = async () => {
      const before = await inserted();
      await pair.replay(file);
      await until(async () => await inserted() > before);
    };
    await insertMore();
    // Nobody listens, so attempts are refused.
    await server.halt();
    await pair.replay(file);
    await program.says("it is tried again");
    await pause(THERE);
    await server.run();
    await program.says("is written again");
    await insertMore();
    // A connection that is not answered, and one that the server ends for being idle.
    server.freeze();
    await pair.replay(file);
    await pause(THERE);
    server.thaw();
    await insertMore();
    await pause(THERE);
    await insertMore();
    // Somebody else who asks the same server.
    const asked = await pair.command("curl", ["-sS", `${server.url}/?query=SELECT%201`]).output();
    assert.ok(asked.success);
    await pause(1000);
    program.signal("SIGTERM");
    const { status, stdout, stderr } = await program.ended;
    assert.equal(status, 0, stderr);
    const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    const withServer = lines.filter(({ type, key }) =>
      type !== "device" && key.includes(CLICKHOUSE)
    );
    assert.deepEqual(withServer.map(({ key }) => key).sort(), [
      `${SENSOR};${CLICKHOUSE};${server.port};end`,
      `${SENSOR};${CLICKHOUSE};${server.port};flow`,
      `${SENSOR};${CLICKHOUSE};peer`,
      `${CLICKHOUSE};${SENSOR};peer`,
    ]);
    for (const table of ["conversation", "service_use"]) {
      const counted = await server.ask(
        `SELECT count() FROM ${table} FINAL WHERE server = '${CLICKHOUSE}'`,
        "flows",
      );
      assert.deepEqual(counted, ["1"], table);
    }
    assert.deepEqual(
      await server.ask(`SELECT count() FROM refusal WHERE target = '${CLICKHOUSE}'`, "flows"),
      ["0"],
    );
  },
);

function pause(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time));
}
