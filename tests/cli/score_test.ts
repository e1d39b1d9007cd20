import assert from "node:assert/strict";
import { join } from "node:path";
import { score, type ScoreOptions } from "../../src/cli/score.ts";
import { UserError } from "../../src/user_error.ts";
import { withFiles } from "../config/temporary_files.ts";
import { connection, exchange } from "../conversations.ts";
import { MemoryLog } from "../memory_log.ts";
import { bytes, ethernet, ipUdp, u16, udp } from "../packets.ts";
import { capture } from "./sample_capture.ts";

const OPTIONS: ScoreOptions = { maxConversations: 1000 };
const QUESTION = bytes(u16(7), u16(0x0100), u16(1), u16(0), u16(0), u16(0), 0, u16(1), u16(1));

/** Three TCP connections, one to a high port from a low one; a question; UDP that says nothing. */
const CAPTURE = capture([
  ...connection("10.0.0.1", 51_000, "192.0.2.1", 443),
  ...connection("10.0.0.1", 51_001, "192.0.2.1", 443),
  ...connection("2001:db8::1", 7_001, "2001:db8::2", 7_777),
  ethernet(ipUdp("10.0.0.1", "192.0.2.53", udp(50_000, 53, QUESTION))),
  ...exchange("10.0.0.1", 9, "192.0.2.1", 9),
]);

const CONFIG = `import { Assign, defineConfig, DST, PortMatch, SRC } from "flosensor/config";
export default defineConfig({ flows: [
  [null, null, PortMatch([443])],
  [null, null, Assign(DST, SRC, { ports: [1], drop: true })],
] });`;

async function printed(options: Partial<ScoreOptions>, files = ["a.pcap"]): Promise<string> {
  let text = "";
  await withFiles({ "config.ts": CONFIG }, async (directory) => {
    await Deno.writeFile(join(directory, "a.pcap"), CAPTURE);
    const status = await score(
      files.map((file) => join(directory, file)),
      { ...OPTIONS, config: join(directory, "config.ts"), ...options },
      new MemoryLog(),
      (more) => text += more,
    );
    assert.equal(status, 0);
  });
  return text;
}

/** A row's cells, without percentages. */
function row(text: string, protocol: "TCP" | "UDP", name: string): string {
  const part = text.split("\n\n").find((part) => part.startsWith(protocol))!;
  const line = part.split("\n").find((line) => line.startsWith(`  ${name} `))!;
  return line.slice(name.length + 2).replaceAll(/\(.*?\)/g, "").trim().split(/ +/).join(" ");
}

Deno.test("score counts right, wrong and not matched, as they are and without SYN", async () => {
  const text = await printed({});
  assert.match(text, /^TCP: 3 connections with a handshake/);
  assert.match(text, /^UDP: 1 conversations with DNS/m);
  assert.equal(row(text, "TCP", "Initiator()"), "3 0 0 0 0 3");
  assert.equal(row(text, "TCP", "Service()"), "3 0 0 2 0 1");
  assert.equal(row(text, "TCP", "LowerPort(SRC)"), "2 1 0 2 1 0");
  assert.equal(row(text, "TCP", "the default rules"), "3 0 0 2 1 0");
  assert.equal(row(text, "UDP", "the default rules"), "1 0 0");
});

Deno.test("score measures the configuration, and each action of it that drops nothing", async () => {
  const text = await printed({});
  assert.equal(row(text, "TCP", "PortMatch([443], { precedence: SRC })"), "2 0 1 2 0 1");
  assert.equal(row(text, "TCP", "the configuration"), "2 0 1 2 0 1");
  assert.doesNotMatch(text, /Assign/);
});

Deno.test("score --verbose lists what was wrong, and what decided so", async () => {
  const text = await printed({ verbose: true });
  const [line, ...more] = text.split("\n").filter((line) => line.includes(" -> "));
  assert.deepEqual(more, []);
  assert.match(
    line,
    /^ {2}the default rules +without SYN +tcp +\[2001:db8::1\]:7001 -> \[2001:db8::2\]:7777 +lower-port$/,
  );
});

Deno.test("score --json prints the same as one line of JSON", async () => {
  const { labels, tallies, mistakes } = JSON.parse(await printed({ json: true }));
  assert.deepEqual(labels, { tcp: 3, udp: 1 });
  assert.deepEqual(
    tallies.find((it: Record<string, unknown>) =>
      it.candidate === "the default rules" && it.protocol === "tcp" && it.withoutSyn
    ),
    {
      candidate: "the default rules",
      protocol: "tcp",
      withoutSyn: true,
      right: 2,
      wrong: 1,
      notMatched: 0,
    },
  );
  assert.ok(mistakes.every(({ by }: { by: string }) => by === "lower-port"));
});

Deno.test("score takes each file by itself", async () => {
  const text = await printed({}, ["a.pcap", "a.pcap"]);
  assert.equal(row(text, "TCP", "Initiator()"), "6 0 0 0 0 6");
  assert.equal(row(text, "TCP", "Service()"), "6 0 0 4 0 2");
});

Deno.test("score counts up to where a capture is cut, then says so, exit status 1", async () => {
  await withFiles({ "config.ts": CONFIG }, async (directory) => {
    const file = join(directory, "cut.pcap");
    await Deno.writeFile(file, CAPTURE.subarray(0, CAPTURE.length - 3));
    const log = new MemoryLog();
    let text = "";
    const config = join(directory, "config.ts");
    const status = await score([file], { ...OPTIONS, config }, log, (more) => text += more);
    assert.equal(status, 1);
    assert.match(text, /^TCP: 3 connections/);
  });
});

Deno.test("score without a file is wrong usage", async () => {
  await assert.rejects(score(["10.0.0.0/8"], OPTIONS, new MemoryLog()), (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.message, "score: 10.0.0.0/8 names no file");
    assert.equal(error.exitStatus, 2);
    return true;
  });
});
