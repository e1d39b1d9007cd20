import assert from "node:assert/strict";
import { join } from "node:path";
import { withFiles } from "../config/temporary_files.ts";
import { isProgram } from "../installed.ts";
import { run } from "../namespaces.ts";
import { type Bytes, ethernet, ip, pcap, tcp } from "../packets.ts";
import { PcapngSection } from "../pcapng.ts";
import { flosensor } from "./program.ts";

const HAS_TSHARK = isProgram("tshark", "--version");
const CONFIG = `import { defineConfig, LowerPort } from "flosensor/config";
export default defineConfig({ flows: [[null, null, LowerPort()]] });
`;
/** When 32 bits of seconds end: 2106-02-07 06:28:16 UTC, in the middle of a window of 30 s. */
const END_OF_32_BITS = 0x1_0000_0000;
/** Seconds of a window in which keys are suppressed. */
const WINDOW = 30;
const PACKET = ethernet(ip("10.0.0.7", "192.0.2.10", tcp(51_000, 443, 0x18, "question")));
/** A packet each ten seconds: its key is written again and again. */
const COUNT = 40;
const STEP = 10;

/** A capture from some time on, which is before 1970 where it is negative. */
function capture(from: number): Bytes {
  // Time stamps have no sign: what is before 1970 is an offset of the interface.
  const offset = BigInt(Math.floor(from)) - 1000n;
  const section = new PcapngSection().interface({ offset });
  for (let i = 0; i < COUNT; i++) {
    section.enhanced(0, BigInt(1000 + STEP * i) * 1_000_000n, PACKET);
  }
  return section.bytes();
}

/** The same moment as others have it in their windows. */
function near(time: number, other: number): number {
  return time - (((time - other) % WINDOW) + WINDOW) % WINDOW;
}

async function withCaptures(
  files: Record<string, Bytes>,
  test: (paths: string[], config: string) => Promise<void>,
): Promise<void> {
  await withFiles({ "config.ts": CONFIG }, async (directory) => {
    const paths: string[] = [];
    for (const [name, content] of Object.entries(files)) {
      paths.push(join(directory, name));
      await Deno.writeFile(paths.at(-1)!, content);
    }
    await test(paths, join(directory, "config.ts"));
  });
}

/** The line of a table for a flow that was seen from one time to another, in this machine's zone. */
function datesOf(from: number, to: number): string[] {
  const text = (time: number) => {
    const date = new Date(time * 1000);
    const two = (number: number) => String(number).padStart(2, "0");
    return {
      day: `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
      time: `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
    };
  };
  const [first, last] = [text(from), text(to)];
  if (first.day === last.day) return [first.day, `${first.time} +${last.time}`];
  const short = ({ day, time }: { day: string; time: string }) => `${day.slice(5)} ${time}`;
  return [`${first.day} to ${last.day}`, `${short(first)} +${short(last)}`];
}

const NOW = 1_700_000_000;
const TIMES = {
  "before 1970": -1_000_000_000,
  "over the beginning of 1970": -STEP * COUNT / 2,
  "at the beginning of 1970": 0,
  "over the end of 32 bits": END_OF_32_BITS - STEP * COUNT / 2,
  "after the end of 32 bits": END_OF_32_BITS + 5,
  "in 2300": 10_413_792_000,
};

/** Lines of JSON with their times counted from some second on. */
function untimed(lines: string, from: number): string {
  return lines.replaceAll(
    /"([-+]?\d{4,6}-\d\d-\d\dT[\d:.]+Z)"/g,
    (_, time) => String(Date.parse(time) - from * 1000),
  );
}

for (const [when, about] of Object.entries(TIMES)) {
  Deno.test(`a replay of a capture from ${when} has the keys of one from today, and its times`, async () => {
    const from = near(about, NOW);
    await withCaptures({ "now.pcapng": capture(NOW), "then.pcapng": capture(from) }, async (
      [now, then],
      config,
    ) => {
      const json = (path: string) =>
        flosensor(["replay", path, "--json", "--no-redis", "-c", config]);
      const expected = await json(now);
      const actual = await json(then);
      assert.equal(actual.status, 0, actual.stderr);
      assert.equal(untimed(actual.stdout, from), untimed(expected.stdout, NOW));
      const flows = actual.stdout.split("\n").filter((line) => line.includes(";flow"));
      // Held back for 60 to 90 s each time.
      assert.ok(flows.length >= 4 && flows.length <= 8, `${flows.length} times`);
      const table = await flosensor(["replay", then, "--no-redis", "-c", config]);
      assert.equal(table.stderr.match(/warning/), null, table.stderr);
      const [days, times] = datesOf(from, from + STEP * (COUNT - 1));
      assert.ok(table.stdout.split("\n")[0].endsWith(`, ${days}`), table.stdout);
      const [first] = times.split(" +");
      assert.ok(table.stdout.includes(first), table.stdout);
      // From standard input the first packet alone says when it is.
      const piped = await flosensor(["replay", "-", "--no-redis", "-c", config], {
        stdin: capture(from),
      });
      assert.equal(piped.stdout, table.stdout);
      if (!HAS_TSHARK) return;
      const { stdout } = await run("tshark", "-r", then, "-T", "fields", "-e", "frame.time_epoch");
      assert.equal(Math.floor(Number(stdout.split("\n")[0])), from);
    });
  });
}

Deno.test("a replay of captures of two centuries tells the times of both", async () => {
  const then = near(5_000_000_000, NOW);
  await withCaptures(
    { "now.pcap": pcap([{ packet: PACKET, seconds: NOW }]), "then.pcapng": capture(then) },
    async (paths, config) => {
      const { status, stdout, stderr } = await flosensor([
        "replay",
        ...paths,
        "--no-redis",
        "-c",
        config,
      ]);
      assert.equal(status, 0, stderr);
      assert.equal(stderr.match(/warning/), null, stderr);
      assert.match(stdout, /2023-11-1\d to 2128-06-\d\d/);
    },
  );
});

Deno.test("a replay says of how many packets the time can't be told", async () => {
  const section = new PcapngSection().interface()
    .interface({ offset: -3_000_000_000n }).interface({ offset: 9_000_000_000n });
  for (const id of [0, 1, 1, 2]) section.enhanced(id, BigInt(NOW) * 1_000_000n, PACKET);
  await withCaptures({ "wild.pcapng": section.bytes() }, async ([path], config) => {
    const { status, stderr } = await flosensor(["replay", path, "--no-redis", "-c", config]);
    assert.equal(status, 0);
    assert.match(
      stderr,
      /wild\.pcapng: 3 packets have times outside of the 136 years from 1970-01-01 on: they count as seen at its beginning or its end/,
    );
  });
});
