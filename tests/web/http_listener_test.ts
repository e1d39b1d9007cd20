import assert from "node:assert/strict";
import { LineLog } from "../../src/log.ts";
import { HttpListener } from "../../src/web/http_listener.ts";

const HOST = "GET / HTTP/1.1\r\nHost: a\r\n";
const BEGINNINGS: readonly (readonly [string, string])[] = [
  ["says nothing", ""],
  ["is within a request's head", HOST],
  ["has asked, and stays", `${HOST}\r\n`],
  ["is within a request's body", `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc`],
];

for (const [what, text] of BEGINNINGS) {
  Deno.test({
    name: `HttpListener ends while a connection ${what}`,
    // What is left of it ends with the process.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      const lines: string[] = [];
      const listener = new HttpListener(
        "--listen",
        { hostname: "127.0.0.1", port: 0 },
        null,
        { answer: () => new Response("answer"), onError: () => new Response("", { status: 500 }) },
        new LineLog("info", (line) => lines.push(line)),
      );
      using connection = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
      await connection.write(new TextEncoder().encode(text));
      if (text.includes("\r\n\r\n")) await connection.read(new Uint8Array(1000));
      await listener.shutdown();
      assert.deepEqual(lines, []);
    },
  });
}
