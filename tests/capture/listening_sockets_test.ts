import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { ListeningSockets } from "../../src/capture/listening_sockets.ts";
import "../installed.ts";
import { addressBytes } from "../packets.ts";
import { MemoryLog } from "../memory_log.ts";

const TCP = 6;
const UDP = 17;
const HAS_PROC = Deno.build.os === "linux";

/** Whether something listens there, as the flow meter asks. */
function has(sockets: ListeningSockets, address: string, port: number, protocol = TCP): boolean {
  const bytes = new DataView(Uint8Array.from(addressBytes(address)).buffer);
  const words = new Int32Array(2 + bytes.byteLength / 4);
  for (let at = 0; at < bytes.byteLength; at += 4) words[2 + at / 4] = bytes.getInt32(at);
  return sockets.has(words, 2, bytes.byteLength / 4, port, protocol);
}

async function found(): Promise<ListeningSockets> {
  const sockets = new ListeningSockets(new MemoryLog());
  await sockets.refresh();
  return sockets;
}

function bound(socket: Socket, port: number, address: string): Promise<void> {
  return new Promise((resolve) => socket.bind(port, address, resolve));
}

function listeningTest(name: string, test: () => Promise<void>): void {
  Deno.test({ name, ignore: !HAS_PROC, fn: test });
}

listeningTest("ListeningSockets knows a service by its address, port and protocol", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const sockets = await found();
  assert.ok(has(sockets, "127.0.0.1", port));
  assert.ok(!has(sockets, "127.0.0.2", port));
  assert.ok(!has(sockets, "192.0.2.1", port));
  assert.ok(!has(sockets, "::1", port));
  assert.ok(!has(sockets, "127.0.0.1", port, UDP));
});

listeningTest("ListeningSockets takes a wildcard for all addresses of the host", async () => {
  using ipv4 = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  using ipv6 = Deno.listen({ hostname: "::", port: 0 });
  const sockets = await found();
  const port4 = (ipv4.addr as Deno.NetAddr).port;
  const port6 = (ipv6.addr as Deno.NetAddr).port;
  assert.ok(has(sockets, "127.0.0.1", port4));
  assert.ok(has(sockets, "127.1.2.3", port4));
  assert.ok(!has(sockets, "::1", port4));
  assert.ok(!has(sockets, "192.0.2.1", port4));
  assert.ok(has(sockets, "::1", port6));
  // A socket for all IPv6 addresses takes IPv4 too, ipv6(7), IPV6_V6ONLY.
  assert.ok(has(sockets, "127.0.0.1", port6));
  assert.ok(!has(sockets, "2001:db8::1", port6));
});

listeningTest("ListeningSockets does not take a client's connection for a service", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using client = await Deno.connect({ port: (listener.addr as Deno.NetAddr).port });
  using _accepted = await listener.accept();
  const { port } = client.localAddr as Deno.NetAddr;
  assert.ok(!has(await found(), "127.0.0.1", port));
});

listeningTest("ListeningSockets takes UDP sockets outside the clients' port range", async () => {
  const service = createSocket("udp4");
  const client = createSocket("udp4");
  // The range begins at 32768 unless somebody has set it.
  const port = 20_000 + Deno.pid % 10_000;
  await bound(service, port, "127.0.0.1");
  await bound(client, 0, "127.0.0.1");
  try {
    const sockets = await found();
    assert.ok(has(sockets, "127.0.0.1", port, UDP));
    assert.ok(!has(sockets, "127.0.0.1", port, TCP));
    assert.ok(!has(sockets, "127.0.0.1", client.address().port, UDP));
  } finally {
    service.close();
    client.close();
  }
});

listeningTest("ListeningSockets forgets a service that has ended", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const sockets = await found();
  assert.ok(has(sockets, "127.0.0.1", port));
  listener.close();
  await sockets.refresh();
  assert.ok(!has(sockets, "127.0.0.1", port));
});

listeningTest("ListeningSockets finds what listens among thousands of connections", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const open: Deno.Conn[] = [];
  try {
    for (let i = 0; i < 500; i++) open.push(await Deno.connect({ port }), await listener.accept());
    const sockets = await found();
    assert.ok(has(sockets, "127.0.0.1", port));
    for (const { localAddr } of open) {
      const own = (localAddr as Deno.NetAddr).port;
      assert.equal(has(sockets, "127.0.0.1", own), own === port);
    }
  } finally {
    for (const connection of open) connection.close();
  }
});
