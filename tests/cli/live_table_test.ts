/** The live table on a real pseudo terminal, as somebody sees it who types. */
import assert from "node:assert/strict";
import { captureTest, IMPORT, type Setting } from "./capture_setting.ts";
import { taskCommand } from "./pseudo_terminal.ts";
import { OWN_NETWORKS } from "./sample_capture.ts";
import { HAS_TMUX, Tmux } from "./tmux.ts";

const SOON = `${IMPORT}export default defineConfig({ flushInterval: 0.1 });\n`;
/** It does not load. */
const BROKEN = "export default 1;\n";

function tmuxTest(name: string, test: (setting: Setting) => Promise<void>): void {
  captureTest(HAS_TMUX ? name : `${name} (skipped: tmux is not installed)`, test, {
    config: SOON,
    ...(HAS_TMUX ? {} : { ignore: true }),
  });
}

function captureCommand({ config }: Setting): string {
  return taskCommand("capture", "veth0", ...OWN_NETWORKS, "-c", config);
}

/** A capture of the sample, on a terminal. */
async function captureInTmux(
  setting: Setting,
  options?: { columns?: number; rows?: number; env?: Record<string, string> },
): Promise<Tmux> {
  const { pair, directory, file } = setting;
  const tmux = await Tmux.start(
    directory,
    captureCommand(setting),
    (program, args, options) => pair.command(program, args, options),
    options,
  );
  try {
    await tmux.shows(/^ veth0 +\d/m);
    // Packets are taken when their rate is known.
    await tmux.shows(/ \d+ packets\/s/);
    await pair.replay(file);
    await tmux.shows(/flows 4/);
    return tmux;
  } catch (error) {
    await tmux[Symbol.asyncDispose]();
    throw error;
  }
}

tmuxTest("the live table takes its keys on a terminal, and q ends the capture", async (setting) => {
  await using tmux = await captureInTmux(setting);
  const first = await tmux.shows(/^10\.1\.0\.1 +203\.0\.113\.53 +53\/udp/m);
  assert.match(
    first,
    /^ veth0 {3}\d\d:\d\d:\d\d {3}\S+ packets\/s {3}0 dropped {3}queue 0$/m,
  );
  assert.match(first, /^\[flows 4\] {2}services 4 {3}refused 2/m);
  assert.match(first, /^\d\d:\d\d:\d\d capturing on veth0$/m);
  assert.match(first, /q quit {2}\? help .*\n*$/);
  await tmux.press("Tab");
  await tmux.shows(/^SERVER +LATEST CLIENT/m);
  await tmux.press("Tab");
  await tmux.shows(/^2001:db8:1::1 +2001:db8:80::1 +161 +port unreachable/m);
  await tmux.press("BTab", "BTab");
  await tmux.shows(/\[flows 4\]/);
  await tmux.press("s");
  await tmux.shows(/sorted by first ↓/);
  await tmux.press("Right");
  await tmux.shows(/sorted by client ↑\s+CLIENT.*\s+10\.1\.0\.1 /);
  await tmux.press("r");
  await tmux.shows(/sorted by client ↓\s+CLIENT.*\s+2001:db8:1::1 /);
  await tmux.press("?");
  await tmux.shows(/Any key goes back/);
  await tmux.press("Up");
  await tmux.shows(/^CLIENT/m);
  await tmux.press("/");
  await tmux.type("port:443x");
  await tmux.shows(/^\/port:443x$/m);
  await tmux.press("Enter");
  await tmux.shows(/^port:443x is no port; write port:443/m);
  await tmux.press("BSpace", "Enter");
  await tmux.shows(/\[flows 2\] {2}services 2 {3}refused 0 .* \/ port:443$/m);
  await tmux.press("/", "C-u", "Enter");
  await tmux.shows(/\[flows 4\]/);
  await tmux.press("p");
  await tmux.shows(/PAUSED/);
  await tmux.press("p");
  await tmux.press("q");
  const end = await tmux.shows(/^ended with status 0$/m);
  assert.match(end, /^4 flows of 3 clients$/m);
  assert.match(end, /^Refused or unreachable: 2$/m);
  // What was said while the table was shown, and before it.
  assert.match(end, /^flosensor: capturing on veth0$/m);
  assert.match(end, /^flosensor: packets: \d+ received/m);
});

