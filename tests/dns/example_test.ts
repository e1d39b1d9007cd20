import assert from "node:assert/strict";
import { join } from "node:path";
import { CLIENT_RESPONSE, decodeDnstap, encodeDnstap } from "../../src/dns/mod.ts";
import { withFiles } from "../config/temporary_files.ts";
import { EXAMPLE_CONFIG, moduleExamples, printedBy } from "../module_example.ts";
import { until } from "../namespaces.ts";
import { response } from "./dns_messages.ts";
import { stream } from "./frame_writer.ts";

const [FRAMES, MESSAGE] = moduleExamples("src/dns/mod.ts");

Deno.test("the first example of flosensor/dnstap prints what a name server says as JSON", async () => {
  const directory = await Deno.makeTempDir({ prefix: "flosensor-example-" });
  const path = join(directory, "dnstap.sock");
  const program = join(directory, "example.ts");
  await Deno.writeTextFile(
    program,
    FRAMES.replace("/run/dnstap.sock", path),
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

Deno.test("the second example of flosensor/dnstap says what was answered, and forgets who asked", () =>
  withFiles({}, async (directory) => {
    const file = join(directory, "frame");
    const responseMessage = response("www.example.com", []);
    const message = { type: CLIENT_RESPONSE, queryAddress: Uint8Array.of(10, 0, 0, 1) };
    await Deno.writeFile(file, encodeDnstap({ message: { ...message, responseMessage } }));
    const said = "CLIENT_RESPONSE www.example.com. without an address";
    assert.deepEqual(await printedBy(MESSAGE, directory), [said]);
    const { queryAddress } = decodeDnstap(await Deno.readFile(file))!.message!;
    assert.equal(queryAddress?.length ?? 0, 0);
  }));
