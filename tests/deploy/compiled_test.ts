import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { LIBPCAP_PATHS } from "../../ffi/library.ts";
import { starterFiles } from "../../src/config/starter_files.ts";
import { VERSION } from "../../src/version.ts";
import { RedisInNamespace } from "../cli/redis_in_namespace.ts";
import {
  capture,
  keysOfLines,
  OWN_NETWORKS,
  SAMPLE_CAPTURE,
  SAMPLE_KEYS,
} from "../cli/sample_capture.ts";
import { assertNothingLeft } from "../cli/nothing_left.ts";
import { type Ending, flosensor, RunningProgram } from "../cli/program.ts";
import { withFiles } from "../config/temporary_files.ts";
import { connection, keysOfFlow } from "../conversations.ts";
import { isProgram } from "../installed.ts";
import {
  CAN_MAKE_NAMESPACES,
  type NamespacePair,
  run,
  until,
  withNamespaces,
  WITHOUT_NAMESPACES,
} from "../namespaces.ts";
import { memoryOf, threadStatuses } from "../process_status.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer, unusedPort } from "../redis_server.ts";
import { compileOnce, testsOf } from "./compiled.ts";

const COMPILED = await compileOnce();
const compiledTest = testsOf(COMPILED);
const { file: FLOSENSOR } = COMPILED;

/** The most memory, in bytes, that a capture may have at rest. */
const MOST_MEMORY = 80 * 2 ** 20;

/** A configuration of two files, with much that is TypeScript alone. */
const TYPED_CONFIG = {
  "config.ts": `import { defineConfig, LowerPort, PortMatch, SRC } from "flosensor/config";
import type { Flow as Attributed } from "flosensor/config";
import { Service, services, type Ports } from "./lib/services.ts";

interface Named<Value> { readonly name: string; value?: Value }
const named: Named<number> = { name: "everything" } satisfies Named<number>;
abstract class Base { protected constructor(private readonly port: number) {} get it() { return this.port; } }
class Ssh extends Base { constructor() { super(Service.Ssh); } }
const ports = services as Ports;

export default defineConfig({
  networks: [[named.name, "0.0.0.0/0", "::/0"]],
  flows: [
    [null, null, PortMatch([...ports, new Ssh().it!])],
    [null, null, (flow: Attributed) => flow.protocol === "udp" ? undefined : undefined],
    [null, null, LowerPort(SRC)],
  ],
});
`,
  "lib/services.ts": `export enum Service { Ssh = 22, Https = 443 }
export type Ports = readonly number[];
export const services: Ports = [Service.Https] as const;
`,
};

/** Runs the compiled file in a folder, with an empty environment but for `variables`. */
function alone(
  directory: string,
  args: string[],
  { stdin, variables = [], executable = FLOSENSOR }: {
    stdin?: Uint8Array;
    variables?: string[];
    executable?: string;
  } = {},
): Promise<Ending> {
  return flosensor(args, {
    executable,
    stdin,
    command: (program, parameters, options) =>
      new Deno.Command("env", {
        ...options,
        args: ["-i", ...variables, program, ...parameters],
        cwd: directory,
      }),
  });
}

compiledTest("--version prints the version, with nothing but the file", async () => {
  await withFiles({}, async (directory) => {
    const { status, stdout, stderr } = await alone(directory, ["--version"]);
    assert.deepEqual([status, stdout, stderr], [0, `${VERSION}\n`, ""]);
  });
});

compiledTest("the help of each command is that of the source", async () => {
  await withFiles({}, async (directory) => {
    for (
      const command of [
        "capture",
        "replay",
        "check",
        "explain",
        "interfaces",
        "init",
        "report",
        "export",
      ]
    ) {
      const compiled = await alone(directory, [command, "--help"]);
      const source = await flosensor([command, "--help"]);
      assert.equal(compiled.stdout, source.stdout);
      assert.equal(compiled.status, 0);
    }
  });
});

