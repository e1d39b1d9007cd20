import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { join } from "node:path";
import { withFiles } from "../config/temporary_files.ts";
import { connection } from "../conversations.ts";
import { HAS_LIBPCAP, WITHOUT_LIBPCAP } from "../installed.ts";
import { pcap } from "../packets.ts";
import { unusedPort } from "../redis_server.ts";
import { VERSION } from "../../src/version.ts";
import { flosensor } from "./program.ts";

const CAPTURE = pcap(
  connection("10.1.0.1", 50_000, "198.51.100.1", 443).map((packet) => ({ packet, seconds: 1 })),
);
/** Where a file is cut, within its last packet. */
const CUT = CAPTURE.length - 20;

interface WrongUse {
  name: string;
  args: string[];
  status: number;
  /** The last line of standard error, without `flosensor: error: `. `DIR` is the test's directory. */
  error: string;
  ignore?: boolean;
}

function wrong(name: string, args: string, status: number, error: string): WrongUse {
  return { name, args: args.split(" ").filter((it) => it !== ""), status, error };
}

const FORMS = "write redis://[[user]:password@]host[:port][/db], rediss://… or unix:///path[?db=n]";

const WRONG_USES: WrongUse[] = [
  // The command line.
  wrong("an unknown command", "bogus", 2, "unknown command 'bogus'; see flosensor --help"),
  wrong(
    "a misspelt command",
    "repaly",
    2,
    "unknown command 'repaly' (Did you mean replay?); see flosensor --help",
  ),
  wrong(
    "help about an unknown command",
    "help bogus",
    2,
    "unknown command 'bogus'; see flosensor --help",
  ),
  wrong(
    "an unknown option",
    "replay --bogus good.pcap",
    2,
    "unknown option '--bogus'; see flosensor replay --help",
  ),
  wrong(
    "a misspelt option",
    "capture --directoin in lo",
    2,
    "unknown option '--directoin' (Did you mean --direction?); see flosensor capture --help",
  ),
  wrong(
    "replay without a file",
    "replay",
    2,
    "replay: no file is named; give one, or - for standard input",
  ),
  wrong(
    "replay with own networks only",
    "replay 10.0.0.0/8 2001:db8::/32",
    2,
    "replay: 10.0.0.0/8 2001:db8::/32 names no file; give one, or - for standard input",
  ),
  wrong(
    "capture without an interface",
    "capture",
    2,
    'capture: no interface is named; "flosensor interfaces" lists them',
  ),
  wrong(
    "capture with own networks only",
    "capture 10.0.0.0/8",
    2,
    'capture: 10.0.0.0/8 names no interface; "flosensor interfaces" lists them',
  ),
  wrong(
    "an option without its value",
    "replay good.pcap --stats",
    2,
    "option '--stats <seconds>' argument missing; see flosensor replay --help",
  ),
  wrong(
    "--stats 0",
    "replay good.pcap --stats 0",
    2,
    "option '--stats <seconds>' argument '0' is invalid. " +
      "It is a number of seconds, more than 0, up to 86400",
  ),
  wrong(
    "--snaplen of no number",
    "capture lo --snaplen many",
    2,
    "option '-s, --snaplen <bytes>' argument 'many' is invalid. " +
      "It is a whole number from 0 to 262144",
  ),
  wrong(
    "--buffer too large",
    "capture lo --buffer 4096",
    2,
    "option '--buffer <MiB>' argument '4096' is invalid. It is a whole number from 1 to 2047",
  ),
  wrong(
    "--direction of another value",
    "capture lo --direction up",
    2,
    "option '-Q, --direction <direction>' argument 'up' is invalid. " +
      "Allowed choices are in, out, inout",
  ),
  wrong(
    "--log-level of another value",
    "replay good.pcap --log-level loud",
    2,
    "option '--log-level <level>' argument 'loud' is invalid. " +
      "Allowed choices are debug, info, warn, error",
  ),
  wrong(
    "--max-conversations of 0",
    "replay good.pcap --max-conversations 0",
    2,
    "option '--max-conversations <number>' argument '0' is invalid. " +
      "It is a whole number from 1 to 16000000",
  ),
  wrong(
    "too many arguments",
    "help capture replay",
    2,
    "too many arguments for 'help'. Expected 1 argument but got 2: capture, replay; " +
      "see flosensor capture --help",
  ),
  wrong(
    "an option in front of its command",
    "--json replay -r DIR/good.pcap",
    2,
    "unknown option '--json'; see flosensor replay --help",
  ),
  // What habit types.
  wrong(
    "a file in the place of a command",
    "DIR/good.pcap",
    2,
    "unknown command 'DIR/good.pcap': for a saved capture write flosensor replay DIR/good.pcap",
  ),
  wrong(
    "an interface in the place of a command",
    "lo",
    2,
    "unknown command 'lo': it is an interface: write flosensor capture lo",
  ),
  wrong(
    "a configuration in the place of a command",
    "config.ts",
    2,
    "unknown command 'config.ts': write flosensor check --config config.ts",
  ),
  wrong(
    "all interfaces and one of them",
    "capture any lo",
    2,
    "capture: any is all interfaces, so packets of lo would be seen twice: name any, or lo",
  ),
  wrong(
    "--redis and --no-redis",
    "replay DIR/good.pcap --redis redis://127.0.0.1 --no-redis",
    2,
    "--redis and --no-redis exclude each other: leave one out",
  ),
  wrong(
    "--no-redis and --redis",
    "dnstap tcp:127.0.0.1:UNUSED --no-redis --redis redis://127.0.0.1",
    2,
    "--redis and --no-redis exclude each other: leave one out",
  ),
  wrong(
    "--redis and --no-redis of init",
    "init DIR/new --redis redis://127.0.0.1 --no-redis",
    2,
    "--redis and --no-redis exclude each other: leave one out",
  ),
  wrong(
    "nothing but a file that is called like an address",
    "replay 192.0.2.7",
    2,
    "replay: 192.0.2.7 names no file; give one, or - for standard input",
  ),
  // Twenty that people make who know other programs.
  wrong(
    "a filter behind the interface",
    "capture lo port 53",
    2,
    'port is no interface; a filter is one word behind --filter: --filter "port 53"',
  ),
  wrong(
    "a filter of several words behind --filter",
    "replay DIR/good.pcap --filter tcp port 443 and host 10.1.0.1",
    2,
    "port is no file; a filter is one word behind --filter: " +
      '--filter "tcp port 443 and host 10.1.0.1"',
  ),
  wrong(
    "a file to write packets to",
    "capture lo -w out.pcap",
    2,
    "unknown option '-w': packets are not stored: tcpdump -w FILE does that, and flosensor replay " +
      "FILE reads it",
  ),
  wrong(
    "a file to capture on",
    "capture DIR/good.pcap",
    2,
    "DIR/good.pcap is a file and no interface: write flosensor replay DIR/good.pcap",
  ),
  wrong(
    "an option that reads a file in capture",
    "capture -r DIR/good.pcap",
    2,
    "unknown option '-r': flosensor replay FILE reads a capture",
  ),
  wrong(
    "a list of interfaces",
    "capture lo,eth0",
    2,
    "lo,eth0: name each by itself: lo eth0",
  ),
  wrong(
    "a number of packets",
    "capture -c 100 lo",
    2,
    "option '-c, --config <file>' argument '100' is invalid. It is a file (./100 if it is called " +
      "so). Packets are not counted off: timeout(1) ends a capture",
  ),
  wrong(
    "own networks as an option",
    "capture lo --our-nets 10.0.0.0/8",
    2,
    "unknown option '--our-nets': own networks stand behind interfaces or files as they are, " +
      "10.0.0.0/8",
  ),
  wrong(
    "a Redis URL without --redis",
    "capture lo redis://:secret@127.0.0.1",
    2,
    "a Redis URL is in the place of the interface: write --redis URL",
  ),
  wrong(
    "more words in the log",
    "replay DIR/good.pcap -v",
    2,
    "unknown option '-v': --log-level debug says more",
  ),
  wrong(
    "an interface to replay",
    "replay lo",
    2,
    "lo is an interface and no file: write flosensor capture lo",
  ),
  wrong(
    "a configuration without --config",
    "replay DIR/good.pcap DIR/good.ts",
    2,
    "DIR/good.ts: a configuration is named with --config DIR/good.ts",
  ),
  wrong(
    "a file for lines of JSON",
    "replay DIR/good.pcap --json DIR/out.json",
    2,
    "DIR/out.json: --json takes no file, it writes to standard output: write --json > DIR/out.json",
  ),
  wrong(
    "a range in the place of a prefix",
    "replay DIR/good.pcap 192.168.1.1-192.168.1.99",
    2,
    '192.168.1.1-192.168.1.99 is no file; for an own network write it as "10.0.0.0/8"',
  ),
  wrong(
    "a prefix without its last numbers",
    "score DIR/good.pcap 192.168/16",
    2,
    'own network: "192.168/16" is not an address of four decimal numbers: ' +
      'if "192.168.0.0/16" is meant, write that',
  ),
  wrong(
    "a configuration to check without --config",
    "check DIR/good.ts",
    2,
    "DIR/good.ts: a configuration is named with --config DIR/good.ts",
  ),
  wrong(
    "--from in front of what is explained",
    "explain --from DIR/good.pcap 10.1.0.1 50000 198.51.100.1 443",
    2,
    "missing required argument 'src': --from takes all words behind it: write it last",
  ),
  wrong(
    "a service's name in the place of a port",
    "explain 10.1.0.1 50000 198.51.100.1 https",
    2,
    'destination port: "https" is not a number from 0 to 65535; getent services https has that of ' +
      "a service",
  ),
  wrong(
    "an interface to list",
    "interfaces lo",
    2,
    "too many arguments for 'interfaces'. Expected 0 arguments but got 1: lo: it lists them all; " +
      "write flosensor capture INTERFACE to capture on one",
  ),
  wrong(
    "a socket without unix:",
    "dnstap /run/flosensor/dnstap.sock",
    2,
    '"/run/flosensor/dnstap.sock" is not where to listen: write unix:/run/flosensor/dnstap.sock',
  ),
  wrong(
    "a port without tcp:",
    "dnstap 0.0.0.0:6000",
    2,
    '"0.0.0.0:6000" is not where to listen: write tcp:0.0.0.0:6000',
  ),
  wrong(
    "standard input twice",
    "replay - -",
    2,
    "- is standard input, which can be read once: name it once",
  ),
  wrong(
    "a pattern that no file has",
    "score DIR/*.pcapng",
    2,
    "DIR/*.pcapng: there is no file of such a name",
  ),
  wrong(
    "a command of another name",
    "sniff lo",
    2,
    "unknown command 'sniff': write flosensor capture INTERFACE",
  ),
  // Own networks.
  wrong(
    "an own network with too long a prefix",
    "replay DIR/good.pcap 10.0.0.0/33",
    2,
    'own network: "10.0.0.0/33" has no prefix length from 0 to 32 after the slash: ' +
      'after "10.0.0.0/" write a number from 0 to 32',
  ),
  wrong(
    "an own network with a netmask",
    "replay DIR/good.pcap 10.0.0.0/255.0.0.0",
    2,
    'own network: "10.0.0.0/255.0.0.0" has no prefix length from 0 to 32 after the slash: ' +
      'write "10.0.0.0/8"',
  ),
  wrong(
    "an own network with three numbers",
    "replay DIR/good.pcap 10.0.0/8",
    2,
    'own network: "10.0.0/8" is not an address of four decimal numbers: ' +
      'if "10.0.0.0/8" is meant, write that',
  ),
  wrong(
    "an IPv6 own network with too long a prefix",
    "capture lo 2001:db8::/129",
    2,
    'own network: "2001:db8::/129" has no prefix length from 0 to 128 after the slash: ' +
      'after "2001:db8::/" write a number from 0 to 128',
  ),
  wrong(
    "an own network of explain",
    "explain 192.0.2.1 1 192.0.2.2 2 there",
    2,
    'own network: "there" is not an IPv4 or IPv6 prefix: ' +
      'write it as "10.0.0.0/8", "2001:db8::/32" or a single address',
  ),
  // Files.
  wrong("a file that is not there", "replay DIR/no.pcap", 1, "DIR/no.pcap: there is no such file"),
  wrong(
    "a file that is not there, after one that is",
    "replay DIR/good.pcap DIR/no.pcap",
    1,
    "DIR/no.pcap: there is no such file",
  ),
  wrong("a directory", "replay DIR", 1, "DIR: is a directory; name the capture files in it"),
  wrong("no capture", "replay DIR/text.pcap", 1, "DIR/text.pcap: is neither pcap nor pcapng"),
  wrong("an empty file", "replay DIR/empty.pcap", 1, "DIR/empty.pcap: is empty, not a capture"),
  wrong(
    "a file that is compressed in another way than with gzip or zstd",
    "replay DIR/good.pcap.bz2",
    1,
    "DIR/good.pcap.bz2: is neither pcap nor pcapng; it is bzip2-compressed: " +
      "bzcat DIR/good.pcap.bz2 | flosensor replay -",
  ),
  wrong(
    "a compressed file that is cut off at its beginning",
    "replay DIR/cut.pcap.gz",
    1,
    "DIR/cut.pcap.gz: is cut off: its gzip data goes on after byte 12, where it ends; " +
      "what came before was processed",
  ),
  // Redis.
  wrong(
    "a Redis URL of another scheme",
    "replay DIR/good.pcap --redis http://user:secret@host",
    2,
    `--redis: http://user:***@host is no Redis URL: ${FORMS}`,
  ),
  wrong(
    "a host and a port in the place of a Redis URL",
    "capture lo --redis localhost:6379",
    2,
    `--redis: localhost:6379 is no Redis URL: ${FORMS}`,
  ),
  wrong(
    "a Redis URL with no number as database",
    "replay DIR/good.pcap --redis redis://localhost/first",
    2,
    `--redis: redis://localhost/first has "first" where a database number goes: ${FORMS}`,
  ),
  wrong(
    "a Redis that does not answer",
    "replay DIR/good.pcap --config DIR/good.ts --redis redis://127.0.0.1:UNUSED",
    1,
    "Redis at redis://127.0.0.1:UNUSED can't be used (connection refused): start it, name " +
      "another one with --redis URL, or leave it out with --no-redis",
  ),
  wrong(
    "a Redis socket that is not there",
    "replay DIR/good.pcap --config DIR/good.ts --redis unix:///run/redis/UNUSED.sock",
    1,
    "Redis at unix:///run/redis/UNUSED.sock can't be used (no such socket): start it, name " +
      "another one with --redis URL, or leave it out with --no-redis",
  ),
  wrong(
    "a Redis socket that the task may not use",
    "replay DIR/good.pcap --config DIR/good.ts --redis unix://DIR/redis.sock",
    1,
    "Redis at unix://DIR/redis.sock: no permission, run with --allow-read=DIR/redis.sock " +
      "--allow-write=DIR/redis.sock",
  ),
  // The configuration.
  wrong(
    "a configuration that is not there",
    "replay DIR/good.pcap --config DIR/no.ts",
    1,
    "DIR/no.ts: there is no such file: check the name",
  ),
  wrong(
    "a configuration with a syntax error",
    "check --config DIR/syntax.ts",
    1,
    "DIR/syntax.ts:3: syntax error (unexpected token): mend this line or the one before it",
  ),
  wrong(
    "a configuration without a default export",
    "replay DIR/good.pcap --config DIR/no_default.ts",
    1,
    "DIR/no_default.ts:2: there is no default export: write export default defineConfig({ ... })",
  ),
  wrong(
    "a rule of an unknown network",
    "check --config DIR/unknown_network.ts",
    1,
    'DIR/unknown_network.ts:5: unknown network "site" (flows[1]): ' +
      "the networks are ours, others; null is any",
  ),
  wrong(
    "a bad prefix in the configuration",
    "check --config DIR/bad_prefix.ts",
    1,
    'DIR/bad_prefix.ts:3: "10.0.0.1/8" has bits set beyond /8 (networks[0]): ' +
      'write "10.0.0.0/8", or "10.0.0.1" for the one address',
  ),
  wrong(
    "a port that is none in the configuration",
    "check --config DIR/bad_port.ts",
    1,
    "DIR/bad_port.ts:3: 65536 in PortMatch is not a port: " +
      "a port is a whole number from 1 to 65535",
  ),
  wrong(
    "a bad Redis URL in the configuration",
    "replay DIR/good.pcap --config DIR/bad_redis.ts",
    1,
    `DIR/bad_redis.ts:3: redis://host:99999 can't be read (percent-encode what is special in ` +
      `names and passwords): ${FORMS}`,
  ),
  // Flows to explain.
  wrong(
    "a port of no packet",
    "explain 192.0.2.1 1 192.0.2.2 65536",
    2,
    'destination port: "65536" is not a number from 0 to 65535',
  ),
  wrong(
    "a name in the place of an address",
    "explain host 1 192.0.2.2 80",
    2,
    'source address: "host" is not an IPv4 or IPv6 address; getent ahosts host has those of a name',
  ),
  wrong(
    "two families",
    "explain 192.0.2.1 1 2001:db8::1 80",
    2,
    "192.0.2.1 and 2001:db8::1 are of different families: " +
      "no packet has an IPv4 and an IPv6 address",
  ),
  // What libpcap says.
  {
    name: "a filter with an error",
    args: ["replay", "DIR/good.pcap", "--filter", "foo bar"],
    status: 1,
    error: `filter "foo bar": can't parse filter expression: syntax error: see pcap-filter(7)`,
    ignore: !HAS_LIBPCAP,
  },
];

