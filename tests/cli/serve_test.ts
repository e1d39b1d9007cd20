import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makeCertificates } from "../certificates.ts";
import { address, alias, nameError, response } from "../dns/dns_messages.ts";
import { ACK, ethernet, ip, ipUdp, pcap, PSH, RST, tcp, udp } from "../packets.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer, unusedPort } from "../redis_server.ts";
import { ARP_FRAME, TEXT as HARDWARE_ADDRESS } from "../names/devices/messages.ts";
import { record } from "../store/record.ts";
import { TestStore } from "../store/test_store.ts";
import { HAS_BROWSER, TestBrowser, WITHOUT_BROWSER } from "../web/browser.ts";
import { captureTest, startCapture } from "./capture_setting.ts";
import { flosensor, RunningProgram } from "./program.ts";
import { OWN_NETWORKS } from "./sample_capture.ts";
import { CAN_MAKE_NAMESPACES, until, WITHOUT_NAMESPACES } from "../namespaces.ts";
import { curl } from "../prometheus_in_namespace.ts";

const CLIENT = "10.0.0.7";
const NAS = "10.0.0.5";
const SERVER = "198.51.100.1";
const GUEST = "203.0.113.9";
const NETWORK = "10.0.0.0/8";
const CONFIG =
  'import { defineConfig } from "flosensor/config";\nexport default defineConfig({});\n';

function answer(message: Uint8Array) {
  return ethernet(ipUdp("203.0.113.53", CLIENT, udp(53, 40_000, message)));
}

/** Lookups, a service outside and one of ours, and what was refused. */
const PACKETS = [
  answer(
    response("www.example.com", [
      alias("www.example.com", "cdn.example.net"),
      address("cdn.example.net", SERVER),
    ]),
  ),
  answer(nameError("nothing.example")),
  ethernet(ip(CLIENT, SERVER, tcp(50_000, 443, PSH | ACK, "question"))),
  ethernet(ip(GUEST, NAS, tcp(50_002, 22, PSH | ACK, "question"))),
  ethernet(ip(SERVER, CLIENT, tcp(8080, 50_003, RST))),
  ARP_FRAME,
];

/** Runs `serve` with these parameters until the test ends; `where` is what it says of its place. */
async function serving(
  folder: string,
  args: readonly string[],
  test: (page: { url: string; program: RunningProgram }) => Promise<void>,
): Promise<void> {
  await Deno.writeTextFile(join(folder, "config.ts"), CONFIG);
  await using program = new RunningProgram([
    ...["serve", "-c", join(folder, "config.ts"), "--listen", String(await unusedPort())],
    ...args,
  ]);
  await program.says("page: ");
  const url = /page: (\S+)/.exec(program.stderr)![1];
  await test({ url, program });
  program.signal("SIGTERM");
  const { status, stderr } = await program.ended;
  assert.equal(status, 0, stderr);
}

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "flosensor-serve-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("serve says of a damaged store what to do", () =>
  withFolder(async (folder) => {
    const store = join(folder, "flows.db");
    // What is looked at first can be read, and flows can't.
    let place: number;
    {
      using damaged = new TestStore();
      damaged.write({ records: [record()] });
      damaged.database.exec(`VACUUM INTO '${store}'`);
      using copy = new DatabaseSync(store);
      const value = (sql: string) => Number(Object.values(copy.prepare(sql).get()!)[0]);
      const page = value("SELECT rootpage FROM sqlite_master WHERE name = 'usage'");
      place = (page - 1) * value("PRAGMA page_size");
    }
    {
      using file = await Deno.open(store, { write: true });
      await file.seek(place, Deno.SeekMode.Start);
      await file.write(new Uint8Array(100).fill(0xee));
    }
    const { status, stderr } = await flosensor(["serve", store]);
    assert.match(stderr, /flows\.db can't be read: it is damaged; .* \.recover/);
    assert.equal(status, 1);
  }));

