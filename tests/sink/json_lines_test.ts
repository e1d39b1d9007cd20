import assert from "node:assert/strict";
import fc from "fast-check";
import { TimeOrigin } from "../../src/capture/time_origin.ts";
import { addressText } from "../../src/model/address_text.ts";
import { communityId } from "../../src/model/community_id.ts";
import { STATE_NAMES } from "../../src/model/conversation_states.ts";
import {
  IPV6_BIT,
  KIND_CLIENT,
  KIND_FLOW,
  KIND_ICMP,
  KIND_PEER,
  KIND_RST,
  OBSERVATION_WORDS,
  ObservationBatch,
  WORD_A,
  WORD_ABOUT,
  WORD_B,
  WORD_KIND,
  WORD_PORTS,
  WORD_SECONDS,
  WORD_TUNNEL,
} from "../../src/model/observation_batch.ts";
import { REASON_NAMES } from "../../src/model/reason.ts";
import {
  IS_OVER,
  RECORD_CLIENT,
  RECORD_HEAD,
  RECORD_ID,
  RECORD_LINK,
  RECORD_MILLISECONDS,
  RECORD_OCTETS,
  RECORD_PACKETS,
  RECORD_PROTOCOL_SHIFT,
  RECORD_REASON_SHIFT,
  RECORD_SERVER,
  RECORD_TUNNEL,
  RECORD_WORDS,
  RecordBatch,
} from "../../src/model/record_batch.ts";
import { TUNNEL_NAMES, tunnelText } from "../../src/model/tunnel_names.ts";
import { JsonLines } from "../../src/sink/json_lines.ts";
import { keyText } from "../../src/sink/keys.ts";
import { recordOf } from "../../src/sink/record_of.ts";
import { jsonLinesOf } from "../json_lines_of.ts";

/** Small examples of so many lines take minutes to be found. */
const END = { endOnFailure: true };

/** An address: any of IPv4, or one of IPv6 with zeros here and there. */
const ADDRESS4 = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((word) => [0, 0, 0, word]);
const GROUP = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
const ADDRESS6 = fc.tuple(GROUP, GROUP, GROUP, GROUP, GROUP, GROUP, GROUP, GROUP)
  .map((groups) => [0, 2, 4, 6].map((i) => ((groups[i] << 16) | groups[i + 1]) >>> 0));
const WORD = fc.oneof(
  ...[10, 100, 1e4, 1e9, 2 ** 32].map((end) => fc.integer({ min: 0, max: end - 1 })),
  fc.constantFrom(0, 9, 99, 999_999_999, 4_294_967_295),
);

function batchOf(all: readonly number[][]): ObservationBatch {
  const batch = new ObservationBatch(all.length, Uint32Array.from(all.flat()));
  batch.count = all.length;
  return batch;
}

function recordsOf(all: readonly number[][]): RecordBatch {
  const batch = new RecordBatch(Uint32Array.from(all.flat()));
  batch.count = all.length;
  return batch;
}

const OBSERVATION = fc.boolean().chain((isIpv6) =>
  fc.record({
    isIpv6: fc.constant(isIpv6),
    a: isIpv6 ? ADDRESS6 : ADDRESS4,
    b: isIpv6 ? ADDRESS6 : ADDRESS4,
    kind: fc.constantFrom(KIND_CLIENT, KIND_FLOW, KIND_PEER, KIND_RST, KIND_ICMP),
    ports: WORD,
    code: fc.integer({ min: 0, max: 255 }),
    protocol: fc.constantFrom(6, 17, 132),
    reason: fc.nat(REASON_NAMES.length - 1),
    tunnel: fc.nat(TUNNEL_NAMES.length - 1),
    tunnelId: WORD,
    second: WORD,
  })
).map(({ isIpv6, a, b, ...it }) => {
  const words: number[] = new Array(OBSERVATION_WORDS).fill(0);
  words[WORD_KIND] = it.kind | (isIpv6 ? IPV6_BIT : 0) | (it.code << 16);
  words.splice(WORD_A, 4, ...a);
  words.splice(WORD_B, 4, ...b);
  words[WORD_PORTS] = it.kind === KIND_FLOW ? it.ports & 0xffff : it.ports;
  words[WORD_ABOUT] = it.reason | (it.protocol << 8) | (it.tunnel << 16);
  words[WORD_SECONDS] = it.second;
  words[WORD_TUNNEL] = it.tunnelId;
  return words;
});

Deno.test("JsonLines has the keys, addresses, times and tunnels of observations as the others write them", () => {
  const json = new JsonLines();
  fc.assert(
    fc.property(fc.array(OBSERVATION, { minLength: 1, maxLength: 600, size: "max" }), (all) => {
      const batch = batchOf(all);
      const lines = jsonLinesOf(json, () => assert.equal(json.observations(batch), all.length));
      assert.equal(lines.length, all.length);
      lines.forEach((line, i) => {
        const { words } = batch;
        const at = i * OBSERVATION_WORDS;
        const isIpv6 = (words[at + WORD_KIND] & IPV6_BIT) !== 0;
        const kind = words[at + WORD_KIND] & 0xff;
        const event = JSON.parse(line);
        assert.equal(event.key, keyText(words, at));
        assert.equal(event.time, new Date(words[at + WORD_SECONDS] * 1000).toISOString());
        assert.equal(event.client ?? event.address, addressText(words, at + WORD_A, isIpv6));
        const b = kind === KIND_CLIENT ? undefined : addressText(words, at + WORD_B, isIpv6);
        assert.equal(event.server ?? event.peer, b);
        assert.equal(event.code, kind === KIND_ICMP ? (words[at] >>> 16) & 0xff : undefined);
        if (kind !== KIND_FLOW) return;
        assert.equal(event.by, REASON_NAMES[words[at + WORD_ABOUT] & 0xff]);
        const tunnel = tunnelText(words[at + WORD_ABOUT] >>> 16, words[at + WORD_TUNNEL]);
        assert.equal(event.tunnel, tunnel ?? undefined);
      });
    }),
    END,
  );
});

