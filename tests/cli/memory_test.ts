/** Floods of names and what else fills memory, against a program with the memory of the unit. */
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeDnstap } from "../../src/dns/dnstap.ts";
import { withFiles } from "../config/temporary_files.ts";
import { header } from "../dns/dns_messages.ts";
import { control, frame, START } from "../dns/frame_writer.ts";
import { taskPermissions } from "../dns/task_permissions.ts";
import {
  CAN_LIMIT_MEMORY,
  HOW_LIMITED,
  LimitedProgram,
  UNIT,
  UNIT_MEMORY,
} from "../memory_limit.ts";
import {
  CAN_MAKE_NAMESPACES,
  type NamespacePair,
  until,
  withNamespaces,
  WITHOUT_NAMESPACES,
} from "../namespaces.ts";
import { type Bytes, bytes, ethernet, ip, ipUdp, pcap, tcp, u16, u32, udp } from "../packets.ts";
import { PcapngSection } from "../pcapng.ts";
import { unusedPort } from "../redis_server.ts";
import { SeededRandom } from "../seeded_random.ts";
import { V8_OPTIONS } from "./program.ts";

const MODULE = fileURLToPath(new URL("../../mod.ts", import.meta.url));
const DENO_CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
const CONFIG = `import { defineConfig } from "flosensor/config";
export default defineConfig({ flushInterval: 1 });
`;
/** Nobody listens there. */
const AWAY = "redis://127.0.0.1:1";

/** Messages, each with a name of its own, of 255 bytes that take four characters each. */
const MESSAGES = 30_000;
const ADDRESSES = 8;
const RECORD_BYTES = 16;
const LABELS = [63, 63, 63, 61];

/** Answers that need some 20 KB each as text: all their records are of the same long name. */
function longAnswers(): Bytes[] {
  const random = new SeededRandom();
  const name = bytes(...LABELS.flatMap((size) => [size, new Uint8Array(size).fill(0x80)]), 0);
  const question = bytes(name, u16(1), u16(1));
  const records = Array.from(
    { length: ADDRESSES },
    (_, i) => bytes(u16(0xc00c), u16(1), u16(1), u32(60), u16(4), [198, 0, 0, i]),
  );
  const template = bytes(header([1, ADDRESSES, 0, 0]), question, ...records);
  return Array.from({ length: MESSAGES }, () => {
    const message = template.slice();
    // The names differ in their first bytes.
    for (let at = 13; at < 13 + 8; at++) message[at] = 0x80 + random.below(0x80);
    const network = [random.below(256), random.below(256)];
    for (let record = 0; record < ADDRESSES; record++) {
      message.set(network, template.length - RECORD_BYTES * record - 3);
    }
    return message;
  });
}

/** A capture with a flood of them, and of messages over TCP of which only the beginning comes. */
function flood(): Bytes {
  const answers = longAnswers();
  // Addresses and lengths are the same for all, and nobody looks at the checksum.
  const frame = ethernet(ipUdp("10.99.0.53", "10.99.0.7", udp(53, 40_000, answers[0])));
  const packets = answers.map((message) => {
    const packet = frame.slice();
    packet.set(message, frame.length - message.length);
    return packet;
  });
  const beginning = bytes(u16(0xffff), header([1, 1, 0, 0]), "x".repeat(1000));
  for (let port = 20_000; port < 22_000; port++) {
    packets.push(ethernet(ip("10.99.0.53", "10.99.0.7", tcp(53, port, 0x18, beginning))));
  }
  return pcap(packets.map((packet, i) => ({ packet, seconds: 1000 + i / 3000 })));
}

/** The program with permissions that are like those of its task, and the memory of its unit. */
function program(
  args: readonly string[],
  pair: NamespacePair | null = null,
  memory: number = UNIT_MEMORY,
): LimitedProgram {
  const permissions = args[0] === "dnstap"
    ? taskPermissions("dnstap", tmpdir())
    : ["--no-prompt", "--allow-all"];
  return new LimitedProgram(
    Deno.execPath(),
    ["run", "--quiet", "--config", DENO_CONFIG, ...V8_OPTIONS, ...permissions, MODULE, ...args],
    pair === null ? [] : ["ip", "netns", "exec", pair.sensor],
    memory,
  );
}