compiledTest("writes a store, reports from it, and exports it", async () => {
  await withFiles(TYPED_CONFIG, async (directory) => {
    await Deno.writeFile(join(directory, "sample.pcap"), SAMPLE_CAPTURE);
    const replay = ["replay", "sample.pcap", ...OWN_NETWORKS, "--store", "flows.db"];
    for (
      const [args, printed] of [
        [replay, /^$/],
        [["report", "flows.db"], /clients used \d+ services/],
        [["export", "flows.db", "--csv", "--table", "service_use"], /^client,server,port,/],
        [["export", "flows.db", "--parquet", "parquet"], /^$/],
      ] as const
    ) {
      const { status, stdout, stderr } = await alone(directory, [...args]);
      assert.equal(status, 0, stderr);
      assert.match(stdout, printed);
    }
    const { size } = await Deno.stat(join(directory, "parquet", "service_use.parquet"));
    assert.ok(size > 0);
  });
});

compiledTest("replays with a typed config.ts that imports another file", async () => {
  await withFiles(TYPED_CONFIG, async (directory) => {
    await Deno.writeFile(join(directory, "sample.pcap"), SAMPLE_CAPTURE);
    const { status, stdout, stderr } = await alone(directory, [
      ...["replay", "sample.pcap", ...OWN_NETWORKS, "--json"],
    ]);
    assert.equal(status, 0, stderr);
    assert.deepEqual(keysOfLines(stdout), SAMPLE_KEYS);
  });
});

compiledTest("replays standard input with the built-in configuration", async () => {
  await withFiles({}, async (directory) => {
    const args = ["replay", "-", ...OWN_NETWORKS, "--json"];
    const { status, stdout, stderr } = await alone(directory, args, { stdin: SAMPLE_CAPTURE });
    assert.equal(status, 0, stderr);
    assert.deepEqual(keysOfLines(stdout), SAMPLE_KEYS);
  });
});

compiledTest("replays captures that are compressed with gzip and zstd", async () => {
  await withFiles({}, async (directory) => {
    await Deno.writeFile(join(directory, "sample.pcap.gz"), gzipSync(SAMPLE_CAPTURE));
    await Deno.writeFile(join(directory, "sample.pcap"), SAMPLE_CAPTURE);
    const files = ["sample.pcap.gz"];
    if (isProgram("zstd", "--version")) {
      assert.equal((await run("zstd", "--quiet", join(directory, "sample.pcap"))).code, 0);
      files.push("sample.pcap.zst");
    }
    for (const file of files) {
      const args = ["replay", file, ...OWN_NETWORKS, "--json"];
      const { status, stdout, stderr } = await alone(directory, args);
      assert.equal(status, 0, stderr);
      assert.deepEqual(keysOfLines(stdout), SAMPLE_KEYS);
    }
  });
});

compiledTest("errors in a configuration have the user's file and line", async () => {
  const wrong = TYPED_CONFIG["config.ts"].replace('"::/0"', '"::/129"');
  const line = wrong.split("\n").findIndex((text) => text.includes("::/129")) + 1;
  const broken = {
    ...TYPED_CONFIG,
    "lib/services.ts": "export enum Service {\n  Ssh = = 22,\n}\n",
  };
  await withFiles({ ...TYPED_CONFIG, "wrong.ts": wrong }, async (directory) => {
    const { status, stderr } = await alone(directory, ["check", "-c", "wrong.ts"]);
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`^flosensor: error: wrong\\.ts:${line}: .*::/129.*\n$`));
  });
  await withFiles(broken, async (directory) => {
    const { status, stderr } = await alone(directory, ["check"]);
    assert.equal(status, 1);
    assert.match(stderr, /^flosensor: error: lib\/services\.ts:2: .*\n$/);
  });
});

compiledTest("writes to Redis by TCP, with the time to live", async () => {
  await using redis = await RedisServer.start();
  await withFiles(TYPED_CONFIG, async (directory) => {
    const args = ["replay", "-", ...OWN_NETWORKS, "--redis", redis.url];
    const { status, stderr } = await alone(directory, args, { stdin: SAMPLE_CAPTURE });
    assert.equal(status, 0, stderr);
    assert.deepEqual([...(await redis.dump()).keys()].sort(), SAMPLE_KEYS);
    assert.ok(Number(await redis.cli("TTL", SAMPLE_KEYS[0])) > 800);
  });
}, { ignore: !HAS_REDIS_SERVER, reason: NO_REDIS_SERVER });

