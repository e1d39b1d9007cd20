import assert from "node:assert/strict";
import { join } from "node:path";
import { check } from "../../src/cli/check.ts";
import { UserError } from "../../src/user_error.ts";
import { withFiles } from "../config/temporary_files.ts";
import { MemoryLog } from "../memory_log.ts";

const SHIPPED = new URL("../../config.ts", import.meta.url).pathname;
const TWO_HOSTS = new URL("../../docs/examples/two-hosts.ts", import.meta.url).pathname;

async function printed(config: string, ourNets: string[] = []): Promise<string> {
  let text = "";
  const status = await check({ config, ourNets }, new MemoryLog(), (more) => text += more);
  assert.equal(status, 0);
  return text;
}

Deno.test("check prints networks and rules of the shipped config.ts, and nothing suspicious", async () => {
  const text = await printed(SHIPPED, ["192.168.0.0/16", "2001:db8::/32"]);
  assert.match(text, /^Own networks: {7}192\.168\.0\.0\/16, 2001:db8::\/32$/m);
  assert.match(text, /^ {2}our_nets {2}the own networks \(192\.168\.0\.0\/16, 2001:db8::\/32\)$/m);
  assert.match(text, /^ {2}external {2}0\.0\.0\.0\/0, ::\/0$/m);
  const rules = [...text.matchAll(/^ {2}(flows\[\d\]) {2}(.*)$/gm)].map(([, , rule]) => rule);
  assert.deepEqual(rules, [
    "any -> any  Initiator()",
    "any -> any  Service()",
    "any -> any  LowerPort(SRC)",
  ]);
  assert.match(text, /^Flows within them: {2}written$/m);
  assert.match(text, /\nNothing suspicious\.$/);
});

Deno.test("check names file and line of what is suspicious, and ends with 0", async () => {
  const text = await printed(TWO_HOSTS, ["10.0.0.0/8"]);
  const line =
    (await Deno.readTextFile(TWO_HOSTS)).split("\n").findIndex((line) => line.includes('["bert"')) +
    1;
  assert.ok(
    text.includes(
      `${TWO_HOSTS}:${line}: warning: network "bert" can never match: "our_nets" before it has all its addresses`,
    ),
    text,
  );
});

Deno.test("check takes own networks of the configuration, and shows no password", async () => {
  const config = `import { defineConfig } from "flosensor/config";
export default defineConfig({ redis: "redis://user:secret@localhost/3", ourNets: ["10.0.0.0/8"] });`;
  await withFiles({ "config.ts": config }, async (directory) => {
    const text = await printed(join(directory, "config.ts"));
    assert.match(text, /^Own networks: {7}10\.0\.0\.0\/8$/m);
    assert.match(text, /^Redis: .*localhost/m);
    assert.doesNotMatch(text, /secret/);
    assert.match(text, /Nothing suspicious\.$/);
  });
});

Deno.test("check throws the one line of a broken configuration", async () => {
  await assert.rejects(
    check({ config: "/nonexistent/config.ts", ourNets: [] }, new MemoryLog(), () => {}),
    (error) =>
      error instanceof UserError && error.exitStatus === 1 &&
      error.message === "/nonexistent/config.ts: there is no such file: check the name",
  );
});
