import assert from "node:assert/strict";
import { join } from "node:path";
import { commandTable } from "../../src/cli/commands.ts";
import { completionScript } from "../../src/cli/completion/completion_script.ts";
import { type Shell, SHELLS } from "../../src/cli/shells.ts";
import { withFiles } from "../config/temporary_files.ts";
import { isProgram } from "../installed.ts";
import { flosensor } from "./program.ts";

/** Separates what is typed from what a shell says besides. */
const MARK = "@@";

const INTERFACES = [...Deno.readDirSync("/sys/class/net")]
  .filter(({ name }) => Deno.statSync(`/sys/class/net/${name}`).isDirectory)
  .map(({ name }) => name);

/** Asks a shell what may stand at the end of lines, by what it does when TAB is pressed. */
type Ask = (lines: string[], script: string, directory: string) => Promise<string[][]>;

async function output(
  program: string,
  args: string[],
  cwd: string,
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd,
    stdin: "null",
    env: { HOME: cwd, TERM: "dumb", LC_ALL: "C" },
  }).output();
  const decoder = new TextDecoder();
  assert.ok(success, decoder.decode(stderr));
  assert.equal(decoder.decode(stderr), "");
  return decoder.decode(stdout);
}

/** readline calls the function that is registered, with the line in words. */
const askBash: Ask = (lines, script, directory) =>
  Promise.all(lines.map((line) => askBashOnce(line, script, directory)));

async function askBashOnce(line: string, script: string, directory: string): Promise<string[]> {
  const words = line.split(/ +|(=)/).filter((word) => word !== undefined);
  const text = await output("bash", [
    ...["--noprofile", "--norc", "-c"],
    `source "$0" && [[ $(complete -p flosensor) == 'complete -F _flosensor flosensor' ]] || exit 1
     COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*"
     _flosensor flosensor "\${@: -1}" "\${@: -2:1}"
     printf '%s\\n' "\${COMPREPLY[@]}"`,
    script,
    ...words,
  ], directory);
  return text.split("\n").filter((it) => it !== "");
}

const askFish: Ask = (lines, script, directory) =>
  Promise.all(lines.map(async (line) => {
    const text = await output("fish", [
      ...["--no-config", "-c"],
      `source ${script}; complete -C ${JSON.stringify(line)}`,
    ], directory);
    // What stands behind the tab is the description.
    return text.split("\n").filter((it) => it !== "").map((it) => it.split("\t")[0]);
  }));

/**
 * A zsh at a terminal of its own, in which TAB is pressed. A function in the place of compadd writes
 * down what is possible; it may be called twice for the same.
 */
const askZsh: Ask = async (lines, script, directory) => {
  const driver = join(directory, "driver.zsh");
  await Deno.writeTextFile(
    driver,
    `zmodload zsh/zpty
zpty shell zsh -f -i
say() { zpty -w shell "$1" }
say "PS1= PS2= fpath=(${directory} $fpath); autoload -Uz compinit; compinit -u -D; source ${script}"
say 'compadd() {
  if [[ \${*[(r)-O]} == -O || \${*[(r)-A]} == -A || \${*[(r)-D]} == -D ]]; then builtin compadd "$@"; return; fi
  local -a found; builtin compadd -O found "$@"; (( $#found )) && print -rl -- ${MARK}$^found >> answers
  builtin compadd "$@" }'
say 'finish() { print -r -- ${MARK}done; zle kill-whole-line }; zle -N finish; bindkey "^X" finish'
say 'print -r -- ${MARK}ready'
zpty -r shell answer '*${MARK}ready*'
for line in "$@"; do
  zpty -w -n shell $line$'\\t'$'\\x18'
  zpty -r shell answer '*${MARK}done*'
  print -r -- ${MARK} >> answers
done
zpty -d shell
cat answers
`,
  );
  const text = await output("zsh", ["-f", driver, ...lines], directory);
  for (const name of ["answers", "driver.zsh"]) await Deno.remove(join(directory, name));
  const answers = text.split(`${MARK}\n`).slice(0, lines.length);
  return answers.map((answer) =>
    answer.split("\n").filter((it) => it !== "").map((it) => it.slice(MARK.length))
  );
};

