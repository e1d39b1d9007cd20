import assert from "node:assert/strict";
import { join } from "node:path";
import { withFiles } from "../config/temporary_files.ts";
import { type Ending, flosensor } from "./program.ts";

const SHIPPED = await Deno.readTextFile(new URL("../../config.ts", import.meta.url));
const TYPES = await Deno.readTextFile(
  new URL("../../src/config/flosensor.d.ts", import.meta.url),
);
const WRITTEN = ["config.ts", "deno.json", "flosensor.d.ts", "tsconfig.json"];

/** Runs the program with the permissions of its task, in a folder. */
function inFolder(directory: string, ...args: string[]): Promise<Ending> {
  return flosensor(args, {
    command: (program, parameters, options) =>
      new Deno.Command(program, { ...options, args: parameters, cwd: directory }),
  });
}

function filesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

const read = (...path: string[]) => Deno.readTextFile(join(...path));

Deno.test("init writes config.ts, its types and what finds them, and says what to do next", async () => {
  await withFiles({}, async (directory) => {
    const { status, stdout, stderr } = await inFolder(directory, "init");
    assert.deepEqual([status, stderr], [0, ""]);
    assert.equal(
      stdout,
      ["config.ts", "flosensor.d.ts", "deno.json", "tsconfig.json"].map((it) =>
        `${it} is written\n`
      ).join("") +
        "Now change config.ts, and look at what it does:\n  deno task flosensor check\n",
    );
    assert.deepEqual(filesIn(directory), WRITTEN);
    assert.equal(await read(directory, "config.ts"), SHIPPED);
    assert.equal(await read(directory, "flosensor.d.ts"), TYPES);
    const checked = await inFolder(directory, "check", "192.168.0.0/16");
    assert.equal(checked.stderr, "");
    assert.match(checked.stdout, /\nNothing suspicious\.\n$/);
  });
});

Deno.test("init makes the folder, and writes the Redis and the own networks that it is told", async () => {
  await withFiles({}, async (directory) => {
    const folder = join(directory, "a b/sensor");
    const args = ["192.168.1.7/16", "2001:db8::/32", "--redis", 'unix:///run/"r".sock?db=2'];
    const { status, stdout, stderr } = await inFolder(directory, "init", "a b/sensor", ...args);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /\n {2}deno task flosensor check --config 'a b\/sensor\/config\.ts'\n$/);
    const checked = await inFolder(folder, "check");
    assert.match(checked.stdout, /^Own networks: {7}192\.168\.0\.0\/16, 2001:db8::\/32$/m);
    assert.match(checked.stdout, /^Redis: {14}unix:\/\/\/run\/"r"\.sock\?db=2$/m);
  });
});

Deno.test("init --no-redis names none", async () => {
  await withFiles({}, async (directory) => {
    await inFolder(directory, "init", "--no-redis");
    const { stdout } = await inFolder(directory, "check");
    assert.match(stdout, /^Redis: {14}none$/m);
  });
});

Deno.test("init lets nobody else read a config.ts with a password, nor says it", async () => {
  await withFiles({}, async (directory) => {
    const url = "redis://:geheim@localhost";
    const { stdout, stderr } = await inFolder(directory, "init", "--redis", url);
    assert.doesNotMatch(stdout + stderr, /geheim/);
    assert.match(stdout, /^config\.ts is written, for you alone: it has a password$/m);
    assert.equal(Deno.statSync(join(directory, "config.ts")).mode! & 0o777, 0o600);
    await Deno.chmod(join(directory, "config.ts"), 0o644);
    await inFolder(directory, "init", "--redis", `${url}/1`, "--force");
    assert.equal(Deno.statSync(join(directory, "config.ts")).mode! & 0o777, 0o600);
  });
});

Deno.test("init writes nothing where there is a config.ts, unless it is to be replaced", async () => {
  const mine = "// mine\n";
  await withFiles({ "config.ts": mine }, async (directory) => {
    const { status, stdout, stderr } = await inFolder(directory, "init");
    assert.deepEqual([status, stdout], [1, ""]);
    assert.equal(
      stderr,
      "flosensor: error: config.ts is there and stays as it is: name another folder, " +
        "--force to replace it, or --types for what editors need beside it\n",
    );
    assert.deepEqual(filesIn(directory), ["config.ts"]);

    const types = await inFolder(directory, "init", "--types");
    assert.equal(types.status, 0, types.stderr);
    assert.deepEqual(filesIn(directory), WRITTEN);
    assert.equal(await read(directory, "config.ts"), mine);

    const forced = await inFolder(directory, "init", "--force");
    assert.match(forced.stdout, /^config\.ts is replaced$/m);
    assert.match(forced.stdout, /^flosensor\.d\.ts is as it should be$/m);
    assert.equal(await read(directory, "config.ts"), SHIPPED);
  });
});