const IMPORT = 'import { defineConfig, LowerPort, PortMatch } from "flosensor/config";\n';
const CONFIGS = {
  "good.ts": `${IMPORT}export default defineConfig({});\n`,
  "syntax.ts": `${IMPORT}export default defineConfig({\n  ttl: ,\n});\n`,
  "no_default.ts": `${IMPORT}defineConfig({});`,
  "unknown_network.ts": `${IMPORT}export default defineConfig({
  networks: [["ours", "10.0.0.0/8"], ["others", "0.0.0.0/0"]],
  flows: [["ours", null, LowerPort()],
    ["site", null, LowerPort()]],
});\n`,
  "bad_prefix.ts": `${IMPORT}export default defineConfig({
  networks: [["ours", "10.0.0.1/8"]],
});\n`,
  "bad_port.ts": `${IMPORT}export default defineConfig({
  flows: [[null, null, PortMatch([65536])]],
});\n`,
  "bad_redis.ts": `${IMPORT}export default defineConfig({
  redis: "redis://host:99999",
});\n`,
};

async function withInputs(use: (directory: string) => Promise<void>): Promise<void> {
  await withFiles({
    ...CONFIGS,
    "text.pcap": "This is no capture, long as it is.\n",
    "empty.pcap": "",
  }, async (directory) => {
    await Deno.writeFile(join(directory, "good.pcap"), CAPTURE);
    await Deno.writeFile(join(directory, "good.pcap.gz"), gzipSync(CAPTURE));
    await Deno.writeFile(join(directory, "cut.pcap.gz"), gzipSync(CAPTURE).subarray(0, 12));
    await Deno.writeTextFile(join(directory, "good.pcap.bz2"), "BZh91AY&SY, and so on");
    await Deno.writeFile(join(directory, "cut.pcap"), CAPTURE.subarray(0, CUT));
    await use(directory);
  });
}

