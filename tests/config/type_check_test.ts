import assert from "node:assert/strict";
import { join } from "node:path";
import { withFiles } from "./temporary_files.ts";

const ROOT = new URL("../../", import.meta.url);

/** What `deno check` says of a config.ts: nothing when it is right. */
async function typeErrors(settings: string): Promise<string> {
  const text = `import { Assign, defineConfig, DST, LowerPort, OUR_NETS, PortMatch, SRC } from ` +
    `"flosensor/config";\nvoid [Assign, DST, LowerPort, OUR_NETS, PortMatch, SRC];\n` +
    `export default defineConfig({${settings}});\n`;
  let said = "";
  await withFiles({ "config.ts": text }, async (directory) => {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "check",
        "--quiet",
        "--config",
        new URL("deno.json", ROOT).pathname,
        join(directory, "config.ts"),
      ],
      env: { NO_COLOR: "1" },
    }).output();
    said = success ? "" : new TextDecoder().decode(stderr);
  });
  return said;
}

const NETWORKS =
  `networks: [["our_nets", OUR_NETS], ["bert", "10.33.0.1/32"], ["external", "0.0.0.0/0", "::/0"]],`;

Deno.test("the type checker takes a rule that names a network, null, and a function", async () => {
  const flows = `flows: [
    [null, "our_nets", LowerPort(SRC)],
    ["bert", "external", (flow) => {
      const network: "our_nets" | "bert" | "external" = flow.srcNetwork;
      if (network === "bert" && flow.protocol === "udp") return "drop";
      if (flow.sport === 1) return { client: flow.src, server: flow.dst, port: flow.dport };
    }],
    ["external", "bert", Assign(DST, SRC, { ports: new Set([53]), drop: true })],
  ],`;
  assert.equal(await typeErrors(NETWORKS + flows), "");
  assert.equal(await typeErrors(`flows: [["all", null, LowerPort()]]`), "");
});

Deno.test("the type checker refuses a rule that names an unknown network", async () => {
  const said = await typeErrors(`${NETWORKS}flows: [[null, "our_net", LowerPort(SRC)]]`);
  assert.match(said, /"our_net"' is not assignable to type/);
  assert.match(said, /"our_nets"/);
  assert.match(
    await typeErrors(`flows: [["lan", null, LowerPort()]]`),
    /'"lan"' is not assignable/,
  );
});

Deno.test("the type checker refuses an unknown setting and an action that is not called", async () => {
  assert.match(await typeErrors(`tll: 900`), /'tll' does not exist/);
  assert.match(await typeErrors(`flows: [[null, null, LowerPort]]`), /not assignable/);
});
