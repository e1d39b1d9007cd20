import assert from "node:assert/strict";
import fc from "fast-check";
import { aligned } from "../src/cli/aligned.ts";
import { LineLog, LOG_LEVELS } from "../src/log.ts";
import { printable, printableLines } from "../src/printable.ts";
import { FlowTable } from "../src/sink/flow_table.ts";
import { FlowTableSink } from "../src/sink/flow_table_sink.ts";
import type { FlowNames } from "../src/sink/flow_names.ts";
import { JsonSink } from "../src/sink/json_sink.ts";
import { renderFlowTable } from "../src/sink/render_flow_table.ts";
import { textTable } from "../src/sink/text_table.ts";
import { LiveView } from "../src/screen/live_view.ts";
import { assertPrintable, hostileText } from "./hostile_text.ts";
import { observations } from "./observations.ts";

/** Keeps what was written. */
class MemoryWriter {
  text = "";
  readonly #decoder = new TextDecoder();

  write(bytes: Uint8Array): Promise<number> {
    this.text += this.#decoder.decode(bytes, { stream: true });
    return Promise.resolve(bytes.length);
  }
}

Deno.test("printable() writes what terminals obey as JSON does", () => {
  assert.equal(printable("a\x1b[31mb"), "a\\u001b[31mb");
  assert.equal(printable("\x9b\x7f\x00\r\n\t"), "\\u009b\\u007f\\u0000\\u000d\\u000a\\u0009");
  assert.equal(printable("\u202etxt.exe\u2069"), "\\u202etxt.exe\\u2069");
  assert.equal(printable("\u2028\u200b\ufeff"), "\\u2028\\u200b\\ufeff");
  assert.equal(printable("\ud800 \u{e0041}"), "\\ud800 \\udb40\\udc41");
});

Deno.test("printable() leaves all other text, of every script, as it is", () => {
  for (const text of ["", "eth0: ~!\\", "Müller Ελλάδα Привет 東京 العربية עברית हिन्दी 😀 é"]) {
    assert.equal(printable(text), text);
  }
});

Deno.test("printable() leaves nothing that a terminal obeys, and does not change its own output", () => {
  fc.assert(fc.property(hostileText, (text) => {
    const safe = printable(text);
    assertPrintable(safe);
    assert.ok(!safe.includes("\n"));
    assert.equal(printable(safe), safe);
    const lines = printableLines(text);
    assertPrintable(lines);
    assert.equal(lines.split("\n").length, text.split("\n").length);
  }));
});

Deno.test("printable() leaves JSON the same JSON", () => {
  fc.assert(fc.property(fc.dictionary(hostileText, hostileText), (value) => {
    const json = JSON.stringify(value);
    assert.deepEqual(JSON.parse(printable(json)), JSON.parse(json));
  }));
});

Deno.test("LineLog writes one printable line for a message, whatever is in it", () => {
  fc.assert(fc.property(fc.constantFrom(...LOG_LEVELS), hostileText, (level, message) => {
    let written = "";
    new LineLog("debug", (line) => written += line)[level](message);
    assertPrintable(written);
    const lines = written.split("\n");
    assert.equal(lines.pop(), "");
    const label = { debug: "debug: ", info: "", warn: "warning: ", error: "error: " }[level];
    assert.ok(lines[0].startsWith(`flosensor: ${label}`), lines[0]);
    // Those of a stack trace, which nobody can take for messages.
    const more = lines.slice(1);
    assert.ok(
      level === "debug" ? more.every((line) => line.startsWith("    ")) : more.length === 0,
    );
  }));
});

Deno.test("LineLog cuts what is long, and is not held up by it", () => {
  for (const part of ["a", "a.", "a://", "data:a/a;base64,", "\u202e", "\n "]) {
    let written = "";
    new LineLog("info", (line) => written += line).error(part.repeat(1_000_000));
    assert.ok(written.length < 8_192 * 6 + 100);
    assert.ok(written.endsWith("…\n"));
  }
});