compiledTest("a socket of Redis that was not compiled in is named, and what to do", async () => {
  await withFiles({}, async (directory) => {
    const socket = join(directory, "redis.sock");
    const args = ["replay", "-", "--redis", `unix://${socket}`];
    const { status, stderr } = await alone(directory, args, { stdin: SAMPLE_CAPTURE });
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`deno task compile --socket ${socket}\n`));
  });
});

compiledTest("dnstap listens by TCP and UDP, and on sockets where it may", async () => {
  await withFiles({}, async (directory) => {
    const forbidden = join(directory, "dnstap.sock");
    const { status, stderr } = await alone(directory, ["dnstap", `unix:${forbidden}`]);
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`deno task compile --socket ${forbidden}\n`));

    const tcp = `tcp:127.0.0.1:${await unusedPort()}`;
    const udp = `udp:127.0.0.1:${await unusedPort()}`;
    await using program = new RunningProgram(["dnstap", tcp, udp], {
      executable: FLOSENSOR,
      command: (name, args, options) =>
        new Deno.Command("env", { ...options, args: ["-i", name, ...args], cwd: directory }),
    });
    await program.says(`listening on ${udp}`);
    program.signal("SIGTERM");
    assert.equal((await program.ended).status, 0);
  });
});

/** Runs the file until `use` has had the address of its page. */
async function withPage(
  args: string[],
  use: (url: string) => Promise<void>,
  command?: (program: string, args: string[], options: Deno.CommandOptions) => Deno.Command,
): Promise<void> {
  await using program = new RunningProgram(args, { executable: FLOSENSOR, command });
  await program.says("page: ");
  await use(/page: (\S+)\n/.exec(program.stderr)![1]);
  program.signal("SIGTERM");
  const { status, stderr } = await program.ended;
  assert.equal(status, 0, stderr);
}

compiledTest("serves the page of a store", async () => {
  await withFiles(TYPED_CONFIG, async (directory) => {
    await Deno.writeFile(join(directory, "sample.pcap"), SAMPLE_CAPTURE);
    const replay = ["replay", "sample.pcap", ...OWN_NETWORKS, "--store", "flows.db"];
    assert.equal((await alone(directory, replay)).status, 0);
    const listen = ["--listen", String(await unusedPort())];
    const config = ["-c", join(directory, "config.ts")];
    await withPage(["serve", join(directory, "flows.db"), ...listen, ...config], async (url) => {
      for (const [path, expected] of [["", /<div id="page">/], ["page.js", /flosensor/]] as const) {
        assert.match(await (await fetch(url + path)).text(), expected);
      }
      const flows = await (await fetch(`${url}api/flows`)).json();
      assert.ok(flows.data.total > 0);
      const flow = "client=203.0.113.9&server=10.1.0.5&port=22";
      const { data } = await (await fetch(`${url}api/explain?${flow}`)).json();
      assert.match(data, /Keys written:/);
    });
  });
});

compiledTest(
  `captures with a page of its own${WITHOUT_NAMESPACES}`,
  () =>
    withNamespaces(async (pair) => {
      await withFiles({ "sample.pcap": "" }, async (directory) => {
        const file = join(directory, "sample.pcap");
        await Deno.writeFile(file, SAMPLE_CAPTURE);
        const args = [
          "capture",
          "veth0",
          ...OWN_NETWORKS,
          "--no-redis",
          "--listen",
          "127.0.0.1:3047",
        ];
        await withPage(args, async (url) => {
          await pair.replay(file);
          // The page is in the namespace.
          const ask = async () => {
            const script = `console.log(await (await fetch("${url}api/flows")).text())`;
            const { stdout } = await pair.command(Deno.execPath(), ["eval", "--no-config", script])
              .output();
            return new TextDecoder().decode(stdout);
          };
          await until(async () => (await ask()).includes('"server":"198.51.100.80"'));
        }, (program, parameters, options) => pair.command(program, parameters, options));
      });
    }),
  { ignore: !CAN_MAKE_NAMESPACES },
);

