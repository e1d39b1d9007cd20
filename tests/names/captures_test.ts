import assert from "node:assert/strict";
import { isProgram } from "../installed.ts";
import { HAS_SHARED_CAPTURES, sharedCapture, WITHOUT_SHARED_CAPTURES } from "../shared_captures.ts";
import { carriedNamesOf } from "./carried_names_of.ts";
import { tsharkCarriedNames } from "./tshark_carried_names.ts";

const HAS_TSHARK = isProgram("tshark", "--version");
const REASON = WITHOUT_SHARED_CAPTURES + (HAS_TSHARK ? "" : " (skipped: tshark is not installed)");

/**
 * What tshark has alone: a name in CAPWAP, which is not looked into, and a hello whose lengths
 * contradict each other, of which it shows what it can.
 */
const TSHARK_ALONE = [
  "capwap_data.pcapng: sni alt2-mtalk.google.com",
  "tls_invalid_reads.pcap: sni e.crashlytics.com",
];

/** What it has not: TLS and HTTP at ports that it takes for those of other protocols. */
const HERE_ALONE = [
  "http_on_sip_port.pcap: http-host 45.58.148.2",
  "ookla.pcap: sni spd-pub-mi-01-01.fastwebnet.it",
  "soap.pcap: http-host go.microsoft.com",
  "soap.pcap: http-host go.microsoft.com",
];

Deno.test({
  name: `Engine has the names of TLS, QUIC and HTTP that tshark reads${REASON}`,
  ignore: !HAS_SHARED_CAPTURES || !HAS_TSHARK,
  fn: async () => {
    const alone: Record<"tshark" | "here", string[]> = { tshark: [], here: [] };
    let count = 0;
    for (const { name } of Deno.readDirSync(sharedCapture("pcap"))) {
      const path = sharedCapture(`pcap/${name}`);
      const wanted = await tsharkCarriedNames(path);
      const found = await carriedNamesOf(path);
      count += wanted.size;
      const short = (text: string) => `${name}: ${text.replace(/ .* /, " ")}`;
      alone.tshark.push(...[...wanted].filter((text) => !found.has(text)).map(short));
      alone.here.push(...[...found].filter((text) => !wanted.has(text)).map(short));
    }
    assert.ok(alone.tshark.length <= count / 100);
    assert.deepEqual(alone.tshark.sort(), TSHARK_ALONE);
    assert.deepEqual(alone.here.sort(), HERE_ALONE);
  },
});
