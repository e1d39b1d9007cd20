import assert from "node:assert/strict";
import type { DnsPorts } from "../../src/model/dns_ports.ts";
import { isProgram } from "../installed.ts";
import { HAS_SHARED_CAPTURES, sharedCapture, WITHOUT_SHARED_CAPTURES } from "../shared_captures.ts";
import { dnsKeysOf, type FoundNames } from "./dns_keys_of.ts";
import { tsharkNames } from "./tshark_names.ts";

const HAS_TSHARK = isProgram("tshark", "--version");
const IS_IGNORED = !HAS_SHARED_CAPTURES || !HAS_TSHARK;
const REASON = WITHOUT_SHARED_CAPTURES + (HAS_TSHARK ? "" : " (skipped: tshark is not installed)");

/** What was found in each capture in which there is any DNS. */
async function capturesWithDns(ports: DnsPorts): Promise<Map<string, FoundNames>> {
  const found = new Map<string, FoundNames>();
  for (const { name } of Deno.readDirSync(sharedCapture("pcap"))) {
    const names = await dnsKeysOf(sharedCapture(`pcap/${name}`), ports);
    if (Object.keys(names.outcomes).length > 0) found.set(name, names);
  }
  return found;
}

Deno.test({
  name: `dns, cname and nx keys are those of the records that tshark reads${REASON}`,
  ignore: IS_IGNORED,
  fn: async () => {
    const found = await capturesWithDns({ dnsPorts: [53], multicastDns: false });
    let names = 0;
    for (const [capture, { writes }] of found) {
      const read = await tsharkNames(sharedCapture(`pcap/${capture}`), [53], ["Answers"]);
      assert.deepEqual(writes, read, capture);
      names += read.length;
    }
    assert.ok(names > 250, `${names} names`);
  },
});

Deno.test({
  name: `mDNS gives the keys of tshark's answers and additional records${REASON}`,
  ignore: IS_IGNORED,
  fn: async () => {
    const found = await capturesWithDns({ dnsPorts: [], multicastDns: true });
    const sections = ["Answers", "Additional records"];
    let names = 0;
    for (const [capture, { writes }] of found) {
      const read = await tsharkNames(sharedCapture(`pcap/${capture}`), [5353, 5355], sections);
      assert.deepEqual(writes, read, capture);
      names += read.length;
    }
    assert.ok(names > 5, `${names} names`);
  },
});

Deno.test({
  name: `captures without DNS for us have none for tshark either${REASON}`,
  ignore: IS_IGNORED,
  fn: async () => {
    const found = await capturesWithDns({ dnsPorts: [53], multicastDns: false });
    const others = [...Deno.readDirSync(sharedCapture("pcap"))].map(({ name }) => name)
      .filter((name) => !found.has(name));
    const inOne = await Deno.makeTempFile({ suffix: ".pcapng" });
    try {
      // One after the other: tshark takes a good while to start.
      const paths = others.map((name) => sharedCapture(`pcap/${name}`));
      const { stderr } = await new Deno.Command("mergecap", {
        args: ["-a", "-w", inOne, ...paths],
      }).output();
      assert.ok(Deno.statSync(inOne).size > 1_000_000, new TextDecoder().decode(stderr));
      assert.deepEqual(await tsharkNames(inOne, [53], ["Answers"]), []);
    } finally {
      await Deno.remove(inOne);
    }
  },
});
