import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { run } from "../namespaces.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

for (
  const [task, ...words] of [
    ["fuzz", "--seconds"],
    ["fuzz", "--seconds", "-5"],
    ["fuzz", "--nothing"],
    ["fuzz", "/none.pcap"],
    ["soak", "--nothing"],
    ["soak", "--minutes", "x"],
    ["faults", "--seconds=abc"],
    ["faults", "nothing"],
    ["failovers", "nothing"],
  ]
) {
  Deno.test(`deno task ${task} ${words.join(" ")} ends with a line that says what is wrong`, async () => {
    const result = await run(
      ...[Deno.execPath(), "task", "--quiet", "--config", `${ROOT}deno.json`, task] as const,
      ...words,
    );
    assert.equal(result.code, 2, result.stderr);
    assert.match(result.stderr, new RegExp(`^\\S.*: deno task ${task} \\[.*\n$`));
  });
}

Deno.test("deno task soak --help says how it is called", async () => {
  const args = ["task", "--quiet", "--config", `${ROOT}deno.json`, "soak", "--help"];
  const { code, stdout } = await run(Deno.execPath(), ...args);
  assert.equal(code, 0);
  assert.match(stdout, /^deno task soak \[--minutes 60\] .*\n$/);
});
