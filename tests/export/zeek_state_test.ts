import assert from "node:assert/strict";
import { zeekHistory } from "../../src/export/zeek_history.ts";
import { zeekState } from "../../src/export/zeek_state.ts";
import type { ConversationRecord } from "../../src/model/conversation_record.ts";
import { ACK, FIN, PSH, RST, SYN } from "../packets.ts";
import { record } from "../records.ts";

type Given = Partial<ConversationRecord>;

const DATA = ACK | PSH;

/** What Zeek's documentation of conn.log says of each state, as flags; and the history. */
const CASES: readonly (readonly [string, string, Given])[] = [
  ["S0", "S", { state: "unanswered", flags: [SYN, 0], packets: [3, 0] }],
  ["S0", "S", { state: "unreachable", flags: [SYN, 0], packets: [1, 0] }],
  ["S1", "ShADad", { state: "established", flags: [SYN | DATA, SYN | DATA] }],
  ["S1", "ShA", { state: "established", flags: [SYN | ACK, SYN | ACK], packets: [2, 1] }],
  ["SF", "ShADadFf", { state: "closed", flags: [SYN | DATA | FIN, SYN | DATA | FIN] }],
  ["SF", "ShADadFfR", { state: "closed", flags: [SYN | DATA | FIN | RST, SYN | DATA | FIN] }],
  ["REJ", "Sr", { state: "refused", flags: [SYN, RST | ACK], packets: [1, 1] }],
  ["S2", "ShADadF", { state: "established", flags: [SYN | DATA | FIN, SYN | DATA] }],
  ["S3", "ShADadf", { state: "established", flags: [SYN | DATA, SYN | DATA | FIN] }],
  ["RSTO", "ShADadR", { state: "reset", flags: [SYN | DATA | RST, SYN | DATA] }],
  ["RSTR", "ShADadr", { state: "reset", flags: [SYN | DATA, SYN | DATA | RST] }],
  ["RSTOS0", "SR", { state: "unanswered", flags: [SYN | RST, 0], packets: [2, 0] }],
  ["RSTRH", "hr", { state: "reset", flags: [0, SYN | ACK | RST], packets: [0, 1] }],
  ["SH", "SF", { state: "unanswered", flags: [SYN | FIN, 0], packets: [2, 0] }],
  ["SHR", "haf", { state: "open", flags: [0, SYN | ACK | FIN], packets: [0, 2] }],
  ["OTH", "ADad", { state: "open", flags: [DATA, DATA] }],
  ["OTH", "AD", { state: "unanswered", flags: [DATA, 0], packets: [2, 0] }],
  ["OTH", "ADR", { state: "reset", flags: [DATA | RST, 0], packets: [2, 0] }],
  ["SF", "Dd", { protocol: "udp", state: "open", flags: [0, 0], packets: [1, 1] }],
  ["S0", "D", { protocol: "udp", state: "unanswered", flags: [0, 0], packets: [1, 0] }],
  ["SHR", "d", { protocol: "udp", state: "open", flags: [0, 0], packets: [0, 2] }],
];

for (const [state, history, given] of CASES) {
  const { state: ours, protocol, flags } = record(given);
  const name = `${protocol} ${ours} with flags 0x${
    flags.map((it) => it.toString(16)).join(", 0x")
  }`;
  Deno.test(`Zeek's state of ${name} is ${state}, its history ${history}`, () => {
    assert.equal(zeekState(record(given)), state);
    assert.equal(zeekHistory(record(given)), history);
  });
}