Deno.test("LineLog shows no login of a URL, whoever wrote it there", () => {
  const shown = (message: string) => {
    let written = "";
    new LineLog("info", (line) => written += line).info(message);
    return written;
  };
  assert.equal(
    shown("TypeError: Invalid URL: 'a://b:c@d@h:x'"),
    "flosensor: TypeError: Invalid URL: 'a://***@h:x'\n",
  );
  assert.equal(shown("at redis://me:***@h: x@y"), "flosensor: at redis://me:***@h: x@y\n");
});

Deno.test("LineLog shows nothing of the text of a module that is one", () => {
  let written = "";
  const secret = btoa('export default { redis: "redis://:secret@host" }');
  new LineLog("info", (line) => written += line)
    .error(`TypeError: at data:text/javascript;base64,${secret}:1:2`);
  assert.equal(written, "flosensor: error: TypeError: at data:…:1:2\n");
});

Deno.test("JsonSink writes printable lines that are the JSON that was meant", async () => {
  await fc.assert(fc.asyncProperty(hostileText, hostileText, async (key, name) => {
    const output = new MemoryWriter();
    const sink = new JsonSink({ mode: "replay", output, names: namesOf(name) });
    sink.writeNames([{ key, name }], 0);
    sink.writeLine({ identity: name });
    sink.write(FLOW);
    await sink.close();
    assertPrintable(output.text);
    const lines = output.text.trimEnd().split("\n").map((line) => JSON.parse(line));
    const wellFormed = JSON.parse(JSON.stringify({ key, name }));
    assert.deepEqual({ key: lines[0].key, name: lines[0].name }, wellFormed);
    assert.deepEqual(lines[1], { identity: wellFormed.name });
    assert.equal(lines[2].name ?? "", wellFormed.name);
  }));
});

Deno.test("tables are printable, whatever the names in them", async () => {
  await fc.assert(fc.asyncProperty(hostileText, async (name) => {
    const table = new FlowTable(100, namesOf(name));
    table.add(FLOW);
    const lines = renderFlowTable(table, 80);
    for (const line of lines) assertOneLine(line);
    const columns = [{ title: "A" }, { title: "B" }, { title: "C" }];
    for (const line of textTable(columns, [["a", "b", name]], 40)) assertOneLine(line);
    for (const line of aligned([["a", name], [name, "b"]])) assertOneLine(line);
    const view = new LiveView({
      hasColour: false,
      isLocal: () => false,
      dnsKinds: () => null,
      quit: () => {},
    });
    view.takeKey({ sequence: "/", ctrl: false, meta: false, shift: false });
    view.takeKey({ sequence: name, ctrl: false, meta: false, shift: false });
    const status = { sources: [name], packetsPerSecond: 0, dropped: 0, pending: 0, leftOut: 0 };
    for (const line of view.lines(table, status, [], { columns: 80, rows: 24 }, 0)) {
      // deno-lint-ignore no-control-regex
      assertOneLine(line.replaceAll(/\x1b\[\d+m/g, ""));
    }
    const output = new MemoryWriter();
    const sink = new FlowTableSink({
      isLive: false,
      columns: () => 80,
      names: namesOf(name),
      output,
    });
    sink.write(FLOW);
    await sink.close();
    assertPrintable(output.text);
  }));
});

const FLOW = observations({
  kind: "flow",
  a: "10.0.0.1",
  b: "10.0.0.2",
  port: 80,
  by: "assign",
  protocol: 6,
});

/** Names as no decoder of ours would make them. */
function namesOf(name: string): FlowNames {
  const names = [{ name, from: "lookup" } as const];
  return {
    isEmpty: false,
    find: () => name,
    of: () => ({ names, isExplained: true, why: null, applicationProtocols: [] }),
  };
}

function assertOneLine(line: string): void {
  assertPrintable(line);
  assert.ok(!line.includes("\n"), line);
}