for (const { name, args, status, error, ignore = false } of WRONG_USES) {
  const suffix = ignore ? WITHOUT_LIBPCAP : "";
  Deno.test({
    name: `${name}: one line that says so, and exit status ${status}${suffix}`,
    ignore,
    fn: () =>
      withInputs(async (directory) => {
        const port = String(await unusedPort());
        const filled = (text: string) =>
          text.replaceAll("DIR", directory).replaceAll("UNUSED", port);
        const ending = await flosensor(args.map(filled));
        const lines = ending.stderr.trimEnd().split("\n");
        assert.equal(lines.at(-1), `flosensor: error: ${filled(error)}`);
        assert.equal(ending.status, status);
        assert.equal(ending.stdout, "");
        assert.equal(lines.filter((line) => line.startsWith("flosensor: error: ")).length, 1);
        assert.ok(lines.every((line) => line.startsWith("flosensor: ")), ending.stderr);
      }),
  });
}

Deno.test("options of tcpdump do what they do there", () =>
  withInputs(async (directory) => {
    const file = join(directory, "good.pcap");
    const options = ["--json", "-c", join(directory, "good.ts")];
    const { stdout } = await flosensor(["replay", file, ...options]);
    assert.notEqual(stdout, "");
    for (
      const args of [
        ["replay", "-r", file, "-nn", ...options],
        ["-r", file, ...options],
        ["-nr", file, ...options],
        [`--read-file=${file}`, ...options],
      ]
    ) {
      const ending = await flosensor(args);
      assert.deepEqual([ending.status, ending.stdout], [0, stdout], args.join(" "));
    }
    // What is named behind the option is taken as if it stood alone.
    for (const args of [["capture", "-i", "no0"], ["-i", "no0"], ["-ni", "no0", "10.0.0.0/8"]]) {
      const { status, stderr } = await flosensor(args);
      assert.equal(status, 1, stderr);
      assert.match(stderr, /error: no0: no such interface; there are /);
    }
    const { status, stdout: interfaces } = await flosensor(["-D"]);
    assert.equal(status, 0);
    assert.equal(interfaces, (await flosensor(["interfaces"])).stdout);
  }));

