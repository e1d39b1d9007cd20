/** Files that Wireshark's and tcpdump's tools wrote, and what these tools say of ours. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { SavefileSource } from "../../src/capture/savefile_source.ts";
import { pcap } from "../packets.ts";
import { SAMPLE_PACKETS } from "../sample_packets.ts";
import { HAS_SHARED_CAPTURES, sharedCapture, WITHOUT_SHARED_CAPTURES } from "../shared_captures.ts";
import { readAll, type SavedPackets } from "./saved_packets.ts";

const ETHERNET = 1;

/** A test that needs a program, and is skipped without it. */
function toolTest(
  { name, tool, isShared = false }: { name: string; tool: string; isShared?: boolean },
  fn: () => Promise<void>,
): void {
  const isThere = (Deno.env.get("PATH") ?? "").split(":").some((path) => {
    return existsSync(`${path}/${tool}`);
  });
  const because = isThere ? "" : ` (skipped: ${tool} is not installed)`;
  const shared = isShared ? WITHOUT_SHARED_CAPTURES : "";
  const ignore = !isThere || isShared && !HAS_SHARED_CAPTURES;
  Deno.test({ name: name + because + shared, ignore, fn });
}

async function run(tool: string, ...parameters: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(tool, {
    args: parameters,
    // What it has to say of damaged captures is not for the reader of the tests.
    stderr: "null",
    env: { TZ: "UTC", LC_ALL: "C" },
  }).output();
  return new TextDecoder().decode(stdout);
}

function read(path: string): Promise<SavedPackets> {
  return readAll(SavefileSource.open(path));
}

/** A file of Ethernet packets at many times, in a folder that is gone afterwards. */
async function withCapture(use: (path: string, folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const packets = SAMPLE_PACKETS.filter(({ linkType }) => linkType === ETHERNET)
      .map(({ packet }, i) => ({ packet, seconds: 1_700_000_000 + 7 * i }));
    await Deno.writeFile(`${folder}/made.pcap`, pcap(packets));
    await use(`${folder}/made.pcap`, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const format of ["pcapng", "nsecpcap", "pcap", "modpcap"]) {
  toolTest(
    { name: `SavefileSource reads what editcap writes as ${format}`, tool: "editcap" },
    () =>
      withCapture(async (path, folder) => {
        await run("editcap", "-F", format, path, `${folder}/${format}`);
        const expected = await read(path);
        assert.ok(expected.packets.length > 10);
        assert.deepEqual(await read(`${folder}/${format}`), expected);
      }),
  );
}

toolTest(
  { name: "SavefileSource reads what tcpdump writes", tool: "tcpdump" },
  () =>
    withCapture(async (path, folder) => {
      await run("tcpdump", "-r", path, "-w", `${folder}/copy`);
      assert.deepEqual(await read(`${folder}/copy`), await read(path));
    }),
);

toolTest(
  { name: "SavefileSource.open() reads a named pipe to its end", tool: "mkfifo" },
  () =>
    withCapture(async (path, folder) => {
      await run("mkfifo", `${folder}/pipe`);
      const writer = run("sh", "-c", `exec cat ${path} > ${folder}/pipe`);
      const source = SavefileSource.open(`${folder}/pipe`);
      assert.equal(source.size, 0);
      assert.deepEqual(await readAll(source), await read(path));
      await writer;
    }),
);

toolTest(
  { name: "SavefileSource reads what editcap cut to 60 bytes", tool: "editcap" },
  () =>
    withCapture(async (path, folder) => {
      await run("editcap", "-s", "60", path, `${folder}/cut`);
      const whole = await read(path);
      const cut = await read(`${folder}/cut`);
      assert.deepEqual(
        cut.packets,
        whole.packets.map((saved) => ({ ...saved, packet: saved.packet.subarray(0, 60) })),
      );
    }),
);

toolTest({
  name: "SavefileSource reads what mergecap made of several link types",
  tool: "mergecap",
}, () =>
  withCapture(async (path, folder) => {
    const raw = SAMPLE_PACKETS.filter(({ linkType }) => linkType === 101)
      .map(({ packet }, i) => ({ packet, seconds: 1_800_000_000 + i }));
    await Deno.writeFile(`${folder}/raw`, pcap(raw, { linkType: 101 }));
    await run("mergecap", "-F", "pcapng", "-w", `${folder}/merged`, path, `${folder}/raw`);
    const expected = [...(await read(path)).packets, ...(await read(`${folder}/raw`)).packets];
    assert.deepEqual(await read(`${folder}/merged`), { packets: expected, failure: null });
  }));

toolTest(
  {
    name: "capinfos counts the same packets and bytes in all shared captures",
    tool: "capinfos",
    isShared: true,
  },
  async () => {
    const paths = [...Deno.readDirSync(sharedCapture("pcap"))].map(({ name }) => {
      return sharedCapture(`pcap/${name}`);
    });
    // Table, no header; count, bytes on the wire, first and last time.
    const table = await run(
      "capinfos",
      "-TrMQ",
      "-c",
      "-d",
      "-a",
      "-e",
      "-S",
      "-m",
      "-K",
      ...paths,
    );
    const rows = table.trim().split("\n").map((line) =>
      line.split(",").map((cell) => cell.replaceAll('"', ""))
    );
    assert.equal(rows.length, paths.length);
    // Of a damaged capture, it writes times like 1953631157.-1404616: the seconds are right.
    for (const [path, count, size, first, last] of rows) {
      const { packets } = await read(path);
      assert.equal(packets.length, Number(count), path);
      assert.equal(packets.reduce((sum, { length }) => sum + length, 0), Number(size), path);
      const times = packets.map(({ seconds }) => seconds);
      assert.equal(times.reduce((a, b) => Math.min(a, b)), parseInt(first), path);
      assert.equal(times.reduce((a, b) => Math.max(a, b)), parseInt(last), path);
    }
  },
);

/** Of each format and time resolution, several interfaces, cut packets, a damaged end. */
const CLOSER_LOOK = [
  "443-chrome.pcap",
  "ah.pcapng",
  "dhcp-fuzz.pcapng",
  "memcached.cap",
  "mysql.pcapng",
  "ossfuzz_seed_fake_traces_2.pcapng",
  "quic_interop_V.pcapng",
];

for (const name of CLOSER_LOOK) {
  toolTest(
    { name: `tshark sees the same times and lengths in ${name}`, tool: "tshark", isShared: true },
    async () => {
      const path = sharedCapture(`pcap/${name}`);
      const fields = ["frame.time_epoch", "frame.cap_len", "frame.len"].flatMap((
        field,
      ) => ["-e", field]);
      const text = await run("tshark", "-n", "-r", path, "-T", "fields", ...fields);
      const expected = text.trim().split("\n").map((line) => {
        const [time, captured, length] = line.split("\t");
        // Newer versions write times in words, as ISO 8601.
        const seconds = time.includes("T") ? Date.parse(time) / 1000 : Number(time);
        return [Math.floor(seconds), Number(captured), Number(length)];
      });
      const { packets } = await read(path);
      assert.deepEqual(
        packets.map(({ seconds, packet, length }) => [seconds, packet.length, length]),
        expected,
      );
    },
  );
}
