import assert from "node:assert/strict";
import { CaptureHints } from "../../src/cli/capture_hints.ts";
import { whyNoFlows } from "../../src/cli/why_no_flows.ts";
import { exchange } from "../conversations.ts";
import { batchOf } from "../batches.ts";
import { Engine } from "../../src/engine/engine.ts";
import { LINKTYPE_ETHERNET } from "../../src/packet/link_type.ts";
import { MemoryLog } from "../memory_log.ts";
import { mappingOf } from "../observed_keys.ts";

const KEPT_OUT_BY = { direction: "inout" };

/** A capture whose conversations are in no network, and what is said of it. */
class Captured {
  readonly log = new MemoryLog();
  readonly #mapping = mappingOf({ networks: [["lan", "172.16.0.0/12"]], flows: [] }, []);
  readonly #meter = new Engine({
    mapping: this.#mapping,
    emit: () => {},
    maxConversations: 1000,
  });
  readonly hints: CaptureHints;
  seconds = 0;
  #ports = 50_000;

  constructor() {
    const run = { whyNoFlows: () => whyNoFlows(this.#meter.statistics(), this.#mapping) };
    this.hints = new CaptureHints(run, [], KEPT_OUT_BY, this.log, () => this.seconds * 1000);
  }

  take(conversations: number): void {
    for (let i = 0; i < conversations; i++) {
      const packets = exchange("10.0.0.1", this.#ports++, "192.0.2.1", 53);
      const linkType = LINKTYPE_ETHERNET;
      this.#meter.take(batchOf(packets.map((packet) => ({ packet, linkType, seconds: 1 }))));
    }
    this.#meter.flush();
  }

  /** How many lines there are after looking. */
  look(): number {
    const meters = { flows: this.#meter.statistics(), dns: null, carried: null };
    this.hints.look({ sources: [], meters, away: [] });
    return this.log.lines.length;
  }
}

Deno.test("a capture says once why most gives no flow: not at once, not of few, again after a reload", () => {
  const captured = new Captured();
  captured.take(100);
  captured.seconds = 29;
  assert.equal(captured.look(), 0);
  captured.seconds = 30;
  assert.equal(captured.look(), 1);
  assert.match(captured.log.lines[0], /100 IPv4 conversations are in no network/);
  captured.take(100);
  captured.seconds = 60;
  assert.equal(captured.look(), 1);
  captured.hints.beginAnew();
  assert.equal(captured.look(), 2);
  assert.match(captured.log.lines[1], /200 IPv4 conversations/);
});

Deno.test("of few conversations a capture says nothing while it goes on", () => {
  const captured = new Captured();
  captured.take(9);
  captured.seconds = 600;
  assert.equal(captured.look(), 0);
  captured.take(1);
  assert.equal(captured.look(), 1);
});