async function says(limited: LimitedProgram, text: RegExp): Promise<void> {
  let isOver = false;
  limited.ended.then(() => isOver = true);
  try {
    await until(() => isOver || text.test(limited.stderr));
  } catch (error) {
    throw new Error(`${text}: ${limited.stderr}`, { cause: error });
  }
  if (isOver) throw new Error(`it has ended: ${limited.stderr}`);
}

/** Ends it, after it has shown that it needs no more than it may. */
async function requireWithin(limited: LimitedProgram, status: number): Promise<string> {
  const { mostResident } = limited;
  limited.signal("SIGTERM");
  const ended = await limited.ended;
  assert.equal(ended.code, status, limited.stderr);
  assert.ok(mostResident < limited.memory, `${mostResident} bytes of ${limited.memory}`);
  return limited.stderr;
}

function memoryTest(
  name: string,
  test: (directory: string, config: string) => Promise<void>,
): void {
  Deno.test({
    name: name + HOW_LIMITED,
    ignore: Deno.build.os !== "linux",
    fn: () =>
      withFiles(
        { "config.ts": CONFIG },
        (directory) => test(directory, join(directory, "config.ts")),
      ),
  });
}

const WORKERS = 2;
/** The unit's words on how much more memory a worker needs. */
const WORKER_MEMORY = Number(/^# (\d+)M more for each of --workers/m.exec(UNIT)![1]) * 2 ** 20;

/** How what is captured is written, and what is said of what was given up. */
const CAPTURES: Record<string, { args: string[]; given: RegExp; memory?: number }> = {
  "to a Redis that is away": {
    args: ["--redis", AWAY],
    given: /Redis at .*: \d+ observations were lost/,
  },
  "to a reader who does not read": {
    args: ["--json", "--no-redis"],
    given: /standard output: \d+ lines were lost \(\d+: their reader is too slow\)/,
  },
  "by workers, to both": {
    args: ["--workers", String(WORKERS), "--json", "--redis", AWAY],
    memory: UNIT_MEMORY + WORKERS * WORKER_MEMORY,
    given: /\d+ (observations|lines) were lost/,
  },
};

for (const [how, { args, given, memory }] of Object.entries(CAPTURES)) {
  Deno.test({
    name: `capture of a flood of long names ${how} stays within the unit's memory` +
      WITHOUT_NAMESPACES + HOW_LIMITED,
    ignore: !CAN_MAKE_NAMESPACES,
    fn: () =>
      withNamespaces((pair) =>
        withFiles({ "config.ts": CONFIG }, async (directory) => {
          const file = join(directory, "flood.pcap");
          await Deno.writeFile(file, flood());
          const options = ["-c", join(directory, "config.ts"), "--stats", "1"];
          await using limited = program(["capture", "veth0", ...args, ...options], pair, memory);
          await says(limited, /capturing on/);
          await pair.replay(file);
          await says(limited, new RegExp(`${MESSAGES} with addresses`));
          const stderr = await requireWithin(limited, 1);
          assert.match(stderr, given);
          assert.match(stderr, /\d+ names of flows forgotten/);
          // Of the beginnings, those that had to make room are counted.
          assert.match(stderr, /\d+ cut short/);
        })
      ),
  });
}

memoryTest(
  "a replay of a flood of long names waits for its reader, and loses nothing",
  async (directory, config) => {
    const file = join(directory, "flood.pcap");
    await Deno.writeFile(file, flood());
    await using limited = program(["replay", file, "--json", "--no-redis", "-c", config]);
    await says(limited, /configuration/);
    // It has filled what there is room for when nothing more is needed.
    for (let before = 0; before !== limited.mostResident;) {
      before = limited.mostResident;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    let names = 0;
    let mostResident = 0;
    const lines = limited.stdout.pipeThrough(new TextDecoderStream());
    for await (const text of lines) {
      names += text.split('"name"').length - 1;
      names -= text.split(';flow","count":1,"by":"lower-port","name"').length - 1;
      if (names % 1000 < 100) mostResident = Math.max(mostResident, residentOf(limited));
    }
    assert.equal((await limited.ended).code, 0, limited.stderr);
    assert.ok(mostResident < UNIT_MEMORY, `${mostResident} bytes of ${UNIT_MEMORY}`);
    assert.ok(names > 0.99 * MESSAGES * ADDRESSES, `${names} names`);
    assert.match(limited.stderr, new RegExp(`${MESSAGES * ADDRESSES} names written, \\d+ names`));
  },
);

function residentOf(limited: LimitedProgram): number {
  try {
    return limited.mostResident;
  } catch {
    // It has ended, and what it printed is still being read.
    return 0;
  }
}

/** Frames of dnstap with the same answers. */
function* dnstapFlood(): Generator<Bytes> {
  yield control(START);
  for (const responseMessage of longAnswers()) {
    const message = { type: 6, queryAddress: bytes(10, 0, 0, 7), responseMessage };
    yield frame(encodeDnstap({ message }));
  }
}

async function writeAll(connection: Deno.Conn, sent: Uint8Array): Promise<void> {
  for (let done = 0; done < sent.length;) done += await connection.write(sent.subarray(done));
}

const DNSTAPS: Record<string, { args: string[]; given: RegExp }> = {
  "to a Redis that is away": CAPTURES["to a Redis that is away"],
  "to a reader who does not read": CAPTURES["to a reader who does not read"],
};

for (const [how, { args, given }] of Object.entries(DNSTAPS)) {
  memoryTest(
    `dnstap with a flood of long names and frames ${how} stays within the unit's memory`,
    async (directory, config) => {
      const path = join(directory, "socket");
      const port = await unusedPort();
      const places = [`unix:${path}`, `udp:127.0.0.1:${port}`];
      await using limited = program(["dnstap", ...places, ...args, "-c", config, "--stats", "1"]);
      await says(limited, /listening on udp/);
      // As many as may connect, each with a frame that is as long as may be and does not end.
      const long = bytes(control(START), u32(1_048_576), new Uint8Array(1_000_000));
      const holding = await Promise.all(Array.from({ length: 200 }, async () => {
        const connection = await Deno.connect({ transport: "unix", path });
        writeAll(connection, long).catch(() => {});
        return connection;
      }));
      const connection = await Deno.connect({ transport: "unix", path });
      for (const sent of dnstapFlood()) await writeAll(connection, sent);
      await says(limited, new RegExp(`frames: ${MESSAGES}, `));
      await says(limited, /there is no room for a frame of 1048576 bytes/);
      const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
      const name = (i: number) => `${i}.${"\\200".repeat(60)}.`;
      for (let i = 0; i < 2000; i++) {
        const chain = Array.from({ length: 60 }, (_, link) => name(60 * i + link));
        const lookup = { client: "10.0.0.7", status: "NOERROR", address: "192.0.2.1", chain };
        await socket.send(new TextEncoder().encode(JSON.stringify(lookup)), {
          transport: "udp",
          hostname: "127.0.0.1",
          port,
        });
        // The kernel has room for few of them.
        if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      }
      socket.close();
      await says(limited, /datagrams: \d{3,}/);
      const stderr = await requireWithin(limited, 1);
      assert.match(stderr, given);
      for (const held of [...holding, connection]) held.close();
    },
  );
}

memoryTest("a replay of 300 MB of interfaces stays within the unit's memory", async (_, config) => {
  await using limited = program(["replay", "-", "--json", "--no-redis", "-c", config]);
  const start = new PcapngSection().interface().bytes();
  const section = new PcapngSection().bytes();
  const block = start.slice(section.length);
  const blocks = new Uint8Array(20_000 * block.length);
  for (let i = 0; i < 20_000; i++) blocks.set(block, i * block.length);
  const packet = ethernet(ip("10.0.0.7", "192.0.2.10", tcp(51_000, 443, 0x18, "x")));
  const last = new PcapngSection().enhanced(0, 5_000_000n, packet).bytes().slice(section.length);
  const writer = limited.stdin.getWriter();
  await writer.write(start);
  for (let sent = 0; sent < 300_000_000; sent += blocks.length) await writer.write(blocks);
  const { mostResident } = limited;
  await writer.write(last);
  await writer.close();
  const printed = await new Response(limited.stdout).text();
  assert.equal((await limited.ended).code, 0, limited.stderr);
  assert.ok(printed.includes("10.0.0.7;192.0.2.10;443;flow"), printed);
  assert.ok(mostResident < UNIT_MEMORY, `${mostResident} bytes of ${UNIT_MEMORY}`);
});

Deno.test({
  name:
    "a program that needs more than the unit's memory is killed, so that the others say something",
  ignore: !CAN_LIMIT_MEMORY,
  async fn() {
    const script = `const all = []; for (;;) all.push(new Uint8Array(1e7).fill(1));`;
    await using limited = new LimitedProgram(Deno.execPath(), ["eval", script]);
    assert.equal((await limited.ended).signal, "SIGKILL");
  },
});
