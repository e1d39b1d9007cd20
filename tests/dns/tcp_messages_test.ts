import assert from "node:assert/strict";
import fc from "fast-check";
import { TcpMessages, type TcpMessagesOptions } from "../../src/dns/tcp_messages.ts";
import { bytes } from "../packets.ts";
import { address, response, withLength } from "./dns_messages.ts";

const FIRST = response("one.example", [address("one.example", "192.0.2.1")]);
const SECOND = response("two.example", [address("two.example", "192.0.2.2")]);

/** Segments of one stream, and the messages that came out of them. */
class Stream {
  readonly tcp: TcpMessages;
  readonly messages: Uint8Array[] = [];
  cut = 0;

  constructor(options: TcpMessagesOptions = {}) {
    this.tcp = new TcpMessages({ ...options, onCut: () => this.cut++ });
  }

  /** @param missing Bytes of the payload, at its end, that were not captured. */
  take(sequence: number, payload: Uint8Array, stream = "stream", missing = 0): boolean {
    const captured = payload.slice(0, payload.length - missing);
    // Within other bytes, so that a read outside of the segment would find something.
    const around = bytes(0xff, 0xff, captured, 0xff, 0xff);
    const end = 2 + captured.length;
    return this.tcp.take(stream, sequence, around, 2, end, missing, (from, start, end) => {
      this.messages.push(from.slice(start, end));
    });
  }
}

Deno.test("TcpMessages gives all messages of a segment", () => {
  const stream = new Stream();
  assert.ok(stream.take(1, bytes(withLength(FIRST), withLength(SECOND))));
  assert.deepEqual(stream.messages, [FIRST, SECOND]);
  assert.equal(stream.tcp.partials, 0);
});

Deno.test("TcpMessages puts messages together wherever segments are cut", () => {
  const whole = bytes(withLength(FIRST), withLength(SECOND), withLength(FIRST));
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: whole.length - 1 }), { maxLength: 12 }),
      fc.integer({ min: 0, max: 0xffff_ffff }),
      (cuts, start) => {
        const stream = new Stream();
        const ends = [...cuts.sort((a, b) => a - b), whole.length];
        let from = 0;
        for (const to of ends) {
          // Sequence numbers wrap.
          assert.ok(stream.take((start + from) >>> 0, whole.slice(from, to)));
          from = to;
        }
        assert.deepEqual(stream.messages, [FIRST, SECOND, FIRST]);
        assert.equal(stream.tcp.partials, 0);
        assert.equal(stream.tcp.bytes, 0);
      },
    ),
  );
});

Deno.test("TcpMessages goes past what is sent again", () => {
  const whole = withLength(FIRST);
  const stream = new Stream();
  stream.take(100, whole.slice(0, 20));
  stream.take(100, whole.slice(0, 20));
  stream.take(110, whole.slice(10));
  assert.deepEqual(stream.messages, [FIRST]);
});

Deno.test("TcpMessages gives a message up where a segment is missing, and begins again", () => {
  const whole = withLength(FIRST);
  const stream = new Stream();
  stream.take(1, whole.slice(0, 10));
  assert.ok(!stream.take(31, whole.slice(30)), "the rest of it can't be made use of");
  assert.equal(stream.tcp.partials, 0);
  assert.ok(stream.take(1 + whole.length, withLength(SECOND)));
  assert.deepEqual(stream.messages, [SECOND]);
});

Deno.test("TcpMessages makes nothing of what is no response", () => {
  const stream = new Stream();
  for (const noise of [bytes(0, 5, 1, 2, 3), bytes("GET / HTTP/1.1"), new Uint8Array(100)]) {
    assert.ok(!stream.take(1, noise));
  }
  assert.deepEqual(stream.messages, []);
});

