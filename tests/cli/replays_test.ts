/**
 * A capture that is replayed again gives the same lines in the same order: in other processes, whose
 * secrets are others, from a file in the engine's memory or elsewhere, and from a pipe in whatever pieces.
 *
 * `deno task replays` replays each twelve times; here it is fewer.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { PacketSource } from "../../src/capture/packet_source.ts";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { Meters } from "../../src/workers/meters.ts";
import { KnownNames } from "../../src/dns/known_names.ts";
import { lookupPorts } from "../../src/model/dns_ports.ts";
import { CarriedNameNumbers } from "../../src/names/carried_name_numbers.ts";
import { FlowExplainer } from "../../src/names/flow_explainer.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { MOST_REMEMBERED } from "../../src/engine/layout.ts";
import { JsonSink } from "../../src/sink/json_sink.ts";
import { UserError } from "../../src/user_error.ts";
import { withFiles } from "../config/temporary_files.ts";
import { keysOfFlow } from "../conversations.ts";
import { fanInConversations, fanInPackets } from "../fan_in_capture.ts";
import { mappingOf } from "../observed_keys.ts";
import { pcap } from "../packets.ts";
import { SeededRandom } from "../seeded_random.ts";
import { HAS_SHARED_CAPTURES, sharedCapture, WITHOUT_SHARED_CAPTURES } from "../shared_captures.ts";
import { keysOfLines } from "./sample_capture.ts";
import { flosensor } from "./program.ts";

/** How often each capture is replayed in each of the ways here, and by how many processes in each. */
const REPLAYS = Number(Deno.env.get("FLOSENSOR_TEST_REPLAYS") ?? 3);
const WAYS = 3;
const ROUNDS = Math.ceil(REPLAYS / WAYS);

const OUR_NETS = ["10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12", "2001:db8::/32"];
const MAPPING = mappingOf({ suppressOwnNetwork: false }, OUR_NETS);
/** Ends that are remembered; of six, five are a client's and one is a server's. */
const MOST_CONVERSATIONS = Math.floor(MOST_REMEMBERED / 6) * 5;
const CONFIG = `import { defineConfig } from "flosensor/config";
export default defineConfig({ suppressOwnNetwork: false });`;

/** The JSON lines of a replay. */
async function linesOf(
  open: (engine: Engine) => PacketSource,
  // Few, as hundreds of meters are made one after the other.
  maxConversations = 50_000,
): Promise<string> {
  const decoder = new TextDecoder();
  let lines = "";
  const known = new KnownNames();
  const carried = new CarriedNameNumbers();
  const names = new FlowExplainer({
    ...{ known, carried, localNetworks: MAPPING.ourNets, dnsPorts: lookupPorts(MAPPING) },
  });
  const output = {
    write: (bytes: Uint8Array) => {
      lines += decoder.decode(bytes, { stream: true });
      return Promise.resolve(bytes.length);
    },
  };
  const sink = new JsonSink({ mode: "replay", names, output });
  const meters = new Meters({
    mapping: MAPPING,
    emit: (batch) => sink.write(batch),
    emitNames: (writes, seconds) => sink.writeNames(writes, seconds),
    hasFlowRecords: true,
    onRecords: (batch) => sink.takeFigures(batch),
    names: known,
    carried,
    maxConversations,
  });
  const source = open(meters.engine);
  try {
    for (let batch; (batch = await source.next()) !== null;) {
      meters.engine.take(batch);
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  } finally {
    source.close();
  }
  meters.engine.endRecords();
  await sink.close();
  return lines;
}

/** A file as it comes through a pipe: in pieces of any size. */
function piped(path: string, random: SeededRandom, engine: Engine): SavefileSource {
  const bytes = Deno.readFileSync(path);
  let at = 0;
  return new SavefileSource("a pipe", (into) => {
    const most = random.below(20) === 0 ? 1 + random.below(40) : 1 + random.below(200_000);
    const piece = bytes.subarray(at, at + Math.min(most, into.length));
    at += piece.length;
    into.set(piece);
    return Promise.resolve(piece.length === 0 ? null : piece.length);
  }, { batch: engine.newBatch() });
}

/** A file that is read into the engine's memory, as the program does. */
function inPlace(path: string): (engine: Engine) => SavefileSource {
  return (engine) => SavefileSource.open(path, engine.newBatch());
}

async function assertSame(
  path: string,
  random: SeededRandom,
): Promise<string> {
  const expected = await linesOf(() => SavefileSource.open(path));
  for (let round = 0; round < ROUNDS; round++) {
    assert.equal(await linesOf(inPlace(path)), expected, `${path}: in the engine's memory`);
    const inPieces = await linesOf((engine) => piped(path, random, engine));
    assert.equal(inPieces, expected, `${path}: through a pipe, seed ${random.seed}`);
    if (round === 0) continue;
    assert.equal(await linesOf(() => SavefileSource.open(path)), expected, path);
  }
  return expected;
}

Deno.test({
  name: `every shared capture gives the same lines in the same order, from a file and from a pipe` +
    WITHOUT_SHARED_CAPTURES,
  ignore: !HAS_SHARED_CAPTURES,
  fn: async () => {
    const random = new SeededRandom();
    for (const { name } of Deno.readDirSync(sharedCapture("pcap"))) {
      await assertSame(sharedCapture(`pcap/${name}`), random);
    }
  },
});

for (const [count, processes] of [[10_000, REPLAYS], [MOST_CONVERSATIONS, 1]]) {
  Deno.test(`${count} conversations where only fan-in tells who serves are right in each process, and the same lines`, () =>
    withFiles({ "config.ts": CONFIG }, async (directory) => {
      const path = join(directory, "fan_in.pcap");
      const conversations = fanInConversations(count);
      const capture = pcap(fanInPackets(conversations));
      await Deno.writeFile(path, capture);
      const lines = await assertSame(path, new SeededRandom());

      const right = conversations.flatMap(({ client, server, serverPort }) =>
        keysOfFlow(client, server, serverPort)
      );
      // The first of a server is decided by its lower port, which is the client's, until there are others.
      const first = conversations.filter(({ isFirst }) => isFirst).flatMap((
        { client, server, clientPort },
      ) => keysOfFlow(server, client, clientPort));
      const keys = keysOfLines(lines);
      assert.deepEqual([...new Set(keys)], [...new Set([...right, ...first])].sort());
      assert.equal(lines.split('"by":"lower-port"').length - 1, count / 5);

      const args = ["--json", "-c", join(directory, "config.ts")];
      for (let i = 0; i < processes; i++) {
        const byFile = await flosensor(["replay", path, ...args]);
        assert.equal(byFile.status, 0, byFile.stderr);
        assert.equal(byFile.stdout, lines, byFile.stderr);
        const byPipe = await flosensor(["replay", "-", ...args], { stdin: capture });
        assert.equal(byPipe.stdout, lines, byPipe.stderr);
      }
    }));
}

Deno.test("which conversations are forgotten, of more than there is room for, is the same each time", () =>
  withFiles({}, async (directory) => {
    const path = join(directory, "fan_in.pcap");
    await Deno.writeFile(path, pcap(fanInPackets(fanInConversations(2_000))));
    const random = new SeededRandom();
    const [first, ...others] = await Promise.all(Array.from({ length: 4 }, async (_, i) => {
      const open = i % 2 === 0 ? inPlace(path) : (engine: Engine) => piped(path, random, engine);
      return await linesOf(open, 500);
    }));
    for (const lines of others) assert.deepEqual(lines, first);
    assert.ok(first.includes('"by":"fan-in"'));
  }));
