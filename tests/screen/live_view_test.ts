import assert from "node:assert/strict";
import fc from "fast-check";
import { FlowTable } from "../../src/sink/flow_table.ts";
import { widthOf } from "../../src/screen/cut_to_width.ts";
import { type LiveStatus, LiveView } from "../../src/screen/live_view.ts";
import { observations, type Observed } from "../observations.ts";

/** The local time that `2012-03-01 12:34:56` is, so that tests pass in every time zone. */
const NOON = new Date(2012, 2, 1, 12, 34, 56).getTime() / 1000;
const FLOW = { kind: "flow", by: "syn", protocol: 6, seconds: NOON } as const;
const STATUS: LiveStatus = {
  sources: ["eth0"],
  packetsPerSecond: 1_234.4,
  dropped: 0,
  pending: 0,
  leftOut: 0,
};
/** How text looks: ECMA-48, SGR. */
// deno-lint-ignore no-control-regex
const STYLE = /\x1b\[\d+m/g;

const SAMPLE: Observed[] = [
  { ...FLOW, a: "10.0.0.1", b: "192.0.2.1", port: 443 },
  { ...FLOW, a: "10.0.0.2", b: "192.0.2.1", port: 443, seconds: NOON + 1 },
  { ...FLOW, a: "10.0.0.1", b: "192.0.2.9", port: 5432, by: "lower-port", seconds: NOON + 2 },
  // The service's port is the second one.
  { kind: "rst", a: "10.0.0.3", b: "192.0.2.5", port: 50_000, otherPort: 25, seconds: NOON },
];

function tableOf(...observed: Observed[]): FlowTable {
  const table = new FlowTable();
  table.add(observations(...observed));
  return table;
}

/** A view of a table, as one sees it. */
class Seen {
  readonly table: FlowTable;
  readonly view: LiveView;
  quits = 0;
  log: [number, string][] = [];

  constructor(table: FlowTable, hasColour = false) {
    this.table = table;
    const isLocal = (address: string) => address === "192.0.2.9";
    this.view = new LiveView({
      hasColour,
      isLocal,
      dnsKinds: () => null,
      quit: () => this.quits++,
    });
  }

  press(...keys: string[]): this {
    for (const key of keys) {
      const [, modifiers, name] = /^((?:ctrl |shift |meta )*)(.+)$/.exec(key)!;
      this.view.takeKey({
        // What is no letter has no name.
        name: /^[a-z]/.test(name) ? name : undefined,
        sequence: name,
        ctrl: modifiers.includes("ctrl"),
        shift: modifiers.includes("shift"),
        meta: modifiers.includes("meta"),
      });
    }
    return this;
  }

  type(text: string): this {
    for (const sequence of text) {
      this.view.takeKey({ sequence, ctrl: false, shift: false, meta: false });
    }
    return this;
  }

  styled(columns = 100, rows = 16, status = STATUS): string[] {
    return this.view.lines(this.table, status, this.log, { columns, rows }, NOON);
  }

  lines(columns?: number, rows?: number, status?: LiveStatus): string[] {
    return this.styled(columns, rows, status).map((line) => line.replaceAll(STYLE, "").trimEnd());
  }

  /** Client and port of the rows that are seen, or server and port. */
  rows(rows?: number): string[] {
    return this.lines(100, rows).slice(3, -1).filter((it) => it !== "")
      .map((line) => line.split(/ {2,}/).filter((_, i) => i === 0 || i === 2).join(" "));
  }
}

Deno.test("LiveView shows the status, what there is, and the rows seen last first", () => {
  const seen = new Seen(tableOf(...SAMPLE));
  assert.deepEqual(seen.lines(100, 8), [
    " eth0   12:34:56   1,234 packets/s   0 dropped   queue 0",
    "[flows 3]  services 2   refused 1   sorted by last ↓",
    "CLIENT    SERVER         PORT  BY          FIRST     LAST",
    "10.0.0.1  192.0.2.9  5432/tcp  lower-port  12:34:58  12:34:58",
    "10.0.0.2  192.0.2.1   443/tcp  syn         12:34:57  12:34:57",
    "10.0.0.1  192.0.2.1   443/tcp  syn         12:34:56  12:34:56",
    "",
    "q quit  ? help  tab flows, services, refused  / filter  s sort  p pause",
  ]);
});

Deno.test("LiveView says what was dropped, what waits, and what had no room", () => {
  const status = { ...STATUS, packetsPerSecond: null, dropped: 1_500, pending: 12, leftOut: 7 };
  const seen = new Seen(tableOf());
  assert.equal(
    seen.lines(100, 8, status)[0],
    " eth0   12:34:56   – packets/s   1,500 dropped   queue 12   7 older rows left out",
  );
  // What was dropped stands out.
  assert.ok(seen.styled(100, 8, status)[0].includes("\x1b[1m\x1b[7m1,500 dropped"));
  assert.ok(
    new Seen(tableOf(), true).styled(100, 8, status)[0].includes("\x1b[31m\x1b[7m1,500 dropped"),
  );
});

Deno.test("LiveView: tab goes through flows, services and what was refused", () => {
  const seen = new Seen(tableOf(...SAMPLE));
  assert.deepEqual(seen.press("tab").lines(100, 7).slice(1, 5), [
    " flows 3  [services 2]  refused 1   sorted by last ↓",
    "SERVER     LATEST CLIENT      PORT  CLIENTS  FIRST     LAST      PACKETS  BYTES",
    "192.0.2.9  10.0.0.1       5432/tcp        1  12:34:58  12:34:58",
    "192.0.2.1  10.0.0.2        443/tcp        2  12:34:56  12:34:57",
  ]);
  assert.deepEqual(seen.press("tab").lines(100, 6).slice(1, 5), [
    " flows 3   services 2  [refused 1]  sorted by last ↓",
    "CLIENT    SERVER     PORT  WHY      FIRST     LAST",
    "10.0.0.3  192.0.2.5    25  refused  12:34:56  12:34:56",
    "",
  ]);
  assert.match(seen.press("tab").lines()[1], /^\[flows 3\]/);
  assert.match(seen.press("shift tab").lines()[1], /\[refused 1\]/);
});

Deno.test("LiveView sorts by the next column, and the other way round, each tab on its own", () => {
  const seen = new Seen(tableOf(...SAMPLE));
  assert.match(seen.press("s", "s").lines()[1], / sorted by client ↑/);
  assert.deepEqual(seen.rows(), ["10.0.0.1 443/tcp", "10.0.0.1 5432/tcp", "10.0.0.2 443/tcp"]);
  seen.press("r");
  assert.deepEqual(seen.rows(), ["10.0.0.2 443/tcp", "10.0.0.1 443/tcp", "10.0.0.1 5432/tcp"]);
  assert.match(seen.press("right").lines()[1], / sorted by server ↑/);
  assert.match(seen.press("left", "left", "left").lines()[1], / sorted by last ↓/);
  assert.match(seen.press("shift s").lines()[1], / sorted by name ↑/);
  assert.match(seen.press("tab").lines()[1], / sorted by last ↓/);
});

Deno.test("LiveView filters all tabs by the filter of the page, which is typed after /", () => {
  const seen = new Seen(tableOf(...SAMPLE));
  seen.press("/").type("port:443x");
  assert.equal(seen.lines().at(-1), "/port:443x");
  // Nothing is filtered until Enter.
  assert.match(seen.lines()[1], /^\[flows 3\]/);
  seen.press("backspace", "return");
  assert.deepEqual(seen.rows(), ["10.0.0.2 443/tcp", "10.0.0.1 443/tcp"]);
  assert.match(seen.lines()[1], /^\[flows 2\] {2}services 1 {3}refused 0 .* \/ port:443$/);
  // It is there to be changed.
  seen.press("/").type(" client:10.0.0.2").press("return");
  assert.deepEqual(seen.rows(), ["10.0.0.2 443/tcp"]);
  seen.press("/", "ctrl w").type("-local").press("escape");
  assert.deepEqual(seen.rows(), ["10.0.0.2 443/tcp"]);
  seen.press("/", "ctrl u").type("local").press("return");
  assert.deepEqual(seen.rows(), ["10.0.0.1 5432/tcp"]);
  seen.press("/", "ctrl u", "return");
  assert.match(seen.lines()[1], /^\[flows 3\]/);
});

Deno.test("LiveView says what is wrong with a filter, and has it corrected", () => {
  const seen = new Seen(tableOf(...SAMPLE));
  seen.press("/").type("port:http").press("return");
  assert.equal(
    seen.lines().at(-1),
    "port:http is no port; write port:443 or port:6000-6063",
  );
  // It looks like an address, and is none.
  seen.press("ctrl w").type("client:1:1").press("return");
  assert.match(seen.lines().at(-1)!, /^"1:1" is not an IPv4 or IPv6 prefix/);
  seen.press("ctrl w").type("klient:x").press("return");
  assert.match(seen.lines().at(-1)!, /^klient: is not known; .* and refused local /);
  seen.press("ctrl w").type("new").press("return");
  assert.equal(seen.lines().at(-1), "new is not known here; a store and its page know it");
  seen.press("backspace");
  assert.equal(seen.lines().at(-1), "/ne");
  // Escape with the next key soon after it.
  seen.press("meta tab");
  assert.match(seen.lines()[1], /^ flows 3 {2}\[services 2\]/);
  seen.press("tab", "tab", "/").type("nothing-like-it").press("return");
  assert.ok(seen.lines().includes("Nothing matches the filter."));
});

Deno.test("LiveView: p has rows stay as they are, which can be filtered and sorted, until p", () => {
  const table = tableOf(...SAMPLE);
  const seen = new Seen(table);
  seen.press("p");
  assert.match(seen.lines()[0], / PAUSED$/);
  table.add(observations({ ...FLOW, a: "10.0.0.9", b: "192.0.2.2", port: 22, seconds: NOON + 9 }));
  assert.equal(seen.rows().length, 3);
  seen.press("/").type("port:443").press("return", "s", "s");
  assert.deepEqual(seen.rows(), ["10.0.0.1 443/tcp", "10.0.0.2 443/tcp"]);
  seen.press("/", "ctrl u", "return", "p");
  assert.equal(seen.rows().length, 4);
  assert.ok(!seen.lines()[0].includes("PAUSED"));
});

Deno.test("LiveView scrolls by rows and pages, and no further than there is something", () => {
  const flows = Array.from({ length: 30 }, (_, i) => (
    { ...FLOW, a: "10.0.0.1", b: "192.0.2.1", port: 100 + i, seconds: NOON + i }
  ));
  const seen = new Seen(tableOf(...flows));
  const shown = () => seen.rows(14).map((row) => Number(/ (\d+)\/tcp/.exec(row)![1]));
  const from = (first: number) => Array.from({ length: 10 }, (_, i) => first - i);
  assert.deepEqual(shown(), from(129));
  assert.match(seen.lines(100, 14)[1], / 1 to 10$/);
  seen.press("down", "down");
  assert.deepEqual(shown(), from(127));
  seen.press("up", "pagedown");
  assert.deepEqual(shown(), from(118));
  seen.press("end");
  assert.deepEqual(shown(), from(109));
  assert.match(seen.lines(100, 14)[1], / 21 to 30$/);
  seen.press("pagedown", "pageup");
  assert.deepEqual(shown(), from(119));
  seen.press("home", "up");
  assert.deepEqual(shown(), from(129));
});

Deno.test("LiveView: ? says what keys do until the next key, q ends the program", () => {
  const seen = new Seen(tableOf(...SAMPLE));
  const help = seen.press("?").lines(100, 24).join("\n");
  for (const key of ["tab", "page keys", "s, ← →", "/ ", "p ", "q, Ctrl-C", "by:lower-port"]) {
    assert.ok(help.includes(key), key);
  }
  assert.deepEqual(seen.press("q").quits, 0);
  assert.equal(seen.rows().length, 3);
  assert.deepEqual(seen.press("q").quits, 1);
});

Deno.test("LiveView has the last lines of the log below the rows, as far as there is room", () => {
  const seen = new Seen(tableOf(...SAMPLE), true);
  seen.log = [
    [NOON, "flosensor: capturing on eth0\n"],
    [NOON + 1, "flosensor: warning: veth0 is down\n"],
    [NOON + 2, "flosensor: error: the configuration stays as it was\n"],
  ];
  assert.deepEqual(seen.lines(100, 12).slice(-3, -1), [
    "12:34:57 warning: veth0 is down",
    "12:34:58 error: the configuration stays as it was",
  ]);
  assert.ok(seen.styled(100, 12).at(-2)!.startsWith("\x1b[31m"));
  assert.deepEqual(seen.lines(100, 8).slice(-2, -1), [
    "12:34:58 error: the configuration stays as it was",
  ]);
  assert.ok(!seen.lines(100, 7).join("\n").includes("configuration"));
});

Deno.test("LiveView has colours only where they are wanted", () => {
  const looks = (hasColour: boolean) =>
    new Seen(tableOf(...SAMPLE), hasColour).styled().join("\n").match(STYLE)!;
  assert.ok(looks(true).includes("\x1b[33m"), "lower-port is doubtful");
  for (const style of looks(false)) assert.match(style.slice(2), /^[0127]m$/);
});

Deno.test("LiveView keeps within its room, whatever was seen and whatever is pressed", () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6().filter((it) => !it.includes(".")));
  const pair = fc.tuple(address, address).filter(([a, b]) => a.includes(":") === b.includes(":"));
  const observed = fc.record({
    ends: pair,
    kind: fc.constantFrom("flow", "rst", "icmp"),
    port: fc.nat(65535),
    seconds: fc.nat(2 ** 31),
  });
  const key = fc.constantFrom(
    ...["tab", "shift tab", "s", "r", "p", "?", "/", "a", "-", '"', "return", "escape"],
    ...["backspace", "up", "down", "pageup", "pagedown", "home", "end", "ctrl u", "meta x", "名"],
  );
  fc.assert(fc.property(
    fc.array(observed, { maxLength: 30 }),
    fc.array(key, { maxLength: 20 }),
    fc.integer({ min: 1, max: 150 }),
    fc.integer({ min: 1, max: 60 }),
    (all, keys, columns, rows) => {
      const table = tableOf(...all.map(({ ends: [a, b], kind, port, seconds }) => ({
        ...{ kind: kind as "flow", a, b, port, otherPort: port, seconds },
        ...{ by: "lower-port" as const, protocol: 17, code: 13 },
      })));
      const seen = new Seen(table);
      seen.log = [[0, "flosensor: warning: something\n"]];
      for (const it of keys) {
        seen.press(it);
        const lines = seen.lines(columns, rows);
        assert.equal(lines.length, rows);
        for (const line of lines) {
          assert.ok(widthOf(line) <= columns, `${columns}: ${widthOf(line)} ${line}`);
        }
      }
    },
  ));
});