Deno.test("serve shows services of the own networks that are named, whichever the store has", () =>
  withFolder(async (folder) => {
    const store = join(folder, "flows.db");
    {
      using written = new TestStore();
      written.write({ records: [record({ server: SERVER }), record({ server: NAS })] });
      written.database.exec(`VACUUM INTO '${store}'`);
    }
    await serving(folder, [store, "198.51.100.0/24"], async ({ url }) => {
      const { data } = await (await fetch(`${url}api/services`)).json();
      assert.deepEqual(data.map(({ server }: { server: string }) => server), [SERVER]);
      const overview = await (await fetch(`${url}api/overview?filter=local`)).json();
      assert.equal(overview.data.flows, 1);
    });
  }));

Deno.test("serve shows the store that is begun where the one before was put aside", () =>
  withFolder(async (folder) => {
    const path = join(folder, "flows.db");
    const write = (server: string) => {
      using written = new TestStore();
      written.write({ records: [record({ server })] });
      written.database.exec(`VACUUM INTO '${path}'`);
    };
    write(SERVER);
    await serving(folder, [path], async ({ url, program }) => {
      const servers = async () =>
        (await (await fetch(`${url}api/flows`)).json()).data.rows
          .map(({ server }: { server: string }) => server);
      assert.deepEqual(await servers(), [SERVER]);
      await Deno.rename(path, `${path}.damaged`);
      write(NAS);
      await program.says("flows.db is another file now, which is shown");
      assert.deepEqual(await servers(), [NAS]);
    });
  }));

/** A test with a browser. */
function browserTest(
  name: string,
  test: (browser: TestBrowser, folder: string) => Promise<void>,
  { ignore = false, reason = "" } = {},
): void {
  Deno.test({
    name: name + WITHOUT_BROWSER + reason,
    ignore: ignore || !HAS_BROWSER,
    // Playwright keeps timers and pipes of its own.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: () =>
      withFolder(async (folder) => {
        await using browser = await TestBrowser.launch();
        await test(browser, folder);
        assert.deepEqual(browser.complaints, []);
      }),
  });
}

/** Waits until the view shows something. */
async function shows(page: Awaited<ReturnType<TestBrowser["open"]>>, text: string | RegExp) {
  await page.locator("main").getByText(text).first().waitFor();
}

browserTest(
  "serve shows what a replay stored, with names, rules and refusals",
  async (browser, folder) => {
    const capture = join(folder, "capture.pcap");
    const store = join(folder, "flows.db");
    await Deno.writeFile(
      capture,
      pcap(PACKETS.map((packet, i) => ({ packet, seconds: 1_795_737_600 + i }))),
    );
    await Deno.writeTextFile(join(folder, "config.ts"), CONFIG);
    const { status, stderr } = await flosensor([
      ...["replay", capture, NETWORK, "--no-redis", "--store", store],
      ...["-c", join(folder, "config.ts")],
    ]);
    assert.equal(status, 0, stderr);
    await serving(folder, [store], async ({ url }) => {
      const page = await browser.open(url);
      await shows(page, "www.example.com");
      // With that to the resolver, and the one that was refused.
      await shows(page, /^4 flows/);
      await shows(page, "in vain");
      await page.getByRole("link", { name: "Names" }).click();
      await shows(page, "for www.example.com");
      await shows(page, "NXDOMAIN");
      await page.getByRole("link", { name: "Services", exact: true }).click();
      await shows(page, `${NAS}:22`);
      await page.getByRole("link", { name: "Devices" }).click();
      await shows(page, HARDWARE_ADDRESS);
      await shows(page, CLIENT);
      await page.getByRole("link", { name: "Refused" }).click();
      await shows(page, `${SERVER}:8080`);
      await page.goto(`${url}flow?client=${CLIENT}&server=${SERVER}&port=443&proto=tcp`);
      await page.getByText("Networks, rules and keys").click();
      // What looked up and what used it are of one name, without a dot at its end.
      const query = `client=${CLIENT}&server=${SERVER}&port=443&proto=tcp`;
      const { data } = await (await fetch(`${url}api/flow?${query}`)).json();
      assert.equal(data.flow.name, "www.example.com");
      assert.deepEqual(
        data.names.map(({ name }: { name: string }) => name).filter((it: string) =>
          it.endsWith(".")
        ),
        [],
      );
      // The own networks are those of the store.
      await shows(page, new RegExp(`source +${CLIENT} +port \\d+ +in network all +own`));
      await shows(page, `${CLIENT};${SERVER};443;flow`);
    });
  },
);

