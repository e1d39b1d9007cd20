import assert from "node:assert/strict";
import { createConnection, type Socket } from "node:net";
import { parseAddress } from "../../src/model/address.ts";
import { MAYBE_OURS, NOT_OURS, OURS, OwnConnectionsCopy } from "../../src/model/own_connections.ts";
import { OwnSockets } from "../../src/sink/own_sockets.ts";
import { unusedPort } from "../redis_server.ts";

function judge(
  sockets: OwnSockets,
  one: string,
  onePort: number,
  other: string,
  otherPort: number,
): number {
  const [a, b] = [parseAddress(one)!, parseAddress(other)!];
  return sockets.judge(a.family === 6, a.words, onePort, b.words, otherPort);
}

/** Not with `createServer` of node:net: its `close` may never call back in Deno 2.9. */
async function withServer(
  host: string,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ hostname: host, port: 0 });
  const accepted: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const connection of listener) accepted.push(connection);
  })();
  try {
    await use(listener.addr.port);
  } finally {
    listener.close();
    await accepting;
    for (const connection of accepted) connection.close();
  }
}

function connect(sockets: OwnSockets, host: string, port: number): Socket {
  return sockets.track(host, port, () => createConnection({ host, port }));
}

function happened(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve) => socket.once(event, () => resolve()));
}

for (const host of ["127.0.0.1", "::1"]) {
  Deno.test(`OwnSockets knows a connection to ${host} from before it is made to after its end`, async () => {
    await withServer(host, async (port) => {
      let now = 0;
      const sockets = new OwnSockets(() => now);
      let changes = 0;
      sockets.onEndpointsChanged = () => changes++;
      assert.equal(sockets.isSettling, false);
      const socket = connect(sockets, host, port);
      assert.equal(sockets.isSettling, true);
      assert.equal(changes, 1);
      assert.deepEqual(sockets.endpoints(), []);
      await happened(socket, "connect");
      const localPort = socket.localPort!;
      assert.equal(sockets.isSettling, false);
      assert.equal(changes, 2);
      assert.deepEqual(sockets.endpoints(), [
        { localAddress: host, localPort, remoteAddress: host, remotePort: port },
      ]);
      assert.equal(judge(sockets, host, localPort, host, port), OURS);
      assert.equal(judge(sockets, host, port, host, localPort), OURS);
      assert.equal(judge(sockets, host, localPort ^ 1, host, port), NOT_OURS);
      assert.equal(judge(sockets, host, localPort, host, port ^ 1), NOT_OURS);
      const [otherFamily, neighbour] = host === "::1"
        ? ["0.0.0.1", "1::1"]
        : ["::7f00:1", "127.0.0.2"];
      assert.equal(judge(sockets, otherFamily, localPort, otherFamily, port), NOT_OURS);
      assert.equal(judge(sockets, neighbour, localPort, host, port), NOT_OURS);
      socket.destroy();
      await happened(socket, "close");
      assert.equal(changes, 3);
      assert.deepEqual(sockets.endpoints(), []);
      // Its last packets are still being read.
      assert.equal(judge(sockets, host, localPort, host, port), OURS);
      now += 500_000;
      const next = connect(sockets, host, port);
      await happened(next, "connect");
      assert.equal(judge(sockets, host, localPort, host, port), OURS);
      next.destroy();
      await happened(next, "close");
      now += 101_000;
      const second = connect(sockets, host, port);
      await happened(second, "connect");
      assert.equal(
        judge(sockets, host, localPort, host, port),
        second.localPort === localPort ? OURS : NOT_OURS,
      );
      second.destroy();
      await happened(second, "close");
    });
  });
}