/** What a config.ts tries that is none of flosensor's business; prints how each went. */
const INTRUDER = (directory: string) =>
  `import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { defineConfig } from "flosensor/config";
const attempts: Record<string, () => unknown> = {
  "run a program": () => new Deno.Command("/bin/true").outputSync(),
  "run a program through Node": () => execFileSync("/bin/touch", ["${directory}/new.txt"]),
  "write a file here": () => Deno.writeTextFileSync("new.txt", ""),
  "write a file through Node": () => writeFileSync("${directory}/new.txt", ""),
  "write a file in /tmp": () => Deno.writeTextFileSync("/tmp/flosensor-intruder", ""),
  "write a file beside a socket": () => Deno.writeTextFileSync("/run/redis/other", ""),
  "change a file": () => Deno.chmodSync("config.ts", 0o777),
  "remove a file": () => Deno.removeSync("config.ts"),
  "make a folder": () => Deno.mkdirSync("folder"),
  "ask for more": () => {
    if (Deno.permissions.requestSync({ name: "write", path: "." }).state !== "granted") {
      throw new Deno.errors.NotCapable();
    }
  },
  "load a library of its own": () => Deno.dlopen("${directory}/libm.so", {}),
  "load another library": () => Deno.dlopen("/usr/lib/x86_64-linux-gnu/libm.so.6", {}),
  "load a library by its name": () => Deno.dlopen("libm.so.6", {}),
  "make a pointer": () => Deno.UnsafePointer.create(1n),
  "read the environment": () => {
    if (Object.keys(Deno.env.toObject()).length === 0) throw new Error("empty");
  },
  "read a variable": () => {
    if (Deno.env.get("SECRET") === undefined) throw new Error("unset");
  },
  "ask the system": () => Deno.hostname(),
  "signal a process": () => Deno.kill(Deno.pid, "SIGUSR1"),
};
const outcomes: Record<string, string> = {};
for (const [name, attempt] of Object.entries(attempts)) {
  try {
    attempt();
    outcomes[name] = "done";
  } catch (error) {
    outcomes[name] = (error as Error).name;
  }
}
console.log(JSON.stringify(outcomes));
export default defineConfig({});
`;

compiledTest("can't run programs, write, load other libraries, or look around", async () => {
  await withFiles({}, async (directory) => {
    await Deno.writeTextFile(join(directory, "config.ts"), INTRUDER(directory));
    await Deno.writeTextFile(join(directory, "libm.so"), "");
    const variables = ["SECRET=1"];
    const { stdout, stderr } = await alone(directory, ["check"], { variables });
    assert.equal(stderr, "");
    const outcomes: Record<string, string> = JSON.parse(stdout.split("\n")[0]);
    const names = (outcome: string) =>
      Object.keys(outcomes).filter((it) => outcomes[it] === outcome);
    assert.deepEqual(names("done"), []);
    // Node's functions have errors of their own, and the environment is empty.
    assert.deepEqual(names("Error"), [
      "run a program through Node",
      "read the environment",
      "read a variable",
    ]);
    assert.equal(names("NotCapable").length, Object.keys(outcomes).length - 3, stdout);
    const files = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
    assert.deepEqual(files, ["config.ts", "libm.so"]);
  });
});

compiledTest(
  "init writes what the source writes, wherever it is told, and check takes it",
  async () => {
    const starter = await starterFiles({ program: "flosensor" });
    await withFiles({}, async (directory) => {
      for (const folder of [".", "new/folder", join(directory, "absolute")]) {
        const { status, stderr } = await alone(directory, ["init", folder]);
        assert.deepEqual([status, stderr], [0, ""]);
        const path = resolve(directory, folder);
        for (const [name, text] of starter) {
          assert.equal(await Deno.readTextFile(join(path, name)), text);
        }
        const checked = await alone(path, ["check", "10.0.0.0/8"]);
        assert.match(checked.stdout, /\nNothing suspicious\.\n$/);
      }
    });
  },
);

