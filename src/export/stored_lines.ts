import type { DatabaseSync } from "node:sqlite";
import type {
  ConversationRecord,
  ConversationState,
  NameOrigin,
  ServerName,
} from "../model/conversation_record.ts";
import type { DnsAnswer } from "./dns_answer.ts";
import { RecordLines } from "./record_lines.ts";
import type { RecordFormat } from "./record_format.ts";

/** A row as SQLite has it. */
type Row = Readonly<Record<string, string | number | null>>;

/** Rows that are made into lines at a time. */
const AT_A_TIME = 1000;

/**
 * The conversations and answers of DNS of a store, as lines in the format of another program, in the order
 * in which they were seen.
 *
 * @param since Only what was seen since then, in milliseconds; `null` for all.
 */
export function* storedLines(
  database: DatabaseSync,
  format: RecordFormat,
  since: number | null,
): Generator<string> {
  const lines = new RecordLines(format);
  const seen = since === null ? "" : `WHERE last >= ${since}`;
  const rowsOf = (sql: string) => database.prepare(sql).iterate() as Iterable<Row>;
  const conversations = rowsOf(`SELECT * FROM conversation ${seen} ORDER BY last`);
  for (const rows of parts(conversations)) {
    // What goes on is written as it is known.
    yield* lines.conversations(rows.map((row) => ({ ...recordOf(row), isOver: true })));
  }
  const answers = rowsOf(
    `SELECT last, client, name, address, NULL AS target FROM name ${seen} UNION ALL ` +
      `SELECT last, client, name, NULL, target FROM alias ${seen} UNION ALL ` +
      "SELECT last, prober, target, NULL, NULL FROM refusal " +
      `${seen === "" ? "WHERE" : `${seen} AND`} kind = 'nx' ORDER BY last`,
  );
  for (const rows of parts(answers)) yield* lines.answers(rows.map(answerOf));
  yield* lines.end();
}

function* parts(rows: Iterable<Row>): Generator<Row[]> {
  let part: Row[] = [];
  for (const row of rows) {
    part.push(row);
    if (part.length < AT_A_TIME) continue;
    yield part;
    part = [];
  }
  yield part;
}

function recordOf(row: Row): ConversationRecord {
  const text = (name: string) => row[name] as string | null;
  const number = (name: string) => row[name] as number;
  return {
    id: number("id"),
    isOver: row.is_over === 1,
    protocol: row.protocol as "tcp" | "udp",
    client: row.client as string,
    clientPort: number("client_port"),
    server: row.server as string,
    port: number("port"),
    by: row.by as string,
    state: row.state as ConversationState,
    packets: [number("packets_client"), number("packets_server")],
    bytes: [number("bytes_client"), number("bytes_server")],
    flags: [number("flags_client"), number("flags_server")],
    first: number("first"),
    last: number("last"),
    interface: text("interface"),
    vlan: row.vlan as number | null,
    tunnel: text("tunnel"),
    names: namesOf(text("name"), text("name_origin"), text("other_names")),
    isExplained: row.explained === null ? null : row.explained === 1,
    why: text("why"),
  };
}

/** @param others As docs/store.md has them: `sni:www.example.com other-client:example.net`. */
function namesOf(name: string | null, origin: string | null, others: string | null): ServerName[] {
  if (name === null) return [];
  return [[origin ?? "lookup", name], ...(others ?? "").split(" ").map((it) => it.split(/:(.*)/))]
    .flatMap(([from, its]) => its ? [{ name: its, from: from as NameOrigin }] : []);
}

function answerOf({ last, client, name, address, target }: Row): DnsAnswer {
  const data = (address ?? target) as string | null;
  const type = target !== null ? "CNAME" : data === null ? null : data.includes(":") ? "AAAA" : "A";
  return { time: Number(last), client: String(client), name: String(name), type, data };
}
