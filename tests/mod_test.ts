import assert from "node:assert/strict";
import { join } from "node:path";
import * as config from "../src/config/mod.ts";
import * as dnstap from "../src/dns/mod.ts";
import * as flosensor from "../mod.ts";
import { connection, keysOfFlow } from "./conversations.ts";
import { withFiles } from "./config/temporary_files.ts";
import { moduleExamples, printedBy } from "./module_example.ts";
import { ethernet, ip, pcap, RST, tcp } from "./packets.ts";

const NOW = 1_700_000_000;
const CLIENT = "192.168.7.1";
const SERVER = "198.51.100.7";
const [KEYS, PACKETS, COUNTS] = moduleExamples("mod.ts");

Deno.test("the first example of flosensor prints the keys of a saved capture", () =>
  withCapture(async (directory) => {
    const keys = [...keysOfFlow(CLIENT, SERVER, 8_443), `${CLIENT};${SERVER};5001:80;rst`];
    assert.deepEqual((await printedBy(KEYS, directory)).sort(), keys.sort());
  }));

Deno.test("the second example of flosensor says what each packet is", () =>
  withCapture(async (directory) => {
    const lines = await printedBy(PACKETS, directory);
    assert.equal(lines[0], "transport 5000 8443");
    assert.equal(lines.at(-1), "transport 80 5001");
  }));

Deno.test("the third example of flosensor counts, and says what is wrong with a file", () =>
  withCapture(async (directory) => {
    const lines = await printedBy(COUNTS, directory);
    assert.ok(lines.includes("1 syn"), lines.join("\n"));
    await Deno.remove(join(directory, "capture.pcap"));
    assert.deepEqual(await printedBy(COUNTS, directory), [""]);
  }));

Deno.test("each value that the modules export is in an example", () => {
  for (const [module, values] of [["mod.ts", flosensor], ["src/dns/mod.ts", dnstap]] as const) {
    const words = wordsOf(moduleExamples(module).join());
    assert.deepEqual(Object.keys(values).filter((it) => !words.has(it)), [], module);
  }
  const folder = new URL("../docs/examples/", import.meta.url);
  const examples = [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".ts"));
  const words = wordsOf(
    moduleExamples("src/config/configuration.ts").join() +
      examples.map(({ name }) => Deno.readTextFileSync(new URL(name, folder))).join(),
  );
  assert.deepEqual(Object.keys(config).filter((it) => !words.has(it)), []);
});

function wordsOf(code: string): Set<string> {
  return new Set(code.match(/\w+/g));
}

/** @param use Is given a folder with `capture.pcap`. */
function withCapture(use: (directory: string) => Promise<void>): Promise<void> {
  const packets = [
    // The lower port is the client's: who opened decides.
    ...connection(CLIENT, 5_000, SERVER, 8_443),
    ethernet(ip(SERVER, CLIENT, tcp(80, 5_001, RST))),
  ];
  return withFiles({}, async (directory) => {
    const capture = pcap(packets.map((packet) => ({ packet, seconds: NOW })));
    await Deno.writeFile(join(directory, "capture.pcap"), capture);
    await use(directory);
  });
}
