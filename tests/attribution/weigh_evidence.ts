/**
 * Measures each piece of evidence of `Service()` on captures whose answers are known, and what other weights
 * would give: `deno task weights [FOLDER...]`. Each folder is a collection; of one folder each capture is.
 *
 * Conversations are as if they had been picked up in the middle: TCP without packets with SYN, UDP without its
 * first packet. Who opened a TCP connection is read from its handshake, who asked over UDP from protocol
 * fields, as `label_udp.ts` has them or tshark reads them now.
 *
 * @module
 */
import { basename } from "node:path";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { Service } from "../../src/config/mod.ts";
import { EVIDENCE } from "../../src/config/service_evidence.ts";
import { parseAddress } from "../../src/model/address.ts";
import { emptyFacts, type Facts } from "../../src/model/facts.ts";
import { REASON_NAMES } from "../../src/model/reason.ts";
import { Truth } from "../../src/score/truth.ts";
import { UserError } from "../../src/user_error.ts";
import { programOfAction } from "../engine/asked.ts";
import { mappingOf } from "../observed_keys.ts";
import { HAS_SHARED_CAPTURES, sharedCapture } from "../shared_captures.ts";
import { type Ends, LabelledFlows } from "./labelled_flows.ts";
import { udpLabelsOf } from "./udp_labels.ts";

const CONVERSATIONS = 50_000;
const TCP = 6;
const UDP = 17;
/** No weight is more than that of a message that says who sent it. */
const MOST_WEIGHT = 100;

/** What speaks in one conversation: each piece of evidence, and for whom. */
interface Sample {
  readonly collection: string;
  /** Names of pieces, and what they weigh for the end that is the server. */
  readonly pieces: ReadonlyMap<string, number>;
}

/** How often a piece of evidence was right by itself. */
interface Count {
  right: number;
  wrong: number;
}

async function samplesOf(folders: readonly string[]): Promise<Sample[]> {
  const known: Record<string, Ends[]> = JSON.parse(
    await Deno.readTextFile(new URL("udp_labels.json", import.meta.url)),
  );
  const mapping = mappingOf({ suppressOwnNetwork: false }, []);
  const program = programOfAction(Service());
  const samples: Sample[] = [];
  for (const folder of folders) {
    for (const name of [...Deno.readDirSync(folder)].map((it) => it.name).sort()) {
      const path = `${folder}/${name}`;
      const collection = folders.length > 1 ? folder : name;
      const labels = [
        ...(await openersOf(path)).map((ends) => [TCP, ends] as const),
        ...(known[basename(path)] ?? await udpLabelsOf(path)).map((ends) => [UDP, ends] as const),
      ];
      if (labels.length === 0) continue;
      const changes = { withoutSyn: true, withoutFirst: true };
      const { engine } = await LabelledFlows.read(path, mapping, changes);
      for (const [protocol, ends] of labels) {
        const facts = factsOf(protocol, ends);
        if (!engine.readEvidence(facts)) continue;
        samples.push({ collection, pieces: piecesOf(protocol, program.weigh(facts)) });
      }
    }
  }
  return samples;
}