tmuxTest("the live table scrolls by arrows and pages on a small terminal", async (setting) => {
  await using tmux = await captureInTmux(setting, { rows: 7 });
  await tmux.press("s", "s");
  await tmux.shows(/ 1 to 3$/m);
  await tmux.press("Down");
  await tmux.shows(/ 2 to 4$/m);
  await tmux.press("PageUp");
  await tmux.shows(/ 1 to 3$/m);
  await tmux.press("PageDown");
  await tmux.shows(/ 2 to 4$/m);
  await tmux.press("Home");
  await tmux.shows(/ 1 to 3$/m);
  await tmux.press("End");
  await tmux.shows(/ 2 to 4$/m);
  // It is drawn again for a size that changed.
  await tmux.run("resize-window", "-x", "60", "-y", "12");
  await tmux.shows(/^ veth0 .*\n\[flows 4\](.*\n)+q quit/);
});

tmuxTest(
  "a line of the log gets a line of the live table, and destroys nothing",
  async (setting) => {
    await using tmux = await captureInTmux(setting);
    await Deno.writeTextFile(setting.config, BROKEN);
    const task = (await tmux.run("list-panes", "-F", "#{pane_pid}")).trim();
    // The task's only child is the program.
    const [program] = Deno.readTextFileSync(`/proc/${task}/task/${task}/children`).split(" ");
    Deno.kill(Number(program), "SIGHUP");
    const screen = await tmux.shows(/^\d\d:\d\d:\d\d error: /m);
    const lines = screen.trimEnd().split("\n");
    assert.match(lines[0], /^ veth0 /);
    assert.match(lines[1], /^\[flows 4\]/);
    assert.match(lines.at(-1)!, /^q quit/);
    assert.match(lines.at(-2)!, /^\d\d:\d\d:\d\d error: /);
    await tmux.press("q");
    const end = await tmux.shows(/^ended with status 0$/m);
    assert.match(end.replaceAll("\n", ""), /flosensor: error: .*config\.ts.*stays in place/);
  },
);

tmuxTest("the live table has colours unless NO_COLOR is set", async (setting) => {
  for (const [env, has] of [[{ NO_COLOR: "" }, true], [{ NO_COLOR: "1" }, false]] as const) {
    await using tmux = await captureInTmux(setting, { env });
    // A filter that is wrong is said in red where there are colours.
    await tmux.press("/");
    await tmux.type("port:x");
    await tmux.press("Enter");
    const screen = await tmux.shows(/port:x is no port/, "-e");
    // Alone, or behind the end of what was before.
    // deno-lint-ignore no-control-regex
    assert.equal(/\x1b\[(\d+;)*31m/.test(screen), has);
  }
});

tmuxTest("a terminal of 0 by 0, or a dumb one, gets the plain table", async (setting) => {
  const { pair, directory, file } = setting;
  for (const before of ["stty rows 0 cols 0;", "TERM=dumb"]) {
    await using tmux = await Tmux.start(
      directory,
      `sh -c '${before} exec ${captureCommand(setting).replaceAll("'", "")}'`,
      (program, args, options) => pair.command(program, args, options),
    );
    await tmux.shows(/^flosensor: capturing on veth0$/m);
    await pair.replay(file);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assert.ok(!(await tmux.screen()).includes("flows"));
    await tmux.press("C-c");
    await tmux.shows(/^(\^C)?4 flows of 3 clients$/m);
  }
});

tmuxTest("a capture that is sent to the background goes on, and fg shows it", async (setting) => {
  const { pair, directory, file } = setting;
  await using tmux = await Tmux.start(
    directory,
    "bash --norc --noediting -i",
    (program, args, options) => pair.command(program, args, options),
  );
  await tmux.type(`PS1='$ '; clear; ${captureCommand(setting)}\n`);
  await tmux.shows(/\d\d:\d\d:\d\d capturing on veth0/);
  await tmux.press("C-z");
  await tmux.shows(/Stopped/);
  await tmux.command("bg");
  await tmux.command("echo the $((20 + 3)) shell");
  await tmux.shows(/^the 23 shell$/m);
  await pair.replay(file);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  await tmux.command("jobs");
  await tmux.shows(/Running/);
  assert.ok(!(await tmux.screen()).includes("[flows"));
  await tmux.command("fg");
  await tmux.shows(/^\[flows 4\]/m);
  await tmux.press("Tab");
  await tmux.shows(/\[services 4\]/);
  await tmux.press("q");
  await tmux.shows(/^4 flows of 3 clients$/m);
  // The terminal has its echo again.
  await tmux.command("echo back");
  await tmux.shows(/^\$ echo back\nback$/m);
});
