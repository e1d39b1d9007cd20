import assert from "node:assert/strict";
import { payloadRole } from "../../src/payload/payload_role.ts";
import { FROM_CLIENT, FROM_SERVER } from "../../src/payload/sign.ts";
import { TCP_SIGNS } from "../../src/payload/tcp_signs.ts";
import { UDP_SIGNS } from "../../src/payload/udp_signs.ts";
import { SeededRandom } from "../seeded_random.ts";
import { type Message, MESSAGES } from "./messages.ts";

const PROTOCOLS = { tcp: 6, udp: 17 };
const MUTATIONS = 20_000;
/** Bytes before a payload; there are none after it, so that reading on is an error. */
const BEFORE = 7;

/** What a payload says; throws if a sign reads on after its end. */
function roleOf(
  { transport, port }: Message,
  payload: Uint8Array,
  isFirst: boolean,
): Message["from"] {
  const view = new DataView(new ArrayBuffer(BEFORE + payload.length));
  new Uint8Array(view.buffer).set(payload, BEFORE);
  const role = payloadRole(PROTOCOLS[transport], view, BEFORE, view.byteLength, port, isFirst);
  return role === FROM_CLIENT ? "client" : role === FROM_SERVER ? "server" : "nobody";
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
        assert.equal(roleOf(it, it.payload, true), it.from, text);
        const later = it.onlyFirst ? "nobody" : it.from;
        assert.equal(roleOf(it, it.payload, false), later, `later: ${text}`);
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
      for (const isFirst of [true, false]) {
        const role = roleOf(it, it.payload.subarray(0, length), isFirst);
        if (it.from === "nobody") continue;
        assert.ok(
          role === "nobody" || role === it.from,
          `${it.protocol} cut at ${length}: ${role}`,
        );
      }
    }
  }
});

Deno.test("no payload makes a sign read beyond it, or say less as the first one", () => {
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
      const first = roleOf(it, payload, true);
      const later = roleOf(it, payload, false);
      assert.ok(first !== "nobody" || later === "nobody", "says less as the first one");
    } catch (error) {
      assert.fail(
        `FLOSENSOR_TEST_SEED=${random.seed}: ${message.protocol} ${payload.toHex()}: ${error}`,
      );
    }
  }
});