browserTest(
  "serve shows a Redis that ShoDoHFlo's agents write, and what is new in it",
  async (browser, folder) => {
    await using redis = await RedisServer.start();
    const keys = [
      ["SET", `${CLIENT};${SERVER};443;flow`, "12"],
      ["SET", `${GUEST};${NAS};22;flow`, "3"],
      ["SET", `client;${CLIENT}`, "12"],
      ["SET", `${CLIENT};${SERVER};dns`, ";cdn.example.net.;"],
      ["SET", `${CLIENT};cdn.example.net.;cname`, ";www.example.com.;"],
      ["SET", `${CLIENT};nothing.example.;nx`, "2"],
      ["SET", `${CLIENT};${SERVER};8080:50003;rst`, "1"],
    ];
    for (const key of keys) await redis.cli(...key);
    await serving(folder, ["--redis", redis.url, NETWORK], async ({ url }) => {
      const page = await browser.open(`${url}names`);
      await shows(page, "cdn.example.net");
      await shows(page, "for www.example.com");
      await shows(page, "NXDOMAIN");
      await page.getByRole("link", { name: "Overview" }).click();
      await shows(page, /^2 flows/);
      // Redis has neither times nor bytes, nor what decided.
      assert.equal(await page.locator(".chart").count(), 0);
      await page.goto(`${url}flow?client=${CLIENT}&server=${SERVER}&port=443`);
      await shows(page, "What decided is not known");
      assert.doesNotMatch(await page.locator("main").innerText(), /1970|0 B|0 packets/);
      await page.getByRole("link", { name: "Services", exact: true }).click();
      await shows(page, `${NAS}:22`);
      await redis.cli("SET", `${CLIENT};${SERVER};993;flow`, "1");
      await page.getByRole("link", { name: "Overview" }).click();
      await shows(page, /^3 flows/);
    });
  },
  { ignore: !HAS_REDIS_SERVER, reason: NO_REDIS_SERVER },
);

Deno.test("beyond this host the page wants the token that is printed once", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(
      join(folder, "lines.json"),
      '{"key":"10.0.0.7;198.51.100.1;443;flow","count":1}\n',
    );
    const port = await unusedPort();
    const args = ["--listen", `0.0.0.0:${port}`, join(folder, "lines.json")];
    await serving(folder, args, async ({ url, program }) => {
      assert.match(url, /^http:\/\/0\.0\.0\.0:\d+\/\?token=[\w-]{24}$/);
      await program.says("warning: the page goes over the network as it is: --tls-cert");
      const local = url.replace("0.0.0.0", "127.0.0.1");
      const refused = await fetch(local.replace(/\?.*/, "api/flows"));
      assert.equal(refused.status, 401);
      await refused.body?.cancel();
      const visit = await fetch(local, { redirect: "manual" });
      assert.equal(visit.status, 303);
      const cookie = visit.headers.get("set-cookie")!.split(";")[0];
      await visit.body?.cancel();
      const flows = await fetch(local.replace(/\?.*/, "api/flows"), { headers: { cookie } });
      assert.equal((await flows.json()).data.total, 1);
    });
  });
});