const ASK: Record<Shell, Ask> = { bash: askBash, zsh: askZsh, fish: askFish };

const COMMANDS = commandTable().commands.map((command) => command.name());

for (const shell of SHELLS) {
  const isThere = isProgram(shell, "--version");
  const reason = isThere ? "" : ` (skipped: ${shell} is not installed)`;
  const test = (
    what: string,
    fn: (ask: (...lines: string[]) => Promise<string[][]>, directory: string) => Promise<void>,
  ) =>
    Deno.test({
      name: `${shell}: ${what}${reason}`,
      ignore: !isThere,
      fn: () =>
        withFiles({ "one.pcap": "", "config.ts": "" }, async (directory) => {
          const script = join(directory, "script");
          await Deno.writeTextFile(script, completionScript(commandTable(), shell));
          await fn(
            async (...lines) =>
              (await ASK[shell](lines, script, directory)).map((words) =>
                [...new Set(words)].sort()
              ),
            directory,
          );
        }),
    });

  test("the commands are completed", async (ask) => {
    const [all, some] = await ask("flosensor ", "flosensor rep");
    for (const command of COMMANDS) assert.ok(all.includes(command), `${command}: ${all}`);
    assert.deepEqual(some, ["replay", "report"]);
  });

  test("the options of each command are completed", async (ask) => {
    const { commands } = commandTable();
    const answers = await ask(...commands.map((it) => `flosensor ${it.name()} --`));
    commands.forEach(({ options }, i) => {
      for (const { long } of options) {
        if (long === undefined) continue;
        assert.ok(answers[i].some((it) => it.replace(/=$/, "") === long), `${long}: ${answers[i]}`);
      }
    });
  });

  test("the values of options are completed", async (ask) => {
    const [sources, directions, users, files] = await ask(
      "flosensor capture --source ",
      "flosensor capture -Q ",
      "flosensor capture -Z ro",
      "flosensor check -c conf",
    );
    assert.deepEqual(sources, ["af_packet", "auto", "libpcap"]);
    assert.deepEqual(directions, ["in", "inout", "out"]);
    assert.ok(users.includes("root"));
    assert.deepEqual(files, ["config.ts"]);
  });

  test(
    "interfaces are completed after capture, files after replay, folders after init",
    async (ask, directory) => {
      const captures = ["flosensor capture ", "flosensor capture -i ", "flosensor capture lo "];
      for (const words of await ask(...captures)) {
        for (const name of [...INTERFACES, "any"]) assert.ok(words.includes(name), `${words}`);
      }
      await Deno.mkdir(join(directory, "only"));
      const [folders] = await ask("flosensor init on");
      assert.deepEqual(folders.map((it) => it.replace(/\/$/, "")), ["only"]);
      await Deno.remove(join(directory, "only"));
      const commands = ["replay", "score", "replay -r", "explain --from"];
      for (const words of await ask(...commands.map((it) => `flosensor ${it} on`))) {
        assert.deepEqual(words, ["one.pcap"]);
      }
    },
  );

  test("commands are completed after help, shells after completion", async (ask) => {
    const [commands, shells] = await ask("flosensor help inter", "flosensor completion ");
    assert.deepEqual(commands, ["interfaces"]);
    assert.deepEqual(shells, [...SHELLS].sort());
  });
}

Deno.test("bash: a value behind = is completed", async () => {
  await withFiles({}, async (directory) => {
    const script = join(directory, "script");
    await Deno.writeTextFile(script, completionScript(commandTable(), "bash"));
    const lines = ["flosensor capture --source=li", "flosensor capture --source="];
    const [some, all] = await askBash(lines, script, directory);
    assert.deepEqual(some, ["libpcap"]);
    assert.equal(all.length, 3);
  });
});

Deno.test("flosensor completion prints the script of a shell, and names those that it has", async () => {
  for (const shell of SHELLS) {
    const { status, stdout, stderr } = await flosensor(["completion", shell]);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.equal(stdout, completionScript(commandTable(), shell));
  }
  const { status, stderr } = await flosensor(["completion", "tcsh"]);
  assert.equal(status, 2);
  assert.match(stderr, /'tcsh' is invalid.*bash, zsh, fish/);
});