Deno.test("own networks are taken as a list with commas, with zones and in brackets", () =>
  withInputs(async (directory) => {
    const check = (...networks: string[]) =>
      flosensor(["check", "-c", join(directory, "good.ts"), ...networks]);
    const { stdout } = await check("192.168.0.0/16", "10.0.0.0/8", "fe80::/64", "2001:db8::/32");
    assert.match(
      stdout,
      /Own networks: +192\.168\.0\.0\/16, 10\.0\.0\.0\/8, fe80::\/64, 2001:db8::\/32/,
    );
    const list = "192.168.0.0/16,10.0.0.0/8,fe80::1%eth0/64,[2001:db8::]/32";
    assert.equal((await check(list)).stdout, stdout);
    assert.equal((await check(...list.replaceAll(",", ", ").split(" "))).stdout, stdout);
    assert.match((await check(list)).stderr, /own network fe80::1%eth0\/64 is taken as fe80::\/64/);
    const file = join(directory, "good.pcap");
    const { status } = await flosensor(["replay", list, file, "--json", "--no-redis"]);
    assert.equal(status, 0);
  }));

Deno.test("a file that is called like an address is named with ./, which is said", () =>
  withInputs(async (directory) => {
    await Deno.copyFile(join(directory, "good.pcap"), join(directory, "192.0.2.7"));
    const run = (...files: string[]) =>
      flosensor(["replay", ...files, "--json", "--no-redis"], {
        command: (program, args, options) =>
          new Deno.Command(program, { ...options, args, cwd: directory }),
      });
    const alone = await run("192.0.2.7");
    assert.deepEqual([alone.status, alone.stderr], [
      2,
      "flosensor: error: replay: 192.0.2.7 names no file; for the file that is called like an own " +
      "network write ./192.0.2.7\n",
    ]);
    assert.match(
      (await run("192.0.2.7", "good.pcap")).stderr,
      /warning: 192\.0\.2\.7 is taken for an own network; for the file of that name write \.\/192/,
    );
    assert.equal((await run("./192.0.2.7")).status, 0);
  }));

