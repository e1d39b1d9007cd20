/** What `explain` says of the evidence, without and with a capture. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { explain } from "../../src/cli/explain.ts";
import { UserError } from "../../src/user_error.ts";
import { capture } from "../cli/sample_capture.ts";
import { withFiles } from "../config/temporary_files.ts";
import { connection } from "../conversations.ts";
import "../installed.ts";
import { MemoryLog } from "../memory_log.ts";
import { ACK, type Bytes, ethernet, ip, PSH, tcp } from "../packets.ts";

const CONFIG = `import { defineConfig } from "flosensor/config";
export default defineConfig({ suppressOwnNetwork: false });`;
const GREETING = "220 mail.example.com ESMTP ready\r\n";

const there = (payload = "") =>
  ethernet(ip("10.0.0.1", "10.0.0.2", tcp(7_001, 7_777, PSH | ACK, payload)));
const back = (payload = "") =>
  ethernet(ip("10.0.0.2", "10.0.0.1", tcp(7_777, 7_001, PSH | ACK, payload)));

/** What is printed about a flow, `a 1 b 2`, and the captures' packets. */
async function printed(flow: string, captures: readonly Bytes[], log = new MemoryLog()) {
  const [src, sport, dst, dport] = flow.split(" ");
  const files = { "config.ts": CONFIG };
  let text = "";
  await withFiles(files, async (directory) => {
    const from: string[] = [];
    for (const [i, bytes] of captures.entries()) {
      from.push(join(directory, `${i}.pcap`));
      await Deno.writeFile(from[i], bytes);
    }
    const options = { config: join(directory, "config.ts"), ourNets: [], redis: false as const };
    const flow = { src, sport, dst, dport };
    await explain(flow, { ...options, from }, log, (more) => text += more);
    text = text.replaceAll(`${directory}/`, "");
  });
  return text;
}

Deno.test("explain without a capture has the evidence of ports and of groups", async () => {
  const text = await printed("192.0.2.1 51000 192.0.2.2 443", []);
  assert.match(text, /^Evidence, without a capture \(--from FILE adds what one has of it\):$/m);
  assert.match(
    text,
    /^ {2}registered {2}the destination serves {2}\+40 {2}IANA registered the port\.$/m,
  );
  assert.match(text, /^ {2}ephemeral {3}the destination serves {2}\+20 /m);
  assert.match(
    text,
    /matches: registered \+40 for the destination, ephemeral \+20 for the destination, so the destination serves/,
  );
  const group = await printed("192.0.2.1 5000 224.0.0.9 4000", []);
  assert.match(group, /^ {2}multicast {2}the destination serves {2}\+80 /m);
  assert.match(
    await printed("192.0.2.1 7001 192.0.2.2 7777", []),
    /^Evidence, without a capture .*: none$/m,
  );
});

Deno.test("explain without a capture knows what this host listens on", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const text = await printed(`127.0.0.1 ${port} 127.0.0.1 65535`, []);
  assert.match(text, /^ {2}listening {2}the source serves +\+60 /m);
  assert.match(
    text,
    new RegExp(`The destination is the client, the port of interest is ${port}\\.`),
  );
});

Deno.test("explain --from has what a capture shows of the conversation", async () => {
  const file = capture(connection("10.0.0.1", 7_001, "10.0.0.2", 7_777));
  for (const flow of ["10.0.0.1 7001 10.0.0.2 7777", "10.0.0.2 7777 10.0.0.1 7001"]) {
    const [client, server] = flow.startsWith("10.0.0.1")
      ? ["source", "destination"]
      : ["destination", "source"];
    const text = await printed(flow, [file]);
    assert.match(text, /^The conversation is in 0\.pcap\.$/m);
    assert.match(text, new RegExp(`^  syn +the ${client} opened +It sent a SYN\\.$`, "m"));
    assert.match(text, new RegExp(`matches: the ${client} opened the conversation \\(syn\\)`));
    assert.match(text, new RegExp(`^  learned +the ${server} serves +\\+80 `, "m"));
  }
});

Deno.test("explain --from knows ends of a conversation that the capture has not", async () => {
  const file = capture(connection("10.0.0.1", 7_001, "10.0.0.2", 7_777));
  const text = await printed("10.0.0.9 6000 10.0.0.2 7777", [file]);
  assert.match(text, /^The conversation is not in 0\.pcap; its ends may be\.$/m);
  assert.match(text, /^ {2}learned +the destination serves +\+50 /m);
});

Deno.test("explain --from tells how an attribution was corrected", async () => {
  // Packets are half a second apart: the first two are attributed before the greeting is seen.
  const file = capture([there("?"), there("?"), back(), back(GREETING), there()]);
  const text = await printed("10.0.0.1 7001 10.0.0.2 7777", [file]);
  assert.match(
    text,
    /^Corrected: TCP: 10\.0\.0\.2:7777 -> 10\.0\.0\.1:7001 \(lower-port\) is now 10\.0\.0\.1:7001 -> 10\.0\.0\.2:7777 \(payload\)$/m,
  );
  assert.match(text, /^ {2}payload {2}the destination serves {2}\+100 /m);
});

Deno.test("explain --from takes several captures, and one that is cut up to there", async () => {
  const first = capture([there(), there()]);
  const second = capture([back(GREETING), there(), there()]);
  const log = new MemoryLog();
  const cut = second.subarray(0, second.length - 5);
  const text = await printed("10.0.0.1 7001 10.0.0.2 7777", [first, cut], log);
  assert.match(text, /^The conversation is in 0\.pcap, 1\.pcap\.$/m);
  assert.match(text, /^ {2}payload {2}the destination serves/m);
  assert.equal(log.lines.filter((line) => line.startsWith("warn: ")).length, 1);
});

Deno.test("explain --from refuses what is no capture", async () => {
  await assert.rejects(
    printed("10.0.0.1 7001 10.0.0.2 7777", [new TextEncoder().encode("no capture, but a text")]),
    UserError,
  );
});