const RECORD = fc.tuple(
  fc.array(WORD, { minLength: RECORD_WORDS, maxLength: RECORD_WORDS }),
  fc.boolean().chain((isIpv6) =>
    fc.tuple(fc.constant(isIpv6), ...[0, 1].map(() => isIpv6 ? ADDRESS6 : ADDRESS4))
  ),
  fc.nat(STATE_NAMES.length - 1),
  fc.nat(REASON_NAMES.length - 1),
  fc.constantFrom(6, 17),
  fc.array(fc.integer({ min: 0, max: 2 ** 21 - 1 }), { minLength: 5, maxLength: 5 }),
).map(([words, [isIpv6, client, server], state, reason, protocol, upper]) => {
  words[RECORD_HEAD] = (state | (isIpv6 ? IPV6_BIT : 0) | IS_OVER |
    (protocol << RECORD_PROTOCOL_SHIFT) | (reason << RECORD_REASON_SHIFT)) >>> 0;
  words.splice(RECORD_CLIENT, 4, ...client as number[]);
  words.splice(RECORD_SERVER, 4, ...server as number[]);
  // Numbers of two words are exact up to 2^53.
  const wide = [RECORD_ID, RECORD_PACKETS, RECORD_PACKETS + 2, RECORD_OCTETS, RECORD_OCTETS + 2];
  wide.forEach((at, i) => words[at + 1] = i === 0 ? upper[i] | 1 : upper[i]);
  words[RECORD_LINK] %= 1 << 18;
  // Of 1000 milliseconds; and no tunnel that there is not.
  words[RECORD_MILLISECONDS] = (words[RECORD_MILLISECONDS] & 0xffff) % 1000 |
    (((words[RECORD_MILLISECONDS] >>> 16) % 1000) << 16);
  words[RECORD_TUNNEL] %= TUNNEL_NAMES.length;
  return words;
});

Deno.test("JsonLines has of conversations that are over what a record in words has", () => {
  const origin = TimeOrigin.of(-86_400 * 365);
  const options = { interfaces: ["eth0", 'a"\u202e\n', "ü"], origin };
  const json = new JsonLines(options);
  fc.assert(
    fc.property(fc.array(RECORD, { minLength: 1, maxLength: 300, size: "max" }), (all) => {
      const batch = recordsOf(all);
      const lines = jsonLinesOf(json, () => assert.equal(json.ends(batch), 0));
      assert.equal(lines.length, all.length);
      lines.forEach((line, i) => {
        const record = recordOf(batch.words, i * RECORD_WORDS, options);
        const event = JSON.parse(line);
        const time = (milliseconds: number) => new Date(milliseconds).toISOString();
        assert.deepEqual(event, {
          ...{ type: "end", time: time(record.last), count: 0 },
          key: `${record.client};${record.server};${record.port};end`,
          ...{ client: record.client, client_port: record.clientPort },
          ...{ server: record.server, port: record.port, protocol: record.protocol },
          ...{ by: record.by, id: record.id, state: record.state },
          ...{ community_id: communityId(record) },
          ...{ packets: record.packets, bytes: record.bytes, flags: record.flags },
          ...{ first: time(record.first), last: time(record.last) },
          ...(record.interface === null ? {} : { interface: record.interface }),
          ...(record.vlan === null ? {} : { vlan: record.vlan }),
          ...(record.tunnel === null ? {} : { tunnel: record.tunnel }),
        });
      });
    }),
    END,
  );
});

Deno.test("JsonLines writes lines that are longer than all that it gathers", () => {
  const name = "ü".repeat(70_000);
  const json = new JsonLines({ interfaces: [name], sensor: "north" });
  const [record] = fc.sample(RECORD, { seed: 1, numRuns: 1 });
  record[RECORD_LINK] = 1 << 16;
  const lines = jsonLinesOf(json, () => {
    json.ends(recordsOf(new Array(10).fill(record)));
    json.value({ text: name });
  });
  assert.equal(lines.length, 11);
  for (const line of lines) {
    const event = JSON.parse(line);
    assert.equal(event.interface ?? event.text, name);
    assert.equal(event.sensor, "north");
  }
});

Deno.test("JsonLines stops where there is no room, and says how far it got", () => {
  const json = new JsonLines();
  const all = batchOf(new Array(1000).fill(fc.sample(OBSERVATION, { seed: 1, numRuns: 1 })[0]));
  let room = 700;
  const lines = jsonLinesOf(json, () => {
    assert.equal(json.observations(all, () => room-- === 0), 700);
  });
  assert.equal(lines.length, 700);
});
