import assert from "node:assert/strict";
import { compileFilter } from "../../ffi/bpf_compiler.ts";
import { libpcap, linkTypeDescription, linkTypeName } from "../../ffi/libpcap.ts";
import { FFI_PATHS, LIBPCAP_PATHS, openLibrary } from "../../ffi/library.ts";
import { HAS_LIBPCAP, HAS_TCPDUMP, WITHOUT_LIBPCAP, WITHOUT_TCPDUMP } from "../installed.ts";
import { run } from "../namespaces.ts";

function libpcapTest(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name: name + WITHOUT_LIBPCAP, ignore: !HAS_LIBPCAP, fn });
}

libpcapTest("libpcap() opens one of the known paths", () => {
  assert.ok(LIBPCAP_PATHS.includes(libpcap().path));
});

libpcapTest("link types have libpcap's names, or their number", () => {
  assert.equal(linkTypeName(1), "EN10MB");
  assert.equal(linkTypeName(276), "LINUX_SLL2");
  assert.equal(linkTypeDescription(1), "Ethernet");
  assert.equal(linkTypeName(65_000), "65000");
  assert.equal(linkTypeDescription(65_000), "");
});

Deno.test({
  name: "compileFilter() gives the program that tcpdump -ddd prints" + WITHOUT_TCPDUMP,
  ignore: !HAS_TCPDUMP,
  async fn() {
    for (const expression of ["tcp port 443", "ip6 net 2001:db8::/32 and udp", "vlan and ip"]) {
      const { stdout } = await run("tcpdump", "-y", "EN10MB", "-s", "262144", "-ddd", expression);
      const expected = stdout.trim().split("\n").slice(1).map((line) =>
        line.split(" ").map(Number)
      );
      const program = compileFilter(expression, 1);
      assert.deepEqual(program.map(({ code, jt, jf, k }) => [code, jt, jf, k]), expected);
    }
  },
});

libpcapTest("compileFilter() refuses what has no meaning for saved packets of a link type", () => {
  const refuses = (expression: string, linkType: number, words: RegExp) =>
    assert.throws(() => compileFilter(expression, linkType), { name: "UserError", message: words });
  refuses("tcp and and", 1, /^filter "tcp and and": .*syntax error/);
  refuses("ether host 02:00:00:00:00:01", 101, /^filter .*ethernet addresses supported only on/i);
  refuses("inbound", 1, /^filter "inbound": /);
});

Deno.test("openLibrary() names the paths and the advice when a library is missing", () => {
  const paths = ["/nowhere/libone.so", "/nowhere/libtwo.so"];
  assert.throws(() => openLibrary("libone", paths, {}, "install it"), {
    name: "LibraryAbsence",
    message: "libone not found at /nowhere/libone.so, /nowhere/libtwo.so: install it",
  });
});

Deno.test("the paths that a permission lists are absolute, and each is there once", () => {
  assert.ok(FFI_PATHS.every((path) => path.startsWith("/")));
  assert.equal(new Set(FFI_PATHS).size, FFI_PATHS.length);
});

Deno.test("the tasks of deno.json permit these libraries and no other", async () => {
  const { tasks } = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  );
  const permitted = JSON.stringify(tasks).matchAll(/--allow-ffi(?:=([^ "]*))?/g);
  for (const [permission, paths] of permitted) {
    assert.deepEqual(paths?.split(","), FFI_PATHS, permission);
  }
});