compiledTest("leaves no file behind", async () => {
  // Deno keeps code that was compiled for this machine in a file of the executable's name.
  const name = `flosensor-${Deno.pid}`;
  const executable = join(FLOSENSOR, "..", name);
  await Deno.copyFile(FLOSENSOR, executable);
  await withFiles({}, async (directory) => {
    const run = { stdin: SAMPLE_CAPTURE, executable };
    const { status, stderr } = await alone(directory, ["replay", "-", "--json"], run);
    assert.equal(status, 0, stderr);
    assert.deepEqual([...Deno.readDirSync(directory)], []);
  });
  const left = [...Deno.readDirSync("/tmp")].filter((file) => file.name.includes(name));
  assert.deepEqual(left, []);
});

/** A test of a capture on a veth, into a Redis in its namespace. */
function captureTest(
  name: string,
  test: (pair: NamespacePair, redis: RedisInNamespace, directory: string) => Promise<void>,
  { ignore = false, reason = "" } = {},
): void {
  compiledTest(name, () =>
    withNamespaces(async (pair) => {
      await using redis = await RedisInNamespace.start(pair);
      await withFiles(TYPED_CONFIG, async (directory) => {
        // Users other than root have to find the configuration.
        await run("chmod", "-R", "a+rX", directory);
        await Deno.writeFile(join(directory, "sample.pcap"), SAMPLE_CAPTURE);
        await test(pair, redis, directory);
      });
    }), {
    ignore: !CAN_MAKE_NAMESPACES || !HAS_REDIS_SERVER || ignore,
    reason: WITHOUT_NAMESPACES + NO_REDIS_SERVER + reason,
  });
}

/** A capture in the namespace, with an empty environment but for `variables`. */
async function startCapture(
  pair: NamespacePair,
  directory: string,
  args: string[],
  { before = [], variables = [] }: { before?: string[]; variables?: string[] } = {},
): Promise<RunningProgram> {
  const program = new RunningProgram(["capture", ...args], {
    executable: FLOSENSOR,
    command: (name, parameters, options) =>
      pair.command("env", ["-i", "-C", directory, ...variables, ...before, name, ...parameters], {
        ...options,
      }),
  });
  await program.says("capturing on");
  return program;
}

const REDIS = ["--redis", "redis://127.0.0.1:6379"];

captureTest(
  "captures on a veth into Redis, reloads at SIGHUP, ends at SIGTERM",
  async (pair, redis, directory) => {
    await using program = await startCapture(pair, directory, ["veth0", ...OWN_NETWORKS, ...REDIS]);
    await pair.replay(join(directory, "sample.pcap"));
    await redis.has(...SAMPLE_KEYS);
    assert.deepEqual(await redis.keys(), SAMPLE_KEYS);

    // The second file is another, too: everything is read again.
    await Deno.writeTextFile(
      join(directory, "lib/services.ts"),
      TYPED_CONFIG["lib/services.ts"].replace("[Service.Https]", "[50_007]"),
    );
    program.signal("SIGHUP");
    await program.says("configuration: config.ts", 2);
    const high = join(directory, "high.pcap");
    await Deno.writeFile(high, capture(connection("10.1.0.9", 40_022, "198.51.100.9", 50_007)));
    await pair.replay(high);
    await redis.has(...keysOfFlow("10.1.0.9", "198.51.100.9", 50_007));

    await Deno.writeTextFile(join(directory, "lib/services.ts"), "export enum {");
    program.signal("SIGHUP");
    await program.says("the configuration that was loaded before stays in place");
    program.signal("SIGTERM");
    const { status, stderr } = await program.ended;
    assert.equal(status, 0, stderr);
  },
);

