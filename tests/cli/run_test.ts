import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withFiles } from "../config/temporary_files.ts";

const CONFIG = `import { defineConfig, Service } from "flosensor/config";
export default defineConfig({ flows: [[null, null, Service()]] });
`;

Deno.test("a run writes what was judged, also when judging the rest fails at its end", () =>
  withFiles({ "config.ts": CONFIG }, async (directory) => {
    const program = fileURLToPath(new URL("./failing_run.ts", import.meta.url));
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-prompt",
        "--allow-read",
        program,
        join(directory, "config.ts"),
      ],
    }).output();
    assert.equal(new TextDecoder().decode(stderr), "what is listening can't be told\n");
    const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
    const keys = lines.map((line) => JSON.parse(line).key).filter((key) => key.endsWith(";flow"));
    assert.deepEqual(keys, ["198.18.0.1;192.0.2.1;443;flow"]);
  }));
