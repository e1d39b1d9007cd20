import assert from "node:assert/strict";
import { join } from "node:path";
import { encodeDnstap } from "../../src/dns/mod.ts";
import { EXAMPLE_CONFIG, moduleExample } from "../module_example.ts";
import { until } from "../namespaces.ts";
import { stream } from "./frame_writer.ts";

Deno.test("the example of flosensor/dnstap prints what a name server says as JSON", async () => {
  const directory = await Deno.makeTempDir({ prefix: "flosensor-example-" });
  const path = join(directory, "dnstap.sock");
  const program = join(directory, "example.ts");
  await Deno.writeTextFile(
    program,
    moduleExample("src/dns/mod.ts").replace("/run/dnstap.sock", path),
  );
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", "--config", EXAMPLE_CONFIG, program],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  try {
    let connection!: Deno.Conn;
    await until(async () => {
      try {
        connection = await Deno.connect({ transport: "unix", path });
        return true;
      } catch {
        return false;
      }
    });
    await connection.write(stream(encodeDnstap({ message: { type: 5, queryPort: 4321 } })));
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    const { message } = JSON.parse(new TextDecoder().decode(value));
    assert.deepEqual(message, { type: "CLIENT_QUERY", query_port: 4321 });
    connection.close();
    await reader.cancel();
  } finally {
    child.kill("SIGTERM");
    await child.status;
    await Deno.remove(directory, { recursive: true });
  }
});