captureTest("has less than 80 MB of memory at rest", async (pair, redis, directory) => {
  await using program = await startCapture(pair, directory, ["veth0", ...OWN_NETWORKS, ...REDIS]);
  await pair.replay(join(directory, "sample.pcap"));
  await redis.has(...SAMPLE_KEYS);
  let memory = Infinity;
  // What the start needed is given back after it.
  for (let look = 0; look < 120 && memory >= MOST_MEMORY; look++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    memory = memoryOf(program.pid, "VmRSS");
  }
  assert.ok(memory < MOST_MEMORY, `${memory} bytes`);
  // What was taken out comes back when it is needed.
  const more = join(directory, "more.pcap");
  await Deno.writeFile(more, capture(connection("10.1.0.9", 40_022, "198.51.100.9", 443)));
  await pair.replay(more);
  await redis.has(...keysOfFlow("10.1.0.9", "198.51.100.9", 443));
});

const CAN_CHOOSE_SOURCE = !COMPILED.isMissing &&
  (await alone("/", ["capture", "--help"])).stdout.includes("--source");

/** Runs the rest of the command line where libpcap is not installed, to its own eyes. */
const WITHOUT_LIBPCAP_SCRIPT = [
  "set -e",
  "work=$1; shift",
  'mount -t tmpfs none "$work"',
  `for file in ${LIBPCAP_PATHS.join(" ")}; do`,
  '  if [ -e "$file" ]; then',
  "    folder=$(dirname $(readlink -f $file))",
  '    mkdir -p "$work/upper$folder" "$work/work$folder"',
  '    mount -t overlay overlay -o "lowerdir=$folder,upperdir=$work/upper$folder,' +
  'workdir=$work/work$folder" "$folder"',
  '    rm -f "$folder"/libpcap.so*',
  "  fi",
  "done",
  'exec "$@"',
].join("\n");

captureTest("captures where libpcap is not installed", async (pair, redis, directory) => {
  await withFiles({}, async (work) => {
    const before = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "unshare", "--mount", "sh", "-c"];
    const hidden = [...before, WITHOUT_LIBPCAP_SCRIPT, "sh", work];
    // The rest of the environment is empty as well.
    const args = ["veth0", ...OWN_NETWORKS, ...REDIS];
    await using program = await startCapture(pair, directory, args, { before: hidden });
    await pair.replay(join(directory, "sample.pcap"));
    await redis.has(...SAMPLE_KEYS);
    const maps = await Deno.readTextFile(`/proc/${program.pid}/maps`);
    assert.ok(!maps.includes("libpcap"), maps);
    program.signal("SIGTERM");
    assert.equal((await program.ended).status, 0);
  });
}, {
  ignore: !CAN_CHOOSE_SOURCE,
  reason: CAN_CHOOSE_SOURCE ? "" : " (skipped: there is no --source yet)",
});

const HAS_SETCAP = isProgram("setcap", "-h") && isProgram("setpriv", "--version");

/** CAP_NET_RAW, linux/capability.h. */
const NET_RAW = 1n << 13n;
const CAPABILITIES = "+net_raw,+net_admin";