Deno.test("explain takes an address and its port in one word, with a zone and in brackets", () =>
  withInputs(async (directory) => {
    const explain = (...ends: string[]) =>
      flosensor(["explain", ...ends, "-c", join(directory, "good.ts"), "--no-redis"]);
    const apart = await explain("10.1.0.1", "50000", "198.51.100.1", "443");
    assert.equal(apart.status, 0);
    assert.deepEqual(await explain("10.1.0.1:50000", "198.51.100.1:443"), apart);
    const six = await explain("fe80::1", "50000", "2001:db8::1", "443", "2001:db8::/32");
    assert.equal(six.status, 0);
    assert.deepEqual(
      await explain("[fe80::1%eth0]:50000", "[2001:db8::1]:443", "2001:db8::/32"),
      six,
    );
    assert.deepEqual(
      await explain("fe80::1%2", "50000", "[2001:db8::1]", "443", "2001:db8::/32"),
      six,
    );
  }));

Deno.test("--log-level debug shows where an error comes from", () =>
  withInputs(async (directory) => {
    const args = ["replay", join(directory, "no.pcap"), "--log-level"];
    assert.match((await flosensor([...args, "debug"])).stderr, /^flosensor: debug: .*\n {4}at /m);
    assert.doesNotMatch((await flosensor([...args, "info"])).stderr, /^ {4}at /m);
  }));

