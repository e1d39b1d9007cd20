/** A server that is none, or none any more: what is in the place of a ClickHouse may be anybody's. */
import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { parseClickHouseUrl } from "../../src/clickhouse/clickhouse_address.ts";
import { ClickHouseClient, reasonOf } from "../../src/clickhouse/clickhouse_client.ts";
import { OwnSockets } from "../../src/sink/own_sockets.ts";

const PATIENCE = 300;
const SECRET = "violet-otter";
const OK = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";

/** What is thrown of an insertion and of a query by a server that answers so. */
async function against(answer: (socket: Socket, request: string) => void) {
  const sockets = new Set<Socket>();
  const requests: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).once("data", (data) => {
      requests.push(String(data));
      answer(socket, String(data));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const address = parseClickHouseUrl(`http://sensor:${SECRET}@127.0.0.1:${port}/flows`, "test");
  const client = new ClickHouseClient(address, new OwnSockets(), PATIENCE);
  const saidBy = async (work: () => Promise<unknown>) => {
    try {
      await work();
      return "nothing";
    } catch (error) {
      return reasonOf(error);
    }
  };
  const insertion = await saidBy(() => client.execute("INSERT INTO flow FORMAT TSV", "1\n"));
  const rows: unknown[] = [];
  const query = await saidBy(async () => {
    for await (const row of client.rows("SELECT 1")) rows.push(row);
  });
  client.destroy();
  for (const socket of sockets) socket.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  for (const said of [insertion, query]) assert.doesNotMatch(said, new RegExp(SECRET));
  return { insertion, query, rows, requests };
}

/** Sends a piece again and again, as long as it is read. */
function sendForEver(socket: Socket, head: string, piece: string, pause?: number): void {
  socket.write(head);
  const send = () => {
    if (socket.destroyed) return;
    if (pause !== undefined) socket.write(piece, () => setTimeout(send, pause));
    else socket.write(piece, send);
  };
  send();
}

const SILENCE = "no answer for 0.3 s";

Deno.test("a server that says nothing, or nothing more, is given up in time", async () => {
  for (const head of ["", "HTTP/1.1 200 OK\r\n", `${OK}\r\n`, `${OK}Content-Length: 5\r\n\r\nab`]) {
    const { insertion, query } = await against((socket) => socket.write(head));
    assert.deepEqual([insertion, query], [SILENCE, SILENCE], head);
  }
});

Deno.test("an answer without an end is given up, however it comes", async () => {
  const fast = await against((socket) => sendForEver(socket, `${OK}\r\n`, "x".repeat(65_536)));
  assert.equal(fast.insertion, "its answer has no end");
  assert.equal(fast.query, "its answer has a row without an end");
  const slow = await against((socket) => sendForEver(socket, `${OK}\r\n`, "x", 20));
  assert.deepEqual([slow.insertion, slow.query], [SILENCE, SILENCE]);
  const error = await against((socket) =>
    sendForEver(socket, "HTTP/1.1 500 No\r\n\r\n", "x".repeat(65_536))
  );
  assert.deepEqual([error.insertion, error.query], Array(2).fill("its answer has no end"));
});

Deno.test("an answer that is cut off is none", async () => {
  const { insertion, query, rows } = await against((socket) =>
    socket.end(`${OK}Content-Length: 50\r\n\r\n{"a":1}\n`)
  );
  assert.match(insertion, /closed|aborted|hang up|reset/);
  assert.match(query, /closed|aborted|hang up|reset/);
  assert.deepEqual(rows, [{ a: 1 }]);
});

Deno.test("nobody is sent elsewhere with the password", async () => {
  let asked = 0;
  await using elsewhere = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => {
      asked++;
      return new Response("");
    },
  );
  const { insertion, query, requests } = await against((socket) =>
    socket.end(
      `HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:${elsewhere.addr.port}/\r\n` +
        "Content-Length: 0\r\n\r\n",
    )
  );
  assert.deepEqual([insertion, query, asked], ["HTTP status 307", "HTTP status 307", 0]);
  // In a header, and in no address that a server or a proxy writes down.
  const [line, ...headers] = requests[0].split("\r\n");
  assert.doesNotMatch(line, new RegExp(SECRET));
  assert.ok(headers.some((it) => it.toLowerCase() === `x-clickhouse-key: ${SECRET}`));
});

Deno.test("a password that no header takes is told of without it", async () => {
  const address = parseClickHouseUrl(
    `http://sensor:${SECRET}%0D%0AX-Other:%201@127.0.0.1:9/flows`,
    "test",
  );
  const client = new ClickHouseClient(address, new OwnSockets(), PATIENCE);
  await assert.rejects(client.execute("SELECT 1"), (error: Error) => {
    assert.doesNotMatch(`${error.message}${error.stack}`, new RegExp(SECRET));
    return true;
  });
  client.destroy();
});
