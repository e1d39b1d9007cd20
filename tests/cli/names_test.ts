import assert from "node:assert/strict";
import { join } from "node:path";
import { address, alias, nameError, response } from "../dns/dns_messages.ts";
import { ACK, type Bytes, ethernet, ip, ipUdp, pcap, PSH, tcp, udp } from "../packets.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer, unusedPort } from "../redis_server.ts";
import { flosensor } from "./program.ts";

const CLIENT = "10.0.0.7";
const RESOLVER = "10.0.0.53";
const SERVER = "198.51.100.1";
const CONFIG = `import { defineConfig, LowerPort } from "flosensor/config";
export default defineConfig({
  ourNets: ["10.0.0.0/8"],
  ignoreDns: ["ignored.example"],
  flows: [[null, null, LowerPort()]],
});
`;

function answer(message: Uint8Array): Bytes {
  return ethernet(ipUdp(RESOLVER, CLIENT, udp(53, 40_000, message)));
}

/** A client looks a name up, and uses the service. */
const PACKETS = [
  answer(response("www.example.com", [
    alias("www.example.com", "cdn.example.net"),
    address("cdn.example.net", SERVER),
  ])),
  answer(nameError("nothing.example")),
  answer(response("x.ignored.example", [address("x.ignored.example", "198.51.100.2")])),
  ethernet(ip(CLIENT, SERVER, tcp(50_000, 443, PSH | ACK, "question"))),
];

async function withCapture(test: (file: string, config: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "flosensor-names-" });
  try {
    const file = join(directory, "names.pcap");
    const config = join(directory, "config.ts");
    await Deno.writeFile(file, pcap(PACKETS.map((packet, i) => ({ packet, seconds: 1000 + i }))));
    await Deno.writeTextFile(config, CONFIG);
    await test(file, config);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("replay --json writes names, and the name of a flow's server", async () => {
  await withCapture(async (file, config) => {
    const { status, stdout, stderr } = await flosensor(["replay", file, "-c", config, "--json"]);
    assert.equal(status, 0, stderr);
    const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.filter(({ name }) => name !== undefined).map(({ by: _, ...line }) => line),
      [
        { key: `${CLIENT};cdn.example.net.;cname`, name: "www.example.com." },
        { key: `${CLIENT};${SERVER};dns`, name: "cdn.example.net." },
        { key: `${CLIENT};${SERVER};443;flow`, count: 1, name: "www.example.com." },
      ],
    );
    assert.ok(
      lines.some(({ key, count }) => key === `${CLIENT};nothing.example.;nx` && count === 1),
    );
    assert.match(
      stderr,
      /DNS: 3 messages, 1 with addresses, 1 NXDOMAIN \(not used: 1 of ignored names\), 3 names written/,
    );
  });
});

Deno.test("replay shows the name of a flow's server in its table", async () => {
  await withCapture(async (file, config) => {
    const { stdout } = await flosensor(["replay", file, "-c", config]);
    assert.match(stdout, /^10\.0\.0\.7 +198\.51\.100\.1 +443\/tcp .* www\.example\.com\.$/m);
  });
});

Deno.test({
  name: `explain shows the names that replay wrote to Redis${NO_REDIS_SERVER}`,
  ignore: !HAS_REDIS_SERVER,
  fn: async () => {
    await using server = await RedisServer.start();
    await withCapture(async (file, config) => {
      const redis = ["-c", config, "--redis", server.url];
      await flosensor(["replay", file, ...redis]);
      assert.equal(await server.cli("GET", `${CLIENT};${SERVER};dns`), ";cdn.example.net.;");
      assert.equal(await server.cli("GET", `${CLIENT};nothing.example.;nx`), "1");
      // Also when the packet that is asked about comes from the server.
      const flow = [SERVER, "443", CLIENT, "50000"];
      const { status, stdout } = await flosensor(["explain", ...flow, ...redis]);
      assert.equal(status, 0);
      const chain = `www.example.com. -> cdn.example.net. -> ${SERVER}`;
      assert.match(stdout, new RegExp(`^${CLIENT} looked up ${chain}$`, "m"));
    });
  },
});

Deno.test("explain goes without names where Redis can't be asked", async () => {
  await withCapture(async (_, config) => {
    const url = `redis://127.0.0.1:${await unusedPort()}`;
    const flow = [CLIENT, "50000", SERVER, "443"];
    const { status, stdout, stderr } = await flosensor([
      "explain",
      ...flow,
      ...["-c", config, "--redis", url],
    ]);
    assert.equal(status, 0);
    assert.ok(stdout.includes(`${CLIENT};${SERVER};443;flow`));
    assert.match(
      stderr,
      /names are not shown, since Redis at .* can't be asked \(connection refused/,
    );
  });
});
