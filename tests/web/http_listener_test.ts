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

Deno.test("HttpListener answers a Host that is none, and nobody is asked or told", async () => {
  const failures: unknown[] = [];
  const listener = new HttpListener(
    "--listen",
    { hostname: "127.0.0.1", port: 0 },
    null,
    {
      answer: ({ url }) => new Response(new URL(url).host),
      onError: (error) => {
        failures.push(error);
        return new Response("", { status: 500 });
      },
    },
    new LineLog("info", (line) => failures.push(line)),
  );
  for (const [host, status] of [["a:65536", 400], ["[::1", 400], ["a:b", 400], ["a:65535", 200]]) {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
    const request = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    const answer = await new Response(connection.readable).text();
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), String(host));
  }
  await listener.shutdown();
  assert.deepEqual(failures, []);
});
