import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Ending, flosensor } from "../cli/program.ts";
import { run } from "../namespaces.ts";
import { withFiles } from "./temporary_files.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const IS_ROOT = Deno.build.os === "linux" && Deno.uid() === 0;
/** Somebody else, with the name that messages have. */
const OTHER = 65_534;
const ENTRIES = (text: string) => text.trim().split("\n").map((line) => line.split(":"));
const USERS = IS_ROOT ? ENTRIES(Deno.readTextFileSync("/etc/passwd")) : [];
const GROUPS = IS_ROOT ? ENTRIES(Deno.readTextFileSync("/etc/group")) : [];
/** A user that is alone in its group. */
const ALONE = USERS.find(([name, , uid, gid]) =>
  Number(uid) > 0 && USERS.filter((it) => it[3] === gid).length === 1 &&
  GROUPS.some((it) => it[2] === gid && ["", name].includes(it[3]))
);

const CONFIG = `import { defineConfig } from "flosensor/config";
import { ttl } from "./lib/ttl.ts";
import ports from "./ports.json" with { type: "json" };
export default defineConfig({ ttl, dnsPorts: ports });
`;
const FILES = {
  "config.ts": CONFIG,
  "lib/ttl.ts": "export const ttl = 4711;\n",
  "ports.json": "[53]",
};

/** Runs the program in a folder, with an environment of its own. */
function inFolder(
  directory: string,
  args: string[],
  variables: Record<string, string> = {},
): Promise<Ending> {
  return flosensor(args, {
    command: (program, parameters, { env, ...options }) =>
      new Deno.Command(program, {
        ...options,
        args: parameters,
        cwd: directory,
        env: { ...env, ...variables },
      }),
  });
}

/** A test with a configuration in a folder, all of it root's. */
function rootTest(
  name: string,
  test: (directory: string) => Promise<void>,
  ignore = false,
): void {
  Deno.test({
    name: name + (IS_ROOT ? "" : " (skipped: needs root)"),
    ignore: !IS_ROOT || ignore,
    fn: () =>
      withFiles(FILES, async (directory) => {
        await Deno.chmod(directory, 0o755);
        for (const name of ["config.ts", "lib/ttl.ts", "ports.json"]) {
          await Deno.chmod(join(directory, name), 0o644);
        }
        await Deno.chmod(join(directory, "lib"), 0o755);
        await test(directory);
      }),
  });
}

async function assertTaken(
  directory: string,
  variables: Record<string, string> = {},
  ...args: string[]
): Promise<void> {
  const { status, stdout, stderr } = await inFolder(directory, ["check", ...args], variables);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^Keys live: +4711 s/m);
}

async function assertRefused(
  directory: string,
  reason: string,
  variables: Record<string, string> = {},
): Promise<void> {
  const { status, stdout, stderr } = await inFolder(directory, ["check"], variables);
  assert.equal(status, 1);
  assert.equal(stdout, "");
  assert.equal(
    stderr.replaceAll(directory, "DIR"),
    `flosensor: error: config.ts: not taken, since this runs as root, and ${reason}, ` +
      "or name the file: --config config.ts\n",
  );
  // Whoever names it has decided.
  await assertTaken(directory, variables, "--config", "config.ts");
}

rootTest(
  "root takes a configuration that is root's, and nobody else's to write",
  async (directory) => {
    await assertTaken(directory);
    await Deno.chmod(directory, 0o1777);
    await assertTaken(directory);
  },
);

rootTest("root takes no configuration of another user that it only found", async (directory) => {
  await Deno.chown(join(directory, "config.ts"), OTHER, OTHER);
  const reason = "config.ts belongs to nobody (user 65534): chown root config.ts";
  await assertRefused(directory, reason);
  await assertRefused(directory, reason, { SUDO_UID: "1234" });
  await assertRefused(directory, reason, { SUDO_UID: "" });
  const commands = [
    ["explain", "10.0.0.1", "1", "10.0.0.2", "2"],
    ["replay", "-", "--no-redis"],
    ["score", "none.pcap"],
    ["dnstap", "tcp:127.0.0.1:1"],
  ];
  for (const command of commands) {
    const { status, stdout, stderr } = await inFolder(directory, command);
    assert.deepEqual([status, stdout], [1, ""], command[0]);
    assert.match(stderr, /^flosensor: error: config\.ts: not taken, .*\n$/);
  }
});

rootTest("root takes what belongs to who called sudo", async (directory) => {
  const { code } = await run("chown", "-R", `${OTHER}:${OTHER}`, directory);
  assert.equal(code, 0);
  await assertTaken(directory, { SUDO_UID: String(OTHER) });
  await assertRefused(
    directory,
    "config.ts belongs to nobody (user 65534): chown root config.ts",
  );
});

