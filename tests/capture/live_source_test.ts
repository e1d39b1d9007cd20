import assert from "node:assert/strict";
import { FFI_PATHS } from "../../ffi/library.ts";
import {
  CAN_MAKE_NAMESPACES,
  type NamespacePair,
  withNamespaces,
  WITHOUT_NAMESPACES,
} from "../namespaces.ts";
import { LiveCapture } from "./live_capture.ts";

/** A test in namespaces of its own. What is the same with all sources has another file. */
function liveTest(name: string, run: (pair: NamespacePair) => Promise<void>): void {
  Deno.test({
    name: name + WITHOUT_NAMESPACES,
    ignore: !CAN_MAKE_NAMESPACES,
    fn: () => withNamespaces(run),
  });
}

liveTest("LiveSource names a link type that is not decoded", async (pair) => {
  const { log } = await (await LiveCapture.start(pair, "nflog")).ended();
  assert.match(log[0], /^nflog: its link type NFLOG \(.*\) is not one that flosensor decodes/);
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
