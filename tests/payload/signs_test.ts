import assert from "node:assert/strict";
import { payloadRole } from "../../src/payload/payload_role.ts";
import {
  ANNOUNCES,
  FIRST,
  FROM_CLIENT,
  FROM_SERVER,
  LATER,
  REPLY,
} from "../../src/payload/sign.ts";
import { TCP_SIGNS } from "../../src/payload/tcp_signs.ts";
import { UDP_SIGNS } from "../../src/payload/udp_signs.ts";
import { SeededRandom } from "../seeded_random.ts";
import { type Message, MESSAGES } from "./messages.ts";

const PROTOCOLS = { tcp: 6, udp: 17 };
const ORDERS = [FIRST, REPLY, LATER];
const CLIENT_PORT = 50_000;
const MUTATIONS = 20_000;
/** Bytes before a payload; there are none after it, so that reading on is an error. */
const BEFORE = 7;

/** What a payload says; throws if a sign reads on after its end. */
function roleOf(
  { transport, port, from, clientPort = CLIENT_PORT }: Message,
  payload: Uint8Array,
  order: number,
): Message["from"] {
  const view = new DataView(new ArrayBuffer(BEFORE + payload.length));
  new Uint8Array(view.buffer).set(payload, BEFORE);
  const [source, destination] = from === "server" ? [port, clientPort] : [clientPort, port];
  const protocol = PROTOCOLS[transport];
  const role = payloadRole(protocol, view, BEFORE, view.byteLength, source, destination, order) &
    ~ANNOUNCES;
  return role === FROM_CLIENT ? "client" : role === FROM_SERVER ? "server" : "nobody";
}

/** Tells the message that is the same as another one of a conversation, and says this. */
function isSame(message: Message, order: number, from: string): (other: Message) => boolean {
  return (other) =>
    other.order === order && other.from === from &&
    other.payload.toHex() === message.payload.toHex();
}

for (const transport of ["tcp", "udp"] as const) {
  const signs = transport === "tcp" ? TCP_SIGNS : UDP_SIGNS;
  const messages = MESSAGES.filter((it) => it.transport === transport);

  for (const { protocol } of signs) {
    Deno.test(`payloads over ${transport.toUpperCase()}: ${protocol}`, () => {
      const own = messages.filter((it) => it.protocol === protocol);
      assert.ok(own.some(({ from }) => from !== "nobody"), "no message");
      for (const it of own) {
        const text = new TextDecoder().decode(it.payload.subarray(0, 24));
        for (const order of ORDERS) {
          const expected = it.order === undefined || it.order === order ? it.from : undefined;
          const role = roleOf(it, it.payload, order);
          if (expected !== undefined) assert.equal(role, expected, `${order}: ${text}`);
          // What says something else as another one is there as that.
          else {assert.ok(
              role === "nobody" || own.some(isSame(it, order, role)),
              `${order}: ${text}`,
            );}
        }
      }
    });
  }

  Deno.test(`no message over ${transport.toUpperCase()} is of a protocol without a sign`, () => {
    const names = new Set(signs.map(({ protocol }) => protocol));
    for (const { protocol } of messages) assert.ok(names.has(protocol), protocol);
  });
}

Deno.test("payloads that are cut at any byte are read up to there, and never mean the opposite", () => {
  for (const it of MESSAGES) {
    for (let length = 0; length < it.payload.length; length++) {
      for (const order of ORDERS) {
        const role = roleOf(it, it.payload.subarray(0, length), order);
        if (it.from === "nobody" || (it.order ?? order) !== order) continue;
        assert.ok(
          role === "nobody" || role === it.from,
          `${it.protocol} cut at ${length}: ${role}`,
        );
      }
    }
  }
});

Deno.test("no payload makes a sign read beyond it", () => {
  const random = new SeededRandom();
  for (let i = 0; i < MUTATIONS; i++) {
    const message = random.of(MESSAGES);
    const length = Math.min(message.payload.length, 1 + random.below(80));
    const payload = message.payload.slice(0, length);
    for (let changes = random.below(4); changes >= 0; changes--) {
      payload[random.below(length)] = random.of([random.below(256), 0, 0xff, 0x80, 0x7f]);
    }
    const transport = random.of(["tcp", "udp"] as const);
    const port = random.of([message.port, 53, 88, 123, 139, 443, 500, 4500, 1194]);
    try {
      const it = { ...message, transport, port };
      for (const order of ORDERS) roleOf(it, payload, order);
    } catch (error) {
      assert.fail(
        `FLOSENSOR_TEST_SEED=${random.seed}: ${message.protocol} ${payload.toHex()}: ${error}`,
      );
    }
  }
});