rootTest("root takes what all users or a group may write from nobody", async (directory) => {
  const path = join(directory, "config.ts");
  await Deno.chmod(path, 0o666);
  await assertRefused(directory, "all users may write config.ts: chmod o-w config.ts");
  await Deno.chmod(path, 0o664);
  await Deno.chown(path, 0, OTHER);
  await assertRefused(directory, "a group may write config.ts: chmod g-w config.ts");
});

rootTest(
  "root takes what the caller's own group may write, as with umask 002",
  async (directory) => {
    const [, , uid, gid] = ALONE!;
    await run("chown", "-R", `${uid}:${gid}`, directory);
    await run("chmod", "-R", "g+w", directory);
    await assertTaken(directory, { SUDO_UID: uid });
  },
  ALONE === undefined,
);

rootTest("root looks at the folders that hold the configuration", async (directory) => {
  const inner = join(directory, "inner");
  await Deno.mkdir(inner, { mode: 0o755 });
  for (const name of ["config.ts", "lib", "ports.json"]) {
    await Deno.rename(join(directory, name), join(inner, name));
  }
  await assertTaken(inner);
  await Deno.chmod(inner, 0o777);
  await assertRefused(inner, "all users may write DIR: chmod o-w DIR");
  await Deno.chmod(inner, 0o755);
  await Deno.chown(inner, OTHER, OTHER);
  await assertRefused(inner, "DIR belongs to nobody (user 65534): chown root DIR");
  await Deno.chown(inner, 0, 0);
  await Deno.chmod(directory, 0o777);
  await assertRefused(inner, `all users may write ${directory}: chmod o-w ${directory}`);
});

rootTest("root looks at all that the configuration imports", async (directory) => {
  const library = join(directory, "lib/ttl.ts");
  const ports = join(directory, "ports.json");
  await Deno.chmod(library, 0o646);
  await assertRefused(directory, "all users may write lib/ttl.ts: chmod o-w lib/ttl.ts");
  await Deno.chmod(library, 0o644);
  await Deno.chmod(join(directory, "lib"), 0o757);
  await assertRefused(directory, "all users may write DIR/lib: chmod o-w DIR/lib");
  await Deno.chmod(join(directory, "lib"), 0o755);
  await Deno.chown(ports, OTHER, 0);
  await assertRefused(
    directory,
    "ports.json belongs to nobody (user 65534): chown root ports.json",
  );
});

rootTest("root looks at links, and at what they stand for", async (directory) => {
  await withFiles(FILES, async (elsewhere) => {
    const link = join(directory, "config.ts");
    await Deno.remove(link);
    await Deno.symlink(join(elsewhere, "config.ts"), link);
    await assertTaken(directory);
    await run("chown", "-h", String(OTHER), link);
    await assertRefused(
      directory,
      "DIR/config.ts belongs to nobody (user 65534): chown root DIR/config.ts",
    );
    await run("chown", "-h", "0", link);
    await Deno.chmod(elsewhere, 0o777);
    await assertRefused(directory, `all users may write ${elsewhere}: chmod o-w ${elsewhere}`);
  });
});

rootTest(
  "a checkout of another user's takes the configuration beside its own source",
  async (directory) => {
    const checkout = join(directory, "checkout");
    await Deno.mkdir(checkout);
    for (const part of ["src", "ffi", "mod.ts", "deno.json", "deno.lock"]) {
      assert.equal((await run("cp", "-r", join(ROOT, part), checkout)).code, 0);
    }
    for (const [name, text] of Object.entries(FILES)) {
      await Deno.mkdir(join(checkout, name, ".."), { recursive: true });
      await Deno.writeTextFile(join(checkout, name), text);
    }
    await run("chown", "-R", `${OTHER}:${OTHER}`, directory);
    const task = (cwd: string) =>
      new Deno.Command(Deno.execPath(), {
        args: ["task", "--quiet", "--config", join(checkout, "deno.json"), "--cwd", cwd]
          .concat(["flosensor", "check"]),
        env: { NO_COLOR: "1" },
      }).output();
    const taken = await task(checkout);
    assert.equal(taken.code, 0, new TextDecoder().decode(taken.stderr));
    assert.match(new TextDecoder().decode(taken.stdout), /^Keys live: +4711 s/m);
    await Deno.chown(join(checkout, "lib/ttl.ts"), 1234, 1234);
    const refused = await task(checkout);
    assert.equal(refused.code, 1);
    assert.match(new TextDecoder().decode(refused.stderr), /lib\/ttl\.ts belongs to user 1234/);
  },
);
