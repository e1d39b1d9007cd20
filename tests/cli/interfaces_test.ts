import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { FFI_PATHS, LIBC_PATHS } from "../../ffi/library.ts";
import {
  CAN_MAKE_NAMESPACES,
  type NamespacePair,
  withNamespaces,
  WITHOUT_NAMESPACES,
} from "../namespaces.ts";

const ROOT = new URL("../../", import.meta.url);
const WITHOUT_CAPABILITIES = [
  "setpriv",
  "--bounding-set=-net_raw,-net_admin",
  "--inh-caps=-net_raw,-net_admin",
];
const PROGRAM = `
import { interfaces } from "${new URL("src/cli/interfaces.ts", ROOT)}";
import { LineLog } from "${new URL("src/log.ts", ROOT)}";
Deno.exit(await interfaces(new LineLog("info")));
`;

async function interfacesIn(
  pair: NamespacePair,
  { prefix = [], libraries = FFI_PATHS }: { prefix?: string[]; libraries?: readonly string[] } = {},
): Promise<{ rows: string[][]; stderr: string }> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, PROGRAM);
    const [program, ...args] = [
      ...prefix,
      ...[Deno.execPath(), "run", "--quiet", "--no-prompt"],
      ...["--config", fileURLToPath(new URL("deno.json", ROOT))],
      ...[`--allow-ffi=${libraries.join(",")}`, file],
    ];
    const { code, stdout, stderr } = await pair.command(program, args).output();
    const decoder = new TextDecoder();
    assert.equal(code, 0, decoder.decode(stderr));
    const rows = decoder.decode(stdout).trimEnd().split("\n").map((line) => line.split(/ {2,}/));
    return { rows, stderr: decoder.decode(stderr) };
  } finally {
    await Deno.remove(file);
  }
}

Deno.test({
  name: "interfaces shows names, states, link types, addresses" + WITHOUT_NAMESPACES,
  ignore: !CAN_MAKE_NAMESPACES,
  fn: () =>
    withNamespaces(async (pair) => {
      await pair.ip("addr", "flush", "dev", "veth0", "scope", "link");
      await pair.addVeth("veth1", "peer1");
      await pair.ip("link", "set", "veth1", "down");
      const { rows, stderr } = await interfacesIn(pair);
      assert.deepEqual(rows[0], ["NAME", "STATE", "LINK TYPE", "ADDRESSES", "DESCRIPTION"]);
      const row = (name: string) => rows.find(([first]) => first === name);
      assert.deepEqual(row("veth0"), [
        ...["veth0", "up", "EN10MB", "10.99.0.1/24 2001:db8:99::1/64", "-"],
      ]);
      assert.deepEqual(row("lo"), ["lo", "up", "EN10MB", "127.0.0.1/8 ::1/128", "-"]);
      assert.deepEqual(row("any")?.slice(0, 4), ["any", "up", "LINUX_SLL2", "-"]);
      assert.deepEqual(row("veth1"), ["veth1", "down", "EN10MB", "-", "-"]);
      assert.equal(rows.length, 5);
      assert.equal(stderr, "");
    }),
});

Deno.test({
  name: "interfaces says once what is missing when capture is not permitted" + WITHOUT_NAMESPACES,
  ignore: !CAN_MAKE_NAMESPACES,
  fn: () =>
    withNamespaces(async (pair) => {
      const { rows, stderr } = await interfacesIn(pair, { prefix: WITHOUT_CAPABILITIES });
      assert.equal(rows.find(([name]) => name === "veth0")?.[2], "EN10MB");
      assert.equal(rows.find(([name]) => name === "any")?.[2], "LINUX_SLL2");
      assert.match(stderr, /^flosensor: warning: no permission to capture; .*setcap .*\n$/);
    }),
});

Deno.test({
  name: "interfaces shows the same without libpcap" + WITHOUT_NAMESPACES,
  ignore: !CAN_MAKE_NAMESPACES,
  fn: () =>
    withNamespaces(async (pair) => {
      await pair.ip("tuntap", "add", "tun0", "mode", "tun");
      const columns = (rows: string[][]) => rows.map((row) => row.slice(0, 4)).sort();
      const withLibpcap = await interfacesIn(pair);
      const without = await interfacesIn(pair, { libraries: LIBC_PATHS });
      assert.deepEqual(columns(without.rows), columns(withLibpcap.rows));
      assert.equal(without.rows.find(([name]) => name === "tun0")?.[2], "RAW");
      assert.match(without.stderr, /^flosensor: packets are taken from the kernel's ring: .*\n$/);

      const refused = await interfacesIn(pair, {
        libraries: LIBC_PATHS,
        prefix: WITHOUT_CAPABILITIES,
      });
      assert.deepEqual(columns(refused.rows), columns(withLibpcap.rows));
      assert.match(refused.stderr, /warning: no permission to capture; .*setcap .*\n$/);
    }),
});