/** Who opened TCP connections, by their handshakes. */
async function openersOf(path: string): Promise<Ends[]> {
  const truth = new Truth(CONVERSATIONS);
  const source = SavefileSource.open(path);
  try {
    for (let batch; (batch = await source.next()) !== null;) {
      truth.take(batch, new Uint8Array(batch.capacity));
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  } finally {
    source.close();
  }
  return truth.labels().filter(({ protocol }) => protocol === "tcp")
    .map((it) => [it.client, it.clientPort, it.server, it.serverPort]);
}

/** Of the direction from the server to the client. */
function factsOf(protocol: number, [client, clientPort, server, serverPort]: Ends): Facts {
  const source = parseAddress(server)!;
  return {
    ...emptyFacts(),
    protocol,
    family: source.family,
    source: source.words,
    destination: parseAddress(client)!.words,
    sourcePort: serverPort,
    destinationPort: clientPort,
  };
}

/** Evidence by protocol and by how much it weighs: the same weight is the same class of ports. */
function piecesOf(protocol: number, weights: ArrayLike<number>): Map<string, number> {
  const pieces = new Map<string, number>();
  for (const [i, { by }] of EVIDENCE.entries()) {
    const weight = weights[i];
    if (weight === 0) continue;
    const transport = protocol === TCP ? "TCP" : "UDP";
    pieces.set(`${REASON_NAMES[by]}|${transport}|${Math.abs(weight)}`, weight);
  }
  return pieces;
}

function countsOf(samples: readonly Sample[]): Map<string, Count> {
  const counts = new Map<string, Count>();
  for (const { pieces } of samples) {
    for (const [name, weight] of pieces) {
      let count = counts.get(name);
      if (count === undefined) counts.set(name, count = { right: 0, wrong: 0 });
      if (weight > 0) count.right++;
      else count.wrong++;
    }
  }
  return counts;
}

/** Ten times the logarithm, to the base of two, of how many times as often it was right; half a case more. */
function measuredWeight({ right, wrong }: Count): number {
  const weight = 10 * Math.log2((right + 0.5) / (wrong + 0.5));
  return Math.max(-MOST_WEIGHT, Math.min(MOST_WEIGHT, weight));
}

/** How often the sum of weights names the server, the client, or neither. */
function scored(samples: readonly Sample[], weightOf: (sample: Sample, name: string) => number) {
  let right = 0;
  let wrong = 0;
  for (const sample of samples) {
    let sum = 0;
    for (const [name, weight] of sample.pieces) sum += Math.sign(weight) * weightOf(sample, name);
    if (sum > 0) right++;
    else if (sum < 0) wrong++;
  }
  const part = (100 * right / Math.max(1, right + wrong)).toFixed(2);
  return `${right} right, ${wrong} wrong (${part} %), ${samples.length - right - wrong} untold`;
}

function print(samples: readonly Sample[]): void {
  const collections = [...new Set(samples.map(({ collection }) => collection))];
  const without = new Map(collections.map((left) => [
    left,
    countsOf(samples.filter(({ collection }) => collection !== left)),
  ]));
  const all = countsOf(samples);
  const order = (name: string) =>
    EVIDENCE.findIndex(({ by }) => REASON_NAMES[by] === name.split("|")[0]);
  const names = [...all.keys()].sort((one, other) =>
    order(one) - order(other) || one.split("|")[1].localeCompare(other.split("|")[1]) ||
    Number(other.split("|")[2]) - Number(one.split("|")[2])
  );
  console.log(`${samples.length} conversations of ${collections.length} collections\n`);
  console.log("| evidence | over | weight | right | wrong | alone right | measured weight |");
  console.log("| --- | --- | ---: | ---: | ---: | ---: | ---: |");
  for (const name of names) {
    const [by, transport, weight] = name.split("|");
    const count = all.get(name)!;
    const others = collections.map((left) => without.get(left)!.get(name))
      .filter((it) => it !== undefined).map(measuredWeight);
    const part = (100 * count.right / (count.right + count.wrong)).toFixed(1);
    const least = Math.min(...others).toFixed(0);
    const most = Math.max(...others).toFixed(0);
    const cells = [
      `\`${by}\``,
      transport,
      weight,
      count.right,
      count.wrong,
      `${part} %`,
      `${least} to ${most}`,
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
  console.log(
    `\nwith the weights of today: ${scored(samples, (_, name) => Number(name.split("|")[2]))}`,
  );
  const fitted = scored(samples, ({ collection }, name) => {
    const count = without.get(collection)!.get(name);
    return count === undefined ? 0 : measuredWeight(count);
  });
  console.log(`with weights measured on all other collections: ${fitted}`);
}

if (Deno.args.length === 0 && !HAS_SHARED_CAPTURES) {
  console.error("weights: name folders with captures: ../shared/captures is not there");
  Deno.exit(2);
}
print(await samplesOf(Deno.args.length > 0 ? Deno.args : [sharedCapture("pcap")]));