for (
  const [how, ambient] of [
    ["after setcap", []],
    ["by ambient capabilities", ["--inh-caps", CAPABILITIES, "--ambient-caps", CAPABILITIES]],
  ] as const
) {
  captureTest(
    `captures without root ${how}, keeps no capability, and opens an interface again`,
    async (pair, redis, directory) => {
      const file = join(directory, "flosensor");
      await Deno.copyFile(FLOSENSOR, file);
      await Deno.chmod(file, 0o755);
      if (ambient.length === 0) {
        const { code, stderr } = await run("setcap", "cap_net_raw,cap_net_admin+ep", file);
        assert.equal(code, 0, stderr);
      }
      await using program = new RunningProgram(["capture", "veth0", ...OWN_NETWORKS, ...REDIS], {
        executable: file,
        command: (name, args, options) =>
          pair.command("setpriv", [
            ...["--reuid", "nobody", "--regid", "nogroup", "--clear-groups", ...ambient],
            ...["env", "-i", "-C", directory, name, ...args],
          ], options),
      });
      await program.says("capturing on");
      await pair.replay(join(directory, "sample.pcap"));
      await redis.has(...SAMPLE_KEYS);
      for (const thread of threadStatuses(program.pid)) {
        assert.doesNotMatch(thread.get("Uid")!, /\b0\b/);
        assert.equal(thread.get("NoNewPrivs"), "1");
        // That of JavaScript, and of all that it starts; others have it, and may not use it.
        const kept = thread.get("Pid") === thread.get("Tgid") ? 0n : NET_RAW;
        for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"]) {
          assert.equal(BigInt(`0x${thread.get(set)}`) & ~kept, 0n, `${thread.get("Name")} ${set}`);
        }
      }
      await pair.removeVeth();
      await program.says("veth0 has vanished");
      await pair.addVeth();
      await program.says("veth0 is up: capture goes on");
      const again = join(directory, "again.pcap");
      await Deno.writeFile(again, capture(connection("10.1.0.77", 50_000, "198.51.100.80", 443)));
      await pair.replay(again);
      await redis.has(...keysOfFlow("10.1.0.77", "198.51.100.80", 443));
    },
    { ignore: !HAS_SETCAP, reason: HAS_SETCAP ? "" : " (skipped: setcap is not installed)" },
  );
}

captureTest(
  "--user gives up everything in every thread, and capture goes on",
  async (pair, redis, directory) => {
    const args = ["veth0", ...OWN_NETWORKS, ...REDIS, "--user", "nobody"];
    await using program = await startCapture(pair, directory, args);
    assertNothingLeft(program);
    await pair.replay(join(directory, "sample.pcap"));
    await redis.has(...SAMPLE_KEYS);
    program.signal("SIGTERM");
    assert.equal((await program.ended).status, 0);
  },
);

captureTest("--user says which users it can't become", async (pair, _redis, directory) => {
  const ending = async (user: string, before: string[] = []) => {
    await using program = new RunningProgram(["capture", "veth0", "--json", "--user", user], {
      executable: FLOSENSOR,
      command: (name, args, options) =>
        pair.command("env", ["-i", "-C", directory, ...before, name, ...args], options),
    });
    const { status, stderr } = await program.ended;
    return [status, stderr.trim().split("\n").at(-1)];
  };
  assert.deepEqual(await ending("no-such-user"), [
    1,
    "flosensor: error: --user no-such-user: there is no such user: see getent passwd",
  ]);
  assert.deepEqual(await ending("root"), [
    1,
    "flosensor: error: --user root: this is root itself: name another user",
  ]);
  const capabilities = "+net_raw,+net_admin";
  const asNobody = [
    ...["/usr/bin/setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"],
    ...["--inh-caps", capabilities, "--ambient-caps", capabilities],
  ];
  assert.deepEqual(await ending("daemon", asNobody), [
    1,
    "flosensor: error: --user daemon: only root can become another user: leave it out",
  ]);
}, { ignore: !HAS_SETCAP, reason: HAS_SETCAP ? "" : " (skipped: setpriv is not installed)" });

captureTest(
  "tells systemd when it is ready, reloads, and ends",
  async (pair, _redis, directory) => {
    const path = join(directory, "notify");
    await using listener = new RunningProgram([
      ...["run", "--quiet", "--unstable-net", "--allow-read", "--allow-write", "--allow-net"],
      ...[new URL("notify_listener.ts", import.meta.url).pathname, path],
    ], { executable: Deno.execPath() });
    await listener.prints("listening");
    await using program = await startCapture(pair, directory, ["veth0", "--json"], {
      variables: [`NOTIFY_SOCKET=${path}`],
    });
    const ready = JSON.stringify("READY=1\nSTATUS=capturing on veth0");
    await listener.prints(ready);
    program.signal("SIGHUP");
    await until(() => listener.stdout.split(ready).length === 3);
    program.signal("SIGTERM");
    await listener.prints("STOPPING=1");
    const words = listener.stdout.trim().split("\n").map((line) => /^"([A-Z]+=1)?/.exec(line)![1]);
    assert.deepEqual(words.slice(1), ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]);
    await program.ended;
  },
);
