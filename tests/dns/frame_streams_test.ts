import assert from "node:assert/strict";
import fc from "fast-check";
import {
  FrameRoom,
  frames,
  type FrameStreamConnection,
  FrameStreamError,
  type FrameStreamOptions,
} from "../../src/dns/frame_streams.ts";
import { bytes, u32 } from "../packets.ts";
import { SeededRandom } from "../seeded_random.ts";
import {
  ACCEPT,
  CONTENT_TYPE,
  control,
  FINISH,
  frame,
  READY,
  START,
  STOP,
  stream,
} from "./frame_writer.ts";

/** A connection over which chunks come, and then its end, or silence. */
class TestConnection implements FrameStreamConnection {
  readonly written: number[] = [];
  readonly #chunks: Uint8Array[];
  readonly #isSilent: boolean;
  readonly #end = Promise.withResolvers<null>();

  constructor(chunks: readonly Uint8Array[], isSilent = false) {
    this.#chunks = chunks.filter((chunk) => chunk.length > 0);
    this.#isSilent = isSilent;
  }

  read(into: Uint8Array): Promise<number | null> {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return this.#isSilent ? this.#end.promise : Promise.resolve(null);
    const count = Math.min(chunk.length, into.length);
    into.set(chunk.subarray(0, count));
    if (count < chunk.length) this.#chunks.unshift(chunk.subarray(count));
    return Promise.resolve(count);
  }

  /** Ends the silence. */
  end(): void {
    this.#end.resolve(null);
  }

  write(from: Uint8Array): Promise<number> {
    // A few at a time, as a full socket takes them.
    const count = Math.min(from.length, 5);
    this.written.push(...from.subarray(0, count));
    return Promise.resolve(count);
  }
}

async function framesOf(
  connection: FrameStreamConnection,
  options: FrameStreamOptions = {},
): Promise<string[]> {
  const found: string[] = [];
  for await (const payload of frames(connection, { contentType: CONTENT_TYPE, ...options })) {
    found.push(new TextDecoder().decode(payload));
  }
  return found;
}

async function refusal(sent: Uint8Array, isSilent = false): Promise<string> {
  try {
    const connection = new TestConnection([sent], isSilent);
    return `${(await framesOf(connection, { patience: 50 })).length} frames`;
  } catch (error) {
    assert.ok(error instanceof FrameStreamError, String(error));
    return error.message;
  }
}

Deno.test("frames() reads a unidirectional stream, however it is cut into pieces", async () => {
  const payloads = ["one", "", "x".repeat(100_000)].filter((payload) => payload !== "");
  const whole = stream(...payloads);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: whole.length }), { maxLength: 10 }),
      async (cuts) => {
        const ends = [...cuts.sort((a, b) => a - b), whole.length];
        const chunks = ends.map((end, i) => whole.subarray(ends[i - 1] ?? 0, end));
        const connection = new TestConnection(chunks);
        assert.deepEqual(await framesOf(connection), payloads);
        assert.deepEqual(connection.written, []);
      },
    ),
  );
});

Deno.test("frames() answers READY with ACCEPT and STOP with FINISH", async () => {
  const connection = new TestConnection([control(READY), stream("one")]);
  assert.deepEqual(await framesOf(connection), ["one"]);
  assert.deepEqual(connection.written, [...control(ACCEPT), ...control(FINISH, null)]);
});

Deno.test("frames() takes a stream that ends between frames without STOP", async () => {
  assert.deepEqual(await framesOf(new TestConnection([control(START), frame("one")])), ["one"]);
});

Deno.test("frames() takes a writer that names no content type, and any if none is wanted", async () => {
  const unnamed = bytes(control(START, null), frame("one"), control(STOP, null));
  assert.deepEqual(await framesOf(new TestConnection([unnamed])), ["one"]);
  const other = bytes(control(START, "text:other"), frame("one"), control(STOP, null));
  const options = { contentType: undefined };
  assert.deepEqual(await framesOf(new TestConnection([other]), options), ["one"]);
});

Deno.test("frames() refuses what is no stream, and says why", async () => {
  const begun = control(START);
  const cases: [Uint8Array, string][] = [
    [bytes("GET / HTTP/1.1\r\n"), "something else than a control frame before START"],
    [frame("one"), "something else than a control frame before START"],
    [control(STOP), "STOP before START"],
    [bytes(u32(0), u32(4), u32(77)), "control frame 77 before START"],
    [bytes(begun, begun), "START between frames"],
    [bytes(u32(0), u32(513)), "a control frame of 513 bytes, of at most 512"],
    [bytes(u32(0), u32(3), [0, 0, 2]), "a control frame without a type"],
    [bytes(u32(0), u32(9), u32(START), u32(1), 0), "a control frame with a cut field"],
    [bytes(u32(0), u32(12), u32(START), u32(2), u32(0)), "a control frame with an unknown field"],
    [bytes(u32(0), u32(13), u32(START), u32(1), u32(2), 65), "a content type too long"],
    [
      control(START, "text:other"),
      'START with content type "text:other" instead of "protobuf:dnstap.Dnstap"',
    ],
    [bytes(begun, u32(1_048_577)), "a frame of 1048577 bytes, of at most 1048576"],
    [bytes(begun, frame("one").slice(0, -1)), "a frame that is cut by the stream's end"],
    [begun.slice(0, -1), "a frame that is cut by the stream's end"],
  ];
  for (const [sent, message] of cases) assert.equal(await refusal(sent), message);
});

Deno.test("frames() waits for a silent writer between frames, and not within one", async () => {
  const begun = bytes(control(START), frame("one"));
  assert.equal(
    await refusal(bytes(begun, u32(9)), true),
    "a frame that is not whole after 50 ms",
  );
  assert.equal(await refusal(bytes(), true), "a frame that is not whole after 50 ms");
  const connection = new TestConnection([begun], true);
  const reader = frames(connection, { patience: 20 });
  assert.equal((await reader.next()).done, false);
  const pause = new Promise((resolve) => setTimeout(() => resolve("silence"), 200));
  const next = reader.next();
  assert.equal(await Promise.race([next, pause]), "silence");
  connection.end();
  assert.ok((await next).done);
});

Deno.test("frames() ends with an error of its own whatever it is sent", async () => {
  const random = new SeededRandom();
  for (let i = 0; i < 2_000; i++) {
    const sent = stream("one", "two", "three").slice(0, random.below(80));
    for (let changes = random.below(6); changes > 0 && sent.length > 0; changes--) {
      sent[random.below(sent.length)] = random.below(256);
    }
    await refusal(sent);
  }
});

Deno.test("frames() takes no more memory for the long frames of several streams than there is", async () => {
  const room = new FrameRoom(200_000);
  const long = "x".repeat(200_000);
  const begun = new TestConnection(
    [control(START), bytes(u32(200_000), "x")],
    true,
  );
  const first = framesOf(begun, { room });
  await new Promise((resolve) => setTimeout(resolve, 0));
  const read = () => framesOf(new TestConnection([stream("short", long, long)]), { room });
  await assert.rejects(read(), {
    name: "FrameStreamError",
    message: "there is no room for a frame of 200000 bytes beside the long ones of others",
  });
  begun.end();
  await assert.rejects(first, FrameStreamError);
  // What was taken is given back, whichever way a stream ended.
  for (let i = 0; i < 3; i++) assert.equal((await read()).length, 3);
});