Deno.test("serve speaks TLS with the certificate it is given, and its cookie is for TLS alone", async () => {
  await withFolder(async (folder) => {
    await makeCertificates(folder);
    await Deno.writeTextFile(
      join(folder, "lines.json"),
      '{"key":"10.0.0.7;198.51.100.1;443;flow","count":1}\n',
    );
    const files = [
      "--tls-cert",
      join(folder, "server.pem"),
      "--tls-key",
      join(folder, "server.key"),
    ];
    const token = join(folder, "token");
    await Deno.writeTextFile(token, "correct-horse\n", { mode: 0o600 });
    const args = [...files, "--token-file", token, join(folder, "lines.json")];
    await serving(folder, args, async ({ url }) => {
      assert.match(url, /^https:\/\/127\.0\.0\.1:\d+\/$/);
      using client = Deno.createHttpClient({
        caCerts: [await Deno.readTextFile(join(folder, "ca.pem"))],
      });
      const visit = await fetch(`${url.replace("127.0.0.1", "localhost")}?token=correct-horse`, {
        client,
        redirect: "manual",
      });
      await visit.body?.cancel();
      assert.equal(visit.status, 303);
      assert.match(visit.headers.get("set-cookie")!, /; Secure$/);
    });
  });
});

Deno.test("what is wrong with serve is one line that says the way out", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "config.ts"), CONFIG);
    await Deno.writeTextFile(
      join(folder, "lines.json"),
      '{"key":"10.0.0.7;198.51.100.1;443;flow","count":1}\n',
    );
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const lines = join(folder, "lines.json");
    const short = join(folder, "short");
    await Deno.writeTextFile(short, "short\n", { mode: 0o600 });
    const wrong: readonly (readonly [readonly string[], RegExp, number])[] = [
      [[], /serve: there is nothing to read: name a store/, 2],
      [
        [join(folder, "none.db")],
        /none\.db: there is no such file; flosensor capture --store makes it/,
        1,
      ],
      [
        [lines, "--listen", "10.0.0"],
        /--listen.*10\.0\.0.* is not where to listen: write 127\.0\.0\.1:3047/,
        2,
      ],
      [[lines, "--listen", "127.0.0.1:99999"], /is not where to listen/, 2],
      [
        [lines, "--listen", "192.0.2.1:3047"],
        /--listen 192\.0\.2\.1:3047: this host has no such address/,
        1,
      ],
      [
        [lines, "--listen", String(taken.addr.port)],
        /--listen 127\.0\.0\.1:\d+: another program listens there: name another port/,
        1,
      ],
      [[lines, "--host", "https://flows.example"], /It is a name such as "flows\.example"/, 2],
      [[lines, "--host", "flows.example:8443"], /It is a name such as "flows\.example"/, 2],
      [[lines, "--token", "brief"], /--token.*8 or more letters/, 2],
      [[lines, "--token", "nine or less"], /--token.*8 or more letters/, 2],
      [[lines, "--token-file", lines], /--token-file: .*lines\.json: all users may read/, 1],
      [
        [lines, "--token-file", short],
        /--token-file: .*: its first line is no token: 8 or more/,
        1,
      ],
      [[lines, "--token-file", "/dev/null"], /--token-file: \/dev\/null: this is no file/, 1],
      [[lines, "--tls-cert", "x.pem"], /--tls-cert and --tls-key belong together/, 2],
      [
        [lines, "--tls-cert", "no.pem", "--tls-key", "no.key"],
        /--tls-cert no\.pem: .*No such file/,
        1,
      ],
      [[lines, "--tls-cert", lines, "--tls-key", lines], /there is no certificate in it/, 1],
    ];
    for (const [args, message, expected] of wrong) {
      const { status, stdout, stderr } = await flosensor([
        ...["serve", "-c", join(folder, "config.ts"), ...args],
      ]);
      assert.match(stderr, message);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
      if (args.includes("--token")) assert.ok(!stderr.includes(args.at(-1)!), stderr);
      assert.deepEqual([status, stdout], [expected, ""], stderr);
    }
    const { status, stderr } = await flosensor(["capture", "lo", "--token", "correct-horse"]);
    assert.match(stderr, /--token is about the page: add --listen/);
    assert.equal(status, 2);
    for (const option of [["--retain", "30d"], ["--store-size", "1GiB"]]) {
      const ending = await flosensor([
        ...["capture", "lo", "--no-redis", "-c", join(folder, "config.ts"), ...option],
      ]);
      assert.match(ending.stderr, /--(retain|store-size) is about the store: add --store/);
      assert.equal(ending.status, 2);
    }
  });
});

