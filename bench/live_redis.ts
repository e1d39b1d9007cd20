/**
 * Whether anything is lost between the wire and Redis: as root, `deno run -A bench/live_redis.ts`.
 *
 * A capture is sent over a veth pair between two namespaces with tcpreplay. `flosensor capture`
 * takes it and writes to a Redis; then `flosensor replay` reads the same file and writes to another
 * database. No packet may be dropped, and the keys of both must be the same.
 * Options: `--packets=3000000 --rate=300000`.
 */
import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { RunningProgram } from "../tests/cli/program.ts";
import { RedisInNamespace } from "../tests/cli/redis_in_namespace.ts";
import { withFiles } from "../tests/config/temporary_files.ts";
import { type NamespacePair, withNamespaces } from "../tests/namespaces.ts";
import { CAPTURES, writeCapture } from "./captures.ts";

const FOLDER = fileURLToPath(new URL("../build/bench", import.meta.url));
const CONFIG = `import { defineConfig, LowerPort } from "flosensor/config";
export default defineConfig({
  // Rules that go by evidence decide with what is known at a flush, and a replay flushes at other times.
  flows: [[null, null, LowerPort()]],
});
`;
const OWN_NETWORK = "10.0.0.0/8";
/** Database of the keys that the replay writes. */
const REPLAYED = "1";

const { values } = parseArgs({
  options: {
    packets: { type: "string", default: "3000000" },
    rate: { type: "string", default: "300000" },
  },
});

const file = madeCapture(Number(values.packets));
await withNamespaces((pair) =>
  withFiles({ "config.ts": CONFIG }, (directory) => compare(pair, `${directory}/config.ts`))
);

async function compare(pair: NamespacePair, config: string): Promise<void> {
  await using redis = await RedisInNamespace.start(pair);
  const captured = await run(
    pair,
    ["capture", "veth0", OWN_NETWORK, "--redis", redis.url],
    config,
    {
      send: true,
    },
  );
  const url = `${redis.url}/${REPLAYED}`;
  const replayed = await run(pair, ["replay", file, OWN_NETWORK, "--redis", url], config);
  const live = new Set(await redis.keys());
  const saved = new Set(await redis.keys("-n", REPLAYED));
  console.log(`capture at ${values.rate} packets/s: ${captured}`);
  console.log(`replay of the same file: ${replayed}`);
  console.log(
    `keys: ${live.size} captured, ${saved.size} replayed, ` +
      `${saved.difference(live).size} missing, ${live.difference(saved).size} added`,
  );
}

/** @returns The statistics that the program says at its end. */
async function run(
  pair: NamespacePair,
  args: string[],
  config: string,
  { send = false } = {},
): Promise<string> {
  await using program = new RunningProgram([...args, "-c", config], {
    command: (name, parameters, options) => pair.command(name, parameters, options),
  });
  if (send) {
    await program.says("capturing on");
    const args = ["--preload-pcap"];
    await pair.replay(file, { packetsPerSecond: Number(values.rate), args });
    program.signal("SIGTERM");
  }
  const { status, stderr } = await program.ended;
  if (status !== 0) throw new Error(stderr);
  return /packets: .*/.exec(stderr)![0];
}

function madeCapture(packets: number): string {
  const path = `${FOLDER}/live-${packets}.pcap`;
  if (existsSync(path)) return path;
  mkdirSync(FOLDER, { recursive: true });
  writeCapture(path, { ...CAPTURES["5m-96"], packets });
  return path;
}
