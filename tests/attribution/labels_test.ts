/** How often the default rules are right about real captures, whose answers are known. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { loadMapping } from "../../src/config/load_mapping.ts";
import { Scorer, type Tally } from "../../src/score/score.ts";
import { Truth } from "../../src/score/truth.ts";
import { UserError } from "../../src/user_error.ts";
import { mappingOf } from "../observed_keys.ts";
import {
  HAS_SHARED_CAPTURES,
  sharedCapture,
  sharedJson,
  WITHOUT_SHARED_CAPTURES,
} from "../shared_captures.ts";

/** Capture, then client, its port, server, its port of each TCP connection. */
type Labels = Record<string, [string, number, string, number][]>;

/** Small, as hundreds of meters are made one after the other. */
const CONVERSATIONS = 50_000;

const LEAST_RIGHT_WITHOUT_SYN = 0.996;
const LEAST_RIGHT_UDP = 0.99;

const SHIPPED = fileURLToPath(new URL("../../config.ts", import.meta.url));

/** Reads captures to their end, or to where they are cut. */
async function eachCapture(use: (source: SavefileSource, name: string) => Promise<void>) {
  for (const { name } of Deno.readDirSync(sharedCapture("pcap"))) {
    const source = SavefileSource.open(sharedCapture(`pcap/${name}`));
    try {
      await use(source, name);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    } finally {
      source.close();
    }
  }
}

Deno.test({
  name: `the clients that score finds are those of labels.json${WITHOUT_SHARED_CAPTURES}`,
  ignore: !HAS_SHARED_CAPTURES,
  fn: async () => {
    const labels = sharedJson<Labels>("labels.json");
    let found = 0;
    await eachCapture(async (source, name) => {
      const truth = new Truth(CONVERSATIONS);
      try {
        for (let batch; (batch = await source.next()) !== null;) {
          truth.take(batch, new Uint8Array(batch.capacity));
        }
      } finally {
        const clients = new Set(
          truth.labels().filter(({ protocol }) => protocol === "tcp")
            .map((it) => `${it.client} ${it.clientPort} ${it.server} ${it.serverPort}`),
        );
        for (const label of labels[name] ?? []) {
          assert.ok(clients.has(label.join(" ")), `${name}: ${label}`);
          found++;
        }
      }
    });
    assert.equal(found, 573);
  },
});

Deno.test({
  name: `the default rules are right about real captures${WITHOUT_SHARED_CAPTURES}`,
  ignore: !HAS_SHARED_CAPTURES,
  fn: async (test) => {
    const mapping = mappingOf({ suppressOwnNetwork: false }, []);
    const shipped = await loadMapping({ file: SHIPPED });
    const candidates = [{ name: "default", mapping }, { name: "shipped", mapping: shipped }];
    const scorer = new Scorer(candidates, CONVERSATIONS);
    await eachCapture((source) => scorer.add(source));
    const { tallies, labels, mistakes } = scorer.score();
    const tally = (protocol: string, withoutSyn: boolean) =>
      tallies.find((it) =>
        it.candidate === "default" && it.protocol === protocol && it.withoutSyn === withoutSyn
      )!;
    const part = ({ right, wrong, notMatched }: Tally) => right / (right + wrong + notMatched);
    const told = JSON.stringify(mistakes);

    await test.step("all TCP connections, as they are", () => {
      assert.ok(labels.tcp >= 573, `${labels.tcp}`);
      assert.equal(tally("tcp", false).right, labels.tcp, told);
    });
    await test.step("99.6 % of them with every packet with SYN taken out", () => {
      assert.ok(part(tally("tcp", true)) >= LEAST_RIGHT_WITHOUT_SYN, told);
    });
    await test.step("99 % of the UDP conversations with DNS, QUIC or DTLS", () => {
      assert.ok(labels.udp >= 100, `${labels.udp}`);
      assert.ok(part(tally("udp", false)) >= LEAST_RIGHT_UDP, told);
    });
    await test.step("the shipped config.ts as often as no file at all", () => {
      const of = (name: string) =>
        tallies.filter(({ candidate }) => candidate === name)
          .map(({ candidate: _, ...figures }) => figures);
      assert.deepEqual(of("shipped"), of("default"));
    });
  },
});