Deno.test("init leaves a deno.json, deno.jsonc and tsconfig.json that are there, and says what to add", async () => {
  for (const name of ["deno.json", "deno.jsonc"]) {
    await withFiles({ [name]: "{}", "tsconfig.json": "{}" }, async (directory) => {
      const { status, stdout } = await inFolder(directory, "init");
      assert.equal(status, 0);
      const [, , deno, typescript] = stdout.split("\n");
      assert.equal(
        deno,
        `${name} is there and stays as it is: add "flosensor/config": "./flosensor.d.ts" to its "imports"`,
      );
      assert.equal(
        typescript,
        'tsconfig.json is there and stays as it is: add "flosensor/config": ["./flosensor.d.ts"] ' +
          'to "paths" of its "compilerOptions"',
      );
      assert.deepEqual(filesIn(directory), ["config.ts", name, "flosensor.d.ts", "tsconfig.json"]);
      assert.equal(await read(directory, name), "{}");
    });
  }
  const done = `{ "imports": { "flosensor/config": "./types.ts" } }`;
  await withFiles({ "deno.json": done }, async (directory) => {
    const { stdout } = await inFolder(directory, "init");
    assert.match(stdout, /^deno\.json is there and stays as it is$/m);
    assert.equal(await read(directory, "deno.json"), done);
  });
});

Deno.test("init renews types that an older flosensor made, and no others", async () => {
  const older = TYPES.replace("flushInterval", "interval");
  for (const [present, expected] of [[older, TYPES], ["// mine\n", "// mine\n"]]) {
    await withFiles({ "flosensor.d.ts": present }, async (directory) => {
      assert.equal((await inFolder(directory, "init", "--types")).status, 0);
      assert.equal(await read(directory, "flosensor.d.ts"), expected);
    });
  }
});

Deno.test("init --print prints one file and writes nothing", async () => {
  await withFiles({}, async (directory) => {
    assert.equal((await inFolder(directory, "init", "--print")).stdout, SHIPPED);
    const types = await inFolder(directory, "init", "--print", "flosensor.d.ts");
    assert.equal(types.stdout, TYPES);
    assert.deepEqual(filesIn(directory), []);
  });
});

const WRONG: [string[], status: number, message: string][] = [
  [["one", "two"], 2, "one, two: a configuration goes into one folder: name one"],
  [["file"], 1, "file: this is a file: name a folder"],
  [["file/sub"], 1, "file/sub: Not a directory: name another folder"],
  [
    ["--print", "config"],
    2,
    "--print config: there is no such file: name one of config.ts, flosensor.d.ts, deno.json, " +
    "tsconfig.json",
  ],
  [
    ["10.0.0.0/33"],
    2,
    'own network: "10.0.0.0/33" has no prefix length from 0 to 32 after the slash: ' +
    'after "10.0.0.0/" write a number from 0 to 32',
  ],
];

for (const [args, status, message] of WRONG) {
  Deno.test(`init ${args.join(" ")} is refused in one line`, async () => {
    await withFiles({ file: "" }, async (directory) => {
      const ending = await inFolder(directory, "init", ...args);
      assert.deepEqual(ending, { status, stdout: "", stderr: `flosensor: error: ${message}\n` });
      assert.deepEqual(filesIn(directory), ["file"]);
    });
  });
}

Deno.test("init says where it may not write, and the way out", async () => {
  await withFiles({}, async (directory) => {
    const { status, stderr } = await flosensor(["init", directory], {
      permissions: ["--no-prompt", "--allow-read"],
    });
    assert.equal(status, 1);
    assert.equal(
      stderr,
      `flosensor: error: ${directory}/config.ts: flosensor may not write there: ` +
        `run with --allow-write=${directory}, or take the text from: init --print\n`,
    );
  });
});

Deno.test("a config.ts may not write, though init may", async () => {
  const config = `import { defineConfig } from "flosensor/config";
const attempts = [
  () => Deno.writeTextFileSync("new.txt", ""),
  () => Deno.writeTextFileSync("/tmp/flosensor-intruder", ""),
  () => Deno.chmodSync("config.ts", 0o777),
  () => Deno.mkdirSync("folder"),
];
for (const attempt of attempts) {
  try {
    attempt();
    console.log("done");
  } catch (error) {
    console.log((error as Error).name);
  }
}
const { state } = await Deno.permissions.request({ name: "write", path: "." });
console.log(state);
export default defineConfig({});
`;
  await withFiles({ "config.ts": config }, async (directory) => {
    const { stdout } = await inFolder(directory, "check");
    assert.deepEqual(stdout.split("\n").slice(0, 5), [
      ...Array(4).fill("NotCapable"),
      "denied",
    ]);
    assert.deepEqual(filesIn(directory), ["config.ts"]);
  });
});
