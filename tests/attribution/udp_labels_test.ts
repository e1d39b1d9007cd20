/** How often the default rules are right about UDP whose clients are known from protocol fields. */
import assert from "node:assert/strict";
import { isProgram } from "../installed.ts";
import { mappingOf } from "../observed_keys.ts";
import { HAS_SHARED_CAPTURES, sharedCapture, WITHOUT_SHARED_CAPTURES } from "../shared_captures.ts";
import { type Changes, LabelledFlows } from "./labelled_flows.ts";
import { type UdpLabel, udpLabelsOf } from "./udp_labels.ts";

const LABELS: Record<string, UdpLabel[]> = JSON.parse(
  Deno.readTextFileSync(new URL("udp_labels.json", import.meta.url)),
);

/** What is to be right at least, of what was written: as it is, and without each first packet. */
const CASES: [string, Changes, number, number][] = [
  ["as it is", {}, 0.995, 950],
  ["picked up in the middle", { withoutFirst: true }, 0.985, 300],
  ["watched for 42 s before", { secondsInFront: 42 }, 0.995, 950],
  [
    "watched for 42 s before, with each first packet missed",
    { secondsInFront: 42, withoutFirst: true },
    0.985,
    300,
  ],
];

for (const [how, changes, least, most] of CASES) {
  Deno.test({
    name: `UDP ${how}: ${100 * least} % are right${WITHOUT_SHARED_CAPTURES}`,
    ignore: !HAS_SHARED_CAPTURES,
    fn: async () => {
      const mapping = mappingOf({ suppressOwnNetwork: false }, []);
      const wrong: string[] = [];
      let right = 0;
      for (const [name, labels] of Object.entries(LABELS)) {
        if (labels.length === 0) continue;
        const flows = await LabelledFlows.read(sharedCapture(`pcap/${name}`), mapping, changes);
        for (const label of labels) {
          const { verdict, by } = flows.verdict(label);
          if (verdict === "right") right++;
          else if (verdict === "wrong") wrong.push(`${name}: ${label.join(" ")} by ${by}`);
          // All that is there gives a flow.
          else assert.ok(changes.withoutFirst, `${name}: ${label}`);
        }
      }
      const all = right + wrong.length;
      assert.ok(all >= most, `${all}`);
      assert.ok(right / all >= least, `${right} of ${all}\n${wrong.join("\n")}`);
    },
  });
}

Deno.test({
  name: `labels are what tshark's fields say${WITHOUT_SHARED_CAPTURES}`,
  ignore: !HAS_SHARED_CAPTURES || !isProgram("tshark", "--version"),
  fn: async () => {
    for (const name of ["nfsv2.pcap", "snmp.pcap", "tftp.pcap", "quic-28.pcap", "bacnet.pcap"]) {
      assert.deepEqual(await udpLabelsOf(sharedCapture(`pcap/${name}`)), LABELS[name], name);
    }
  },
});