Deno.test("a capture that is cut off is processed up to the cut, then it is said, exit status 1", () =>
  withInputs(async (directory) => {
    const file = join(directory, "cut.pcap");
    const ending = await flosensor(["replay", file, "--json", "-c", join(directory, "good.ts")]);
    assert.equal(ending.status, 1);
    assert.ok(ending.stdout.includes('"10.1.0.1;198.51.100.1;443;flow"'), ending.stdout);
    const [error] = ending.stderr.split("\n").filter((line) => line.includes("error: "));
    assert.match(
      error,
      /^flosensor: error: .*cut\.pcap: is cut off: the record at byte \d+ should /,
    );
    assert.match(error, /have 70 bytes and has 50; what came before was processed$/);
  }));

Deno.test("a compressed capture is taken as it is, and one that is cut up to there, exit status 1", () =>
  withInputs(async (directory) => {
    const config = join(directory, "good.ts");
    const packed = await Deno.readFile(join(directory, "good.pcap.gz"));
    const path = join(directory, "good.pcap.gz");
    const options = ["--json", "-c", config];
    const plain = await flosensor(["replay", join(directory, "good.pcap"), ...options]);
    const file = await flosensor(["replay", path, ...options]);
    assert.deepEqual([file.status, file.stdout], [0, plain.stdout]);
    const pipe = await flosensor(["replay", "-", ...options], { stdin: packed });
    assert.deepEqual([pipe.status, pipe.stdout], [0, plain.stdout]);
    const cut = await flosensor(["replay", "-", ...options], {
      stdin: packed.subarray(0, packed.length - 1),
    });
    assert.deepEqual([cut.status, cut.stdout], [1, plain.stdout]);
    assert.match(
      cut.stderr,
      /error: standard input: is cut off: its gzip data goes on after byte /,
    );
    const score = (name: string) => flosensor(["score", join(directory, name), "-c", config]);
    assert.equal((await score("good.pcap.gz")).stdout, (await score("good.pcap")).stdout);
    const conversation = ["10.1.0.1", "50000", "198.51.100.1", "443"];
    const explained = await flosensor(
      ["explain", ...conversation, "-c", config, "--from", path, "10.1.0.0/16"],
    );
    assert.match(explained.stdout, /^The conversation is in /m);
    assert.match(explained.stdout, /^source .* own$/m);
  }));

