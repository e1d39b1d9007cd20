import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { parseAddress } from "../../src/model/address.ts";
import { addressText } from "../../src/model/address_text.ts";
import {
  HAS_SHARED_CAPTURES,
  sharedCapture,
  sharedJson,
  WITHOUT_SHARED_CAPTURES,
} from "../shared_captures.ts";
import { withFiles } from "../config/temporary_files.ts";
import { ACK, bytes, ethernet, ip, ipUdp, pcap, PSH, tcp, u32, udp } from "../packets.ts";
import { flosensor } from "./program.ts";

const CONFIG = fileURLToPath(new URL("../../config.ts", import.meta.url));

/** What `encapsulated/inner.json` has for each capture. */
type Inner = Record<
  string,
  { conversations: [protocol: string, string, number, string, number, stack: string][] }
>;

/** An address as flosensor writes it: of a mapped one tshark writes the last part in its old form. */
function canonical(address: string): string {
  const { words, family } = parseAddress(address)!;
  return addressText(words, 0, family === 6);
}

const request = ip("10.0.0.1", "10.9.0.1", tcp(50_000, 443, PSH | ACK, "request"));
const inside = bytes([8, 0, 0, 0], u32(7 << 8), ethernet(request));
const capture = pcap([{
  packet: ethernet(ipUdp("198.51.100.1", "198.51.100.2", udp(50_001, 4789, inside))),
  seconds: 1_700_000_000,
}]);

Deno.test("replay says in which tunnel a flow is, as a line of JSON and in the table", async () => {
  const args = ["replay", "-", "--no-redis", "-c", CONFIG];
  const json = await flosensor([...args, "--json"], { stdin: capture });
  const lines = json.stdout.trim().split("\n").map((line) => JSON.parse(line));
  const flows = lines.filter(({ key }) => key.endsWith(";flow"));
  assert.deepEqual(flows.map(({ key, tunnel }) => [key, tunnel]), [
    ["10.0.0.1;10.9.0.1;443;flow", "VXLAN 7"],
  ]);
  assert.ok(lines.some(({ key }) => key === "198.51.100.1;198.51.100.2;peer"));
  const table = await flosensor(args, { stdin: capture });
  assert.match(table.stdout, /CLIENT .* TUNNEL\n10\.0\.0\.1 .* VXLAN 7\n/);
});

Deno.test("a choice of tunnels that there is not is refused with what was meant", async () => {
  const text = 'import { defineConfig } from "flosensor/config";\n' +
    'export default defineConfig({ tunnels: "iner" });\n';
  await withFiles({ "config.ts": text }, async (folder) => {
    const { status, stderr } = await flosensor(["check", "-c", `${folder}/config.ts`]);
    assert.equal(status, 1);
    assert.match(stderr, /config\.ts:2: "iner" is no choice .*: did you mean "inner"\?/);
  });
});

Deno.test({
  name:
    `replay gives flows of 95 % of the conversations that tshark reads in tunnels${WITHOUT_SHARED_CAPTURES}`,
  ignore: !HAS_SHARED_CAPTURES,
  fn: async () => {
    const inner = Object.entries(sharedJson<Inner>("encapsulated/inner.json"));
    const files = inner.map(([name]) => sharedCapture(`encapsulated/pcap/${name}`));
    const { status, stdout, stderr } = await flosensor([
      "replay",
      ...files,
      "--json",
      "--no-redis",
      "-c",
      CONFIG,
    ]);
    assert.equal(status, 0, stderr);
    const keys = new Set(stdout.trim().split("\n").map((line) => JSON.parse(line).key));
    const missing: string[] = [];
    let count = 0;
    for (const [name, { conversations }] of inner) {
      for (const [protocol, one, onePort, other, otherPort] of conversations) {
        count++;
        const [from, to] = [canonical(one), canonical(other)];
        const expected = [
          ...[onePort, otherPort].map((port) => `${from};${to};${port};flow`),
          ...[onePort, otherPort].map((port) => `${to};${from};${port};flow`),
        ];
        if (expected.some((key) => keys.has(key))) continue;
        missing.push(`${name}: ${protocol} ${one} ${onePort} ${other} ${otherPort}`);
      }
    }
    assert.ok(count > 200);
    assert.ok(
      missing.length <= count * 0.05,
      `${missing.length} of ${count}:\n${missing.join("\n")}`,
    );
  },
});