Deno.test("OwnSockets can't rule a conversation with the same far end out while it connects", async () => {
  await withServer("127.0.0.1", async (port) => {
    const sockets = new OwnSockets();
    const first = connect(sockets, "127.0.0.1", port);
    await happened(first, "connect");
    assert.equal(judge(sockets, "127.0.0.1", 40_000, "127.0.0.1", port), NOT_OURS);
    const second = connect(sockets, "127.0.0.1", port);
    assert.equal(judge(sockets, "127.0.0.1", 40_000, "127.0.0.1", port), MAYBE_OURS);
    assert.equal(judge(sockets, "127.0.0.1", port, "127.0.0.1", 40_000), MAYBE_OURS);
    assert.equal(judge(sockets, "127.0.0.1", 40_000, "127.0.0.2", port), NOT_OURS);
    await happened(second, "connect");
    assert.equal(judge(sockets, "127.0.0.1", 40_000, "127.0.0.1", port), NOT_OURS);
    for (const socket of [first, second]) {
      socket.destroy();
      await happened(socket, "close");
    }
  });
});

Deno.test("OwnSockets suspects conversations with the far end for a while after a failed attempt", async () => {
  const port = await unusedPort();
  let now = 0;
  const sockets = new OwnSockets(() => now);
  const socket = connect(sockets, "127.0.0.1", port);
  socket.on("error", () => {});
  await happened(socket, "close");
  assert.equal(sockets.isSettling, false);
  assert.deepEqual(sockets.remotes(), [{ address: "127.0.0.1", port }]);
  assert.equal(judge(sockets, "127.0.0.1", port, "127.0.0.1", 40_000), MAYBE_OURS);
  now += 2_001;
  assert.equal(judge(sockets, "127.0.0.1", port, "127.0.0.1", 40_000), NOT_OURS);
});

Deno.test("OwnSockets knows for minutes when a connection was being made, to whom", async () => {
  const port = await unusedPort();
  let clock = 1_800_000_000_500;
  const sockets = new OwnSockets(() => 0, () => clock);
  const attempt = async (lasting: number) => {
    const socket = connect(sockets, "127.0.0.1", port);
    socket.on("error", () => {});
    clock += lasting;
    await happened(socket, "close");
  };
  const was = (seconds: number, toPort = port) => {
    const { words } = parseAddress("127.0.0.1")!;
    const ends = [false, words, 40_000, words, toPort, seconds] as const;
    const copy = new OwnConnectionsCopy();
    copy.set(sockets.state());
    assert.equal(copy.wasAttempt(...ends), sockets.wasAttempt(...ends));
    return sockets.wasAttempt(...ends);
  };
  await attempt(3000);
  const first = 1_800_000_000;
  assert.ok(was(first) && was(first + 3));
  assert.ok(!was(first + 3, port ^ 1));
  assert.ok(!was(first - 2) && !was(first + 5));
  clock += 100_000;
  await attempt(0);
  assert.ok(was(first + 1) && was(first + 103) && !was(first + 50));
  // Attempts without a pause are one time.
  for (let i = 0; i < 100; i++) await attempt(500);
  assert.equal(sockets.state().attempts.length, 2);
  clock += 400_000;
  await attempt(0);
  assert.equal(sockets.state().attempts.length, 1);
});

Deno.test("OwnSockets leaves other sockets of the program alone", async () => {
  await withServer("127.0.0.1", async (port) => {
    const sockets = new OwnSockets();
    const ours = connect(sockets, "127.0.0.1", port);
    const other = createConnection({ host: "127.0.0.1", port });
    await Promise.all([happened(ours, "connect"), happened(other, "connect")]);
    assert.equal(sockets.endpoints().length, 1);
    for (const socket of [ours, other]) {
      socket.destroy();
      await happened(socket, "close");
    }
  });
});

Deno.test("OwnSockets knows the far end of a name before it connects", async () => {
  await withServer("127.0.0.1", async (port) => {
    const sockets = new OwnSockets();
    const socket = connect(sockets, "localhost", port);
    const known = new Promise<number>((resolve) =>
      socket.once("lookup", () => resolve(sockets.remotes().length))
    );
    assert.equal(await known, 1);
    assert.equal(sockets.isSettling, true);
    await happened(socket, "connect");
    socket.destroy();
    await happened(socket, "close");
  });
});
