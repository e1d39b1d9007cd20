import assert from "node:assert/strict";
import { join } from "node:path";
import { connection, keysOfFlow } from "./conversations.ts";
import { EXAMPLE_CONFIG, moduleExample } from "./module_example.ts";
import { ethernet, ip, pcap, RST, tcp } from "./packets.ts";

const NOW = 1_700_000_000;
const CLIENT = "192.168.7.1";
const SERVER = "198.51.100.7";

Deno.test("the example of flosensor prints the keys of a saved capture", async () => {
  const packets = [
    // The lower port is the client's: who opened decides.
    ...connection(CLIENT, 5_000, SERVER, 8_443),
    ethernet(ip(SERVER, CLIENT, tcp(80, 5_001, RST))),
  ];
  const directory = await Deno.makeTempDir({ prefix: "flosensor-example-" });
  try {
    const capture = pcap(packets.map((packet) => ({ packet, seconds: NOW })));
    await Deno.writeFile(join(directory, "capture.pcap"), capture);
    await Deno.writeTextFile(join(directory, "example.ts"), moduleExample("mod.ts"));
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "-A", "--config", EXAMPLE_CONFIG, "example.ts"],
      cwd: directory,
      stderr: "inherit",
    }).output();
    assert.deepEqual(
      new TextDecoder().decode(stdout).trim().split("\n").sort(),
      [...keysOfFlow(CLIENT, SERVER, 8_443), `${CLIENT};${SERVER};5001:80;rst`].sort(),
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