Deno.test("TcpMessages keeps no more streams and bytes than it may: the oldest make room", () => {
  const begin = bytes(0x10, 0, FIRST.slice(0, 20));
  const byStreams = new Stream({ maxStreams: 3 });
  const byBytes = new Stream({ maxBytes: 3 * (0x1000 + 2) });
  for (const bounded of [byStreams, byBytes]) {
    for (let i = 0; i < 100; i++) bounded.take(1, begin, `stream ${i}`);
    assert.equal(bounded.tcp.partials, 3);
    assert.equal(bounded.tcp.bytes, 3 * (0x1000 + 2));
    for (let i = 0; i < 100; i++) bounded.tcp.forget(`stream ${i}`);
    assert.equal(bounded.tcp.bytes, 0);
  }
});

Deno.test("TcpMessages takes a keep-alive probe for nothing new, whatever its byte is", () => {
  const first = withLength(FIRST);
  const next = 1 + first.length;
  for (const start of [1, 0x1_0000_0000 - first.length, 0xffff_ffff]) {
    for (const probe of [bytes(0), bytes("A"), first.slice(-1), bytes()]) {
      const stream = new Stream();
      const at = (offset: number) => (start + offset) >>> 0;
      assert.ok(stream.take(start, first));
      for (let i = 0; i < 3; i++) assert.ok(stream.take(at(first.length - 1), probe));
      assert.ok(stream.take(at(first.length), withLength(SECOND)));
      assert.deepEqual(stream.messages, [FIRST, SECOND], `${start}, byte ${probe}`);
      assert.equal(stream.cut, 0);
    }
  }
  // Of a connection that was met in the middle nobody knows that the byte is old.
  for (const probe of [bytes(0), bytes("A")]) {
    const stream = new Stream();
    assert.ok(stream.take(next - 1, probe));
    assert.ok(stream.take(next, bytes(withLength(SECOND), first)));
    assert.deepEqual(stream.messages, [SECOND, FIRST]);
    assert.equal(stream.cut, 0);
  }
});

Deno.test("TcpMessages takes what goes far back for another connection with the same ports", () => {
  const stream = new Stream();
  stream.take(0x7000_0000, withLength(FIRST));
  assert.ok(stream.take(0x1000_0000, withLength(SECOND)));
  assert.deepEqual(stream.messages, [FIRST, SECOND]);
});

Deno.test("TcpMessages reads what was captured of a segment, and says that the rest is cut", () => {
  const whole = bytes(withLength(FIRST), withLength(SECOND), withLength(FIRST));
  for (let missing = 1; missing < whole.length; missing++) {
    const stream = new Stream();
    assert.ok(stream.take(1, whole, "stream", missing));
    const captured = whole.length - missing;
    const ends = [withLength(FIRST).length, withLength(FIRST).length + withLength(SECOND).length];
    assert.equal(stream.messages.length, ends.filter((end) => end <= captured).length);
    assert.equal(stream.cut, 1);
    assert.equal(stream.tcp.bytes, 0);
    assert.ok(stream.take(1 + whole.length, withLength(SECOND)));
    assert.deepEqual(stream.messages.at(-1), SECOND);
    assert.equal(stream.cut, 1);
  }
});

Deno.test("TcpMessages says of each message that it gives up that it is cut", () => {
  const begin = withLength(FIRST).slice(0, 20);
  const stream = new Stream({ maxStreams: 2 });
  for (const name of ["ended", "gap", "oldest", "third"]) {
    stream.take(1, begin, name);
    if (name === "ended") stream.tcp.forget(name);
    if (name === "gap") stream.take(100, withLength(SECOND), name);
  }
  assert.equal(stream.cut, 2);
  stream.take(1, begin, "fourth");
  assert.equal(stream.cut, 3);
  assert.deepEqual(stream.messages, [SECOND]);
});

Deno.test("TcpMessages knows no more streams than it may of which all was read", () => {
  const stream = new Stream({ maxStreams: 4 });
  for (let i = 0; i < 1000; i++) stream.take(1, withLength(FIRST), `stream ${i}`);
  assert.ok(stream.tcp.inStep <= 4 * 16, `${stream.tcp.inStep} streams`);
  const known = stream.tcp.inStep;
  for (let i = 0; i < 1000; i++) stream.take(1, withLength(FIRST), "one stream");
  assert.equal(stream.tcp.inStep, known + 1);
});