Deno.test("a file that is cut off does not keep the next from being read", () =>
  withInputs(async (directory) => {
    const files = [join(directory, "cut.pcap"), join(directory, "good.pcap")];
    const config = join(directory, "good.ts");
    const ending = await flosensor(["replay", ...files, "--json", "-c", config]);
    assert.equal(ending.status, 1);
    assert.match(ending.stderr, /packets: 15 received/);
  }));

Deno.test("flosensor --version prints the version", async () => {
  assert.deepEqual(await flosensor(["--version"]), {
    status: 0,
    stdout: `${VERSION}\n`,
    stderr: "",
  });
});

for (
  const command of [
    "capture",
    "replay",
    "dnstap",
    "check",
    "explain",
    "score",
    "interfaces",
    "init",
    "completion",
  ]
) {
  Deno.test(`flosensor ${command} --help explains it`, async () => {
    const { status, stdout, stderr } = await flosensor([command, "--help"]);
    assert.equal(status, 0);
    assert.equal(stderr, "");
    assert.ok(stdout.startsWith(`Usage: flosensor ${command} `), stdout);
    assert.ok(stdout.split("\n").every((line) => line.length <= 80), stdout);
    assert.equal((await flosensor(["help", command])).stdout, stdout);
  });
}

Deno.test("flosensor without a command shows its help on standard error, exit status 2", async () => {
  const { status, stdout, stderr } = await flosensor([]);
  assert.equal(status, 2);
  assert.equal(stdout, "");
  assert.ok(stderr.startsWith("Usage: flosensor "), stderr);
});
