import assert from "node:assert/strict";
import type { Alert } from "../../src/alert/alert.ts";
import { AlertSender } from "../../src/alert/alert_sender.ts";
import { type AlertPlace, parseAlertPlace } from "../../src/config/alert_place.ts";
import { MemoryLog } from "../memory_log.ts";
import { unusedPort } from "../redis_server.ts";

const ALERT: Alert = {
  alert: "unexpected-service",
  time: "2026-11-27T00:00:00.000Z",
  client: "203.0.113.9",
  server: "10.0.0.5",
  port: 23,
  protocol: "tcp",
  by: "syn",
};
const TEXT = "10.0.0.5 port 23/tcp is not expected: 203.0.113.9 used it (syn)";

async function send(
  place: string,
  log = new MemoryLog(),
  printJson: ((alert: Alert) => void) | null = null,
): Promise<MemoryLog> {
  const sender = new AlertSender([parseAlertPlace(place)!], log, printJson);
  sender.send(ALERT);
  await sender.close();
  return log;
}

Deno.test("AlertSender says an alert on the log, or prints it as JSON where there is no table", async () => {
  assert.deepEqual((await send("log")).lines, [`warn: ${TEXT}`]);
  const printed: Alert[] = [];
  assert.deepEqual((await send("json", new MemoryLog(), (it) => printed.push(it))).lines, []);
  assert.deepEqual(printed, [ALERT]);
  assert.deepEqual((await send("json")).lines, [`warn: ${TEXT}`]);
});

Deno.test("AlertSender says an alert once on the log where JSON goes there too", () => {
  const places = ["json", "log"].map((it) => parseAlertPlace(it)!);
  const log = new MemoryLog();
  new AlertSender(places, log, null).send(ALERT);
  assert.deepEqual(log.lines, [`warn: ${TEXT}`]);
  const printed: Alert[] = [];
  new AlertSender(places, log, (it) => printed.push(it)).send(ALERT);
  assert.deepEqual([log.lines.length, printed.length], [2, 1]);
});

Deno.test("AlertSender posts an alert to a webhook", async () => {
  const posted: unknown[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      posted.push([request.method, request.headers.get("content-type"), await request.json()]);
      return new Response("ok");
    },
  );
  const log = await send(`http://127.0.0.1:${server.addr.port}/hook?key=secret`);
  await server.shutdown();
  assert.deepEqual(log.lines, []);
  assert.deepEqual(posted, [["POST", "application/json", { text: TEXT, ...ALERT }]]);
});

Deno.test("AlertSender says on the log what a webhook did not take, without what is secret in its URL", async () => {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("no", { status: 403 }),
  );
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const log = await send(`${origin}/hook?key=secret`);
  await server.shutdown();
  assert.deepEqual(log.lines, [
    `warn: onAlert ${origin} did not take an alert (HTTP status 403): ${TEXT}`,
  ]);
});

Deno.test("AlertSender says why a webhook can't be reached, and nothing of its address but the host", async () => {
  using closing = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = closing.accept().then((connection) => connection.close());
  await using redirecting = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(null, { status: 302, headers: { location: "http://127.0.0.1/secret" } }),
  );
  const { port } = closing.addr as Deno.NetAddr;
  for (
    const [origin, reason] of [
      [`http://127.0.0.1:${await unusedPort()}`, /onnection refused/],
      ["http://nowhere.invalid", /dns error: /],
      [`http://127.0.0.1:${port}`, /closed|reset/],
      [`http://127.0.0.1:${redirecting.addr.port}`, /redirect/],
      [`https://127.0.0.1:${redirecting.addr.port}`, /corrupt|TLS|tls|certificate/],
    ] as const
  ) {
    const secret = `${origin.replace("//", "//secret:secret@")}/hook/secret?key=secret`;
    const { lines } = await send(secret);
    assert.equal(lines.length, 1, lines.join());
    const given = lines[0].slice(0, -TEXT.length);
    assert.match(given, reason);
    assert.doesNotMatch(lines[0], /secret|os error/);
  }
  await accepting;
});

Deno.test("AlertSender sends an alert to a syslog server, as RFC 5424 has it", async () => {
  const listener = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  try {
    const { port } = listener.addr as Deno.NetAddr;
    const received = listener.receive();
    assert.deepEqual((await send(`syslog://127.0.0.1:${port}`)).lines, []);
    const [bytes] = await received;
    assert.equal(
      new TextDecoder().decode(bytes),
      `<108>1 2026-11-27T00:00:00.000Z - flosensor - unexpected-service - ${TEXT}`,
    );
  } finally {
    listener.close();
  }
});

Deno.test("AlertSender sends datagrams in the order of their alerts", async () => {
  const listener = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  try {
    const { port } = listener.addr as Deno.NetAddr;
    const place = parseAlertPlace(`syslog://127.0.0.1:${port}`)!;
    const sender = new AlertSender([place], new MemoryLog(), null);
    const ports = Array.from({ length: 20 }, (_, i) => i + 1);
    for (const one of ports) sender.send({ ...ALERT, port: one });
    await sender.close();
    const received: number[] = [];
    for (const _ of ports) {
      const [bytes] = await listener.receive();
      received.push(Number(/port (\d+)/.exec(new TextDecoder().decode(bytes))![1]));
    }
    assert.deepEqual(received, ports);
  } finally {
    listener.close();
  }
});

Deno.test("parseAlertPlace reads where alerts go, and nothing else", () => {
  const places: [string, AlertPlace | null][] = [
    ["log", { kind: "log" }],
    ["https://hooks.example/x", { kind: "webhook", url: "https://hooks.example/x" }],
    ["syslog://[2001:db8::1]", { kind: "syslog", host: "2001:db8::1", port: 514 }],
    ["syslog://collector.example:5514", { kind: "syslog", host: "collector.example", port: 5514 }],
    ["syslog", null],
    ["mailto:x@example.com", null],
    ["", null],
  ];
  for (const [text, place] of places) assert.deepEqual(parseAlertPlace(text), place, text);
});
