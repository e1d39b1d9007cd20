import assert from "node:assert/strict";
import { FFI_PATHS } from "../../ffi/library.ts";
import {
  CAN_MAKE_NAMESPACES,
  type NamespacePair,
  withNamespaces,
  WITHOUT_NAMESPACES,
} from "../namespaces.ts";
import { isDecoded } from "../../src/capture/is_decoded.ts";
import { notDecoded } from "../../src/capture/not_decoded.ts";
import { LINKTYPE_NFLOG } from "../../src/packet/link_type.ts";
import { isProgram } from "../installed.ts";
import { LiveCapture, PORT } from "./live_capture.ts";

const LINKTYPE_CAN_SOCKETCAN = 227;
const HAS_NFT = isProgram("nft", "--version");
/** Nothing else that a test can make has a link type that is not decoded. */
const HAS_VCAN = CAN_MAKE_NAMESPACES &&
  isProgram("unshare", "--net", "ip", "link", "add", "can0", "type", "vcan");

/** A test in namespaces of its own. What is the same with all sources has another file. */
function liveTest(name: string, run: (pair: NamespacePair) => Promise<void>): void {
  Deno.test({
    name: name + WITHOUT_NAMESPACES,
    ignore: !CAN_MAKE_NAMESPACES,
    fn: () => withNamespaces(run),
  });
}

Deno.test({
  name: "LiveSource names a link type that is not decoded" + WITHOUT_NAMESPACES +
    (HAS_VCAN ? "" : " (skipped: the kernel has no vcan)"),
  ignore: !CAN_MAKE_NAMESPACES || !HAS_VCAN,
  fn: () =>
    withNamespaces(async (pair) => {
      await pair.ip("link", "add", "can0", "type", "vcan");
      await pair.ip("link", "set", "can0", "up");
      const { log } = await (await LiveCapture.start(pair, "can0")).ended();
      assert.match(
        log[0],
        /^can0: its link type CAN_SOCKETCAN .* is not one that flosensor decodes/,
      );
    }),
});

Deno.test("a link type that is not decoded is named with what to do", () => {
  assert.ok(!isDecoded(LINKTYPE_CAN_SOCKETCAN));
  assert.match(
    notDecoded("can0", "CAN_SOCKETCAN").message,
    /^can0: its link type CAN_SOCKETCAN is not one that flosensor decodes: name another interface/,
  );
});

Deno.test({
  name: "LiveSource takes packets that the packet filter logs" + WITHOUT_NAMESPACES +
    (HAS_NFT ? "" : " (skipped: nft is not installed)"),
  ignore: !CAN_MAKE_NAMESPACES || !HAS_NFT,
  fn: () =>
    withNamespaces(async (pair) => {
      const rules = "add table ip taken; " +
        "add chain ip taken out { type filter hook output priority 0; }; " +
        `add rule ip taken out udp dport ${PORT} log group 5`;
      const { success, stderr } = await pair.command("nft", [rules], { stderr: "piped" }).output();
      assert.ok(success, new TextDecoder().decode(stderr));
      const capture = await LiveCapture.start(pair, "nflog:5", { filter: null });
      const send = `for i in 1 2 3; do echo datagram > /dev/udp/127.0.0.1/${PORT}; done`;
      assert.ok((await pair.command("bash", ["-c", send]).output()).success);
      await capture.until(() => capture.packets("nflog:5") === 3);
      const { log, sources } = await capture.stop();
      assert.deepEqual(log, []);
      assert.equal(sources["nflog:5"].linkType, LINKTYPE_NFLOG);
    }),
});

liveTest("LiveSource says how to permit the libraries", async (pair) => {
  const { log } =
    await (await LiveCapture.start(pair, "veth0", {}, { permissions: ["--no-prompt"] }))
      .ended();
  assert.match(log[0], /no permission to load it: run with --allow-ffi=\//);
  for (const path of FFI_PATHS) assert.ok(log[0].includes(path), path);
});

liveTest("LiveSource uses the libpcap that FLOSENSOR_LIBPCAP names", async (pair) => {
  const start = (path: string) =>
    LiveCapture.start(pair, "veth0", {}, {
      permissions: ["--no-prompt", "--allow-ffi", "--allow-env=FLOSENSOR_LIBPCAP"],
      env: { FLOSENSOR_LIBPCAP: path },
    });
  assert.match(
    (await (await start("/nowhere/libpcap.so")).ended()).log[0],
    /^libpcap not found at \/nowhere\/libpcap\.so: set FLOSENSOR_LIBPCAP to /,
  );
  const isThere = (path: string) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  };
  const notLibpcap = FFI_PATHS.find((path) => path.includes("libc.so") && isThere(path))!;
  assert.match(
    (await (await start(notLibpcap)).ended()).log[0],
    /^libpcap can't be loaded: .*pcap_.*: set FLOSENSOR_LIBPCAP to /,
  );
});
