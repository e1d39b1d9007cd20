import assert from "node:assert/strict";
import { commandTable } from "../../src/cli/commands.ts";

/** What the options of a command are read as. */
function optionsOf(name: string, ...args: string[]): Record<string, unknown> {
  const command = commandTable().commands.find((it) => it.name() === name)!;
  command.parseOptions(args);
  return command.opts();
}

Deno.test("capture --snaplen 0 takes whole packets, as tcpdump's", () => {
  for (const args of [["--snaplen", "0"], ["-s", "0"], ["-s0"]]) {
    assert.equal(optionsOf("capture", ...args).snaplen, 262_144);
  }
  assert.equal(optionsOf("capture", "-s", "96").snaplen, 96);
});

Deno.test("capture's options of one letter are those of tcpdump", () => {
  const long = ["--interface", "lo", "--no-promisc", "--direction", "in", "--user", "nobody"];
  const short = ["-npi", "lo", "-Qin", "-Z", "nobody"];
  const { n, ...options } = optionsOf("capture", ...short);
  assert.equal(n, true);
  assert.deepEqual(options, optionsOf("capture", ...long));
  assert.deepEqual(optionsOf("capture", "-i", "lo", "-i", "eth0").interface, ["lo", "eth0"]);
  assert.equal(optionsOf("capture", "-f", "port 53").filter, "port 53");
});

Deno.test("no option of a command has the name of another one", () => {
  for (const command of commandTable().commands) {
    const names = command.options.flatMap(({ short, long }) => [short, long])
      .filter((name) => name !== undefined);
    assert.equal(new Set(names).size, names.length, command.name());
  }
});
