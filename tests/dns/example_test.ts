import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeDnstap } from "../../src/dns/mod.ts";
import { until } from "../namespaces.ts";
import { stream } from "./frame_writer.ts";

const MODULE = fileURLToPath(new URL("../../src/dns/mod.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** The example as it stands in the module's doc comment. */
function example(): string {
  const [, code] = /```ts\n([^]*?) \* ```/.exec(Deno.readTextFileSync(MODULE))!;
  return code.replaceAll(/^ \* ?/gm, "");
}

Deno.test("the example of flosensor/dnstap prints what a name server says as JSON", async () => {
  const directory = await Deno.makeTempDir({ prefix: "flosensor-example-" });
  const path = join(directory, "dnstap.sock");
  const program = join(directory, "example.ts");
  await Deno.writeTextFile(program, example().replace("/run/dnstap.sock", path));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--config", CONFIG, program],
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