captureTest(
  "capture --listen shows the store that is begun where the one before was put aside",
  async (setting) => {
    const { pair, directory, file } = setting;
    const path = join(directory, "flows.db");
    const args = ["veth0", ...OWN_NETWORKS, "--no-redis", "--store", path, "--listen", "3047"];
    await using program = await startCapture(setting, args);
    const clients = async () => {
      const { stdout } = await curl(pair, "http://127.0.0.1:3047/api/flows");
      const { data } = JSON.parse(stdout);
      return (data?.rows ?? []).map(({ client }: { client: string }) => client);
    };
    await pair.replay(file);
    await until(async () => (await clients()).includes("203.0.113.9"));
    // As it puts one aside that is damaged.
    for (const it of ["", "-wal", "-shm"]) await Deno.rename(path + it, `${path}.damaged${it}`);
    {
      using begun = new TestStore();
      const now = Date.now();
      begun.write({ records: [record({ client: "203.0.113.77", first: now, last: now })] });
      begun.database.exec(`VACUUM INTO '${path}'`);
    }
    await until(async () => (await clients()).includes("203.0.113.77"));
    program.signal("SIGTERM");
    assert.equal((await program.ended).status, 0);
  },
);

for (const store of [false, true]) {
  captureTest(
    `capture --listen shows what it sees as it comes, ${store ? "from a store" : "from memory"}` +
      WITHOUT_BROWSER,
    async (setting) => {
      const { pair, directory } = setting;
      const args = [
        "veth0",
        ...OWN_NETWORKS,
        NETWORK,
        "--no-redis",
        "--json",
        "--listen",
        "127.0.0.1:3047",
      ];
      if (store) args.push("--store", join(directory, "flows.db"));
      await using program = await startCapture(setting, args);
      // The page is in the namespace, and so has to be the browser.
      const launcher = join(directory, "chromium");
      await Deno.writeTextFile(
        launcher,
        `#!/bin/sh\nexec ip netns exec ${pair.sensor} /usr/bin/chromium "$@"\n`,
        { mode: 0o755 },
      );
      await using browser = await TestBrowser.launch(launcher);
      const page = await browser.open("http://127.0.0.1:3047/");
      await page.getByRole("button", { name: "Live" }).waitFor();
      await pair.replay(setting.file);
      await page.getByRole("grid").getByText("198.51.100.80").first().waitFor();
      await page.getByRole("grid").getByText("2001:db8:80::1").first().waitFor();
      await page.getByRole("link", { name: "Services", exact: true }).click();
      await page.getByText("10.1.0.5:22").waitFor();
      await page.getByRole("link", { name: "Devices" }).click();
      await page.getByRole("heading", { name: "Devices of our networks" }).waitFor();
      // A host that comes to the network is there without a reload.
      const arrival = join(directory, "arrival.pcap");
      await Deno.writeFile(arrival, pcap([{ packet: ARP_FRAME, seconds: 1_790_000_000 }]));
      await pair.replay(arrival);
      await page.getByText(HARDWARE_ADDRESS).first().waitFor();
      // Time goes on, and what was seen stays.
      await page.getByRole("link", { name: "Refused" }).click();
      await page.getByText("10.1.0.1").first().waitFor();
      await page.goto(
        "http://127.0.0.1:3047/flow?client=203.0.113.9&server=10.1.0.5&port=22&proto=tcp",
      );
      await page.getByText("Networks, rules and keys").click();
      await page.getByText("203.0.113.9;10.1.0.5;22;flow").waitFor();
      assert.deepEqual(browser.complaints, []);
      program.signal("SIGTERM");
      const { status, stderr } = await program.ended;
      assert.equal(status, 0, stderr);
      await page.getByRole("button", { name: "Not connected" }).waitFor();
    },
    {
      ignore: !CAN_MAKE_NAMESPACES || !HAS_BROWSER,
      reason: WITHOUT_NAMESPACES,
    },
  );
}
