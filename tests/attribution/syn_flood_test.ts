/** A flood of SYN packets costs a bounded amount of memory, and other flows stay right. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { RunningProgram } from "../cli/program.ts";
import { withFiles } from "../config/temporary_files.ts";
import { ACK, type Bytes, bytes, ip, pcap, PSH, SYN, tcp } from "../packets.ts";
import { memoryOf } from "../process_status.ts";

const RAW_IP = 101;
const START = 1_790_000_000;
const SECONDS = 600;
const FLOOD = 1_000_000;
const PER_SECOND = Math.ceil(FLOOD / SECONDS);
/** Of those that flood, one in so many has an answer. */
const ANSWERED = 4;

const VICTIM = "192.0.2.80";
/** Ports that say nothing, but that the lower one is the client's. */
const CLIENT_PORT = 7_001;
const SERVICE_PORT = 7_777;
const SERVER = "192.0.2.77";

/** Some 110 MB were measured; without a bound, a million connections would be as many times 90 bytes more. */
const MOST_MEMORY = 184_320_000;

const CONFIG = `import { defineConfig } from "flosensor/config";
export default defineConfig({ suppressOwnNetwork: false });`;

/** A record of a pcap file. */
function record(packet: Bytes, seconds: number): Bytes {
  return pcap([{ packet, seconds }], { linkType: RAW_IP }).subarray(24);
}

const FLOOD_SYN = record(ip("10.0.0.0", VICTIM, tcp(0, 80, SYN)), 0);
const FLOOD_ANSWER = record(ip(VICTIM, "10.0.0.0", tcp(80, 0, SYN | ACK)), 0);

/** Puts a record of the flood into a buffer; each has another address and port. */
function putFlood(into: Bytes, at: number, number: number, isAnswer: boolean, seconds: number) {
  into.set(isAnswer ? FLOOD_ANSWER : FLOOD_SYN, at);
  const view = new DataView(into.buffer, at);
  view.setUint32(0, seconds, true);
  view.setUint32(16 + (isAnswer ? 16 : 12), 0x0a000000 + (number % 65_536));
  view.setUint16(36 + (isAnswer ? 2 : 0), 1 + (number * 7919) % 65_535);
}

/** The packets of one second: the flood, and connections of others in between. */
function second(i: number): Bytes {
  const flood = bytes(new Uint8Array(PER_SECOND * 2 * FLOOD_SYN.length));
  let at = 0;
  for (let j = 0; j < PER_SECOND; j++) {
    const number = i * PER_SECOND + j;
    putFlood(flood, at, number, false, START + i);
    at += FLOOD_SYN.length;
    if (number % ANSWERED !== 0) continue;
    putFlood(flood, at, number, true, START + i);
    at += FLOOD_SYN.length;
  }
  // One that opens before the flood of this second, and says something after that of five.
  const client = (i: number) => `198.51.${i >>> 8}.${i & 0xff}`;
  const there = (i: number, flags: number, text = "") =>
    ip(client(i), SERVER, tcp(CLIENT_PORT, SERVICE_PORT, flags, text));
  const back = (i: number, flags: number, text = "") =>
    ip(SERVER, client(i), tcp(SERVICE_PORT, CLIENT_PORT, flags, text));
  const opening = [there(i, SYN), back(i, SYN | ACK)].map((it) => record(it, START + i));
  const talk = i < 5
    ? []
    : [there(i - 5, PSH | ACK, "?"), back(i - 5, PSH | ACK, "!")].map((it) =>
      record(it, START + i)
    );
  return bytes(...opening, flood.subarray(0, at), ...talk);
}

Deno.test({
  name: "a million SYN packets of as many connections in ten minutes: memory is bounded, others' " +
    "flows are right",
  ignore: !existsSync("/proc/self/status"),
  fn: () =>
    withFiles({ "config.ts": CONFIG }, async (directory) => {
      const args = ["replay", "-", "--json", "-c", join(directory, "config.ts")];
      await using program = new RunningProgram(args);
      await program.feed(pcap([], { linkType: RAW_IP }));
      for (let i = 0; i < SECONDS; i++) await program.feed(second(i));
      // What was fed is read, but for what a pipe holds, once the last of these is written.
      await program.prints(`198.51.${(SECONDS - 30) >>> 8}.`);
      const peak = memoryOf(program.pid, "VmHWM");
      await program.endInput();
      const { status, stdout, stderr } = await program.ended;
      assert.equal(status, 0, stderr);
      const flows = stdout.trim().split("\n").map((line) => JSON.parse(line))
        .filter(({ key }) => key.endsWith(";flow"));
      assert.equal(flows.length, SECONDS - 5);
      for (const { key } of flows) {
        assert.match(key, new RegExp(`^198\\.51\\.\\d+\\.\\d+;${SERVER};${SERVICE_PORT};flow$`));
      }
      // The flood pushes out none of the others' half-open connections.
      assert.deepEqual(flows.filter(({ by }) => by !== "syn"), []);
      const opened = SECONDS * PER_SECOND + 5;
      assert.match(
        stderr,
        new RegExp(
          `conversations: ${SECONDS - 5} \\(forgotten: \\d+ half-open connections\\); ` +
            `without flow: ${opened} only SYN, FIN or RST; flows: ${SECONDS - 5} `,
        ),
      );
      assert.ok(peak < MOST_MEMORY, `${peak} bytes`);
    }),
});
