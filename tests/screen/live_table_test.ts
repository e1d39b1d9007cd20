import assert from "node:assert/strict";
import { FlowTable } from "../../src/sink/flow_table.ts";
import { DnsServices } from "../../src/names/encrypted_dns/dns_services.ts";
import { LiveTable } from "../../src/screen/live_table.ts";
import { observations } from "../observations.ts";
import { until } from "../namespaces.ts";

const ENTER_SCREEN = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE_SCREEN = "\x1b[?7h\x1b[?25h\x1b[?1049l";
const ROOM = { columns: 80, rows: 8 };

class MemoryWriter {
  text = "";

  write(bytes: Uint8Array): Promise<number> {
    this.text += new TextDecoder().decode(bytes);
    return Promise.resolve(bytes.length);
  }
}

function liveTable(output: MemoryWriter): LiveTable {
  return LiveTable.on({ sources: ["eth0"], quit: () => {}, terminal: () => ROOM, output })!;
}

Deno.test("LiveTable takes the second screen of the terminal, and gives it back", async () => {
  const output = new MemoryWriter();
  const live = liveTable(output);
  const table = new FlowTable();
  live.enter(table);
  assert.ok(live.isShown);
  await until(() => output.text.includes("flows 0"));
  assert.ok(output.text.startsWith(`${ENTER_SCREEN}\x1b[H\x1b[K`), output.text);
  const flow = { kind: "flow", a: "10.0.0.1", b: "10.0.0.2", port: 80, protocol: 6 } as const;
  table.add(observations(flow));
  await until(() => output.text.includes("flows 1"));
  // A picture has all lines of the screen, so that nothing of the one before stays.
  const pictures = output.text.split("\x1b[H");
  assert.equal(pictures.at(-1)!.split("\r\n").length, ROOM.rows);
  await live.leave();
  assert.ok(!live.isShown);
  assert.ok(output.text.endsWith(LEAVE_SCREEN));
});

Deno.test("LiveTable says how many packets came in a second, and what was dropped", async () => {
  const output = new MemoryWriter();
  const live = liveTable(output);
  let packets = 0;
  live.sensor = {
    figures: () => ({ packets: packets += 1_000, dropped: 7, pending: 3 }),
    ownNetworks: () => [],
    dnsKinds: new DnsServices(),
  };
  live.enter(new FlowTable());
  await until(() => /\d packets\/s/.test(output.text));
  assert.ok(output.text.includes("7 dropped"));
  assert.match(output.text, /queue 3/);
  await live.leave();
});

Deno.test("LiveTable gives the terminal back while the program is stopped", async () => {
  const output = new MemoryWriter();
  const live = liveTable(output);
  live.enter(new FlowTable());
  await until(() => output.text !== "");
  let stopped = "";
  live.leaveFor(() => stopped = output.text);
  assert.ok(stopped.endsWith(LEAVE_SCREEN) || !stopped.includes(LEAVE_SCREEN));
  await until(() => output.text.split(ENTER_SCREEN).length === 3);
  live.leaveAtOnce();
  await until(() => output.text.endsWith(LEAVE_SCREEN));
  assert.equal(output.text.split(LEAVE_SCREEN).length, 3);
});

Deno.test("LiveTable is none where there is no terminal", () => {
  const options = { sources: [], quit: () => {}, output: new MemoryWriter() };
  assert.equal(LiveTable.on({ ...options, terminal: () => null }), null);
});
