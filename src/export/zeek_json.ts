import type { ConversationRecord } from "../model/conversation_record.ts";
import type { DnsAnswer } from "./dns_answer.ts";
import type { ExportContext } from "./export_context.ts";
import { jsonLine } from "./json_line.ts";
import type { LogName, RecordFormat } from "./record_format.ts";
import { ZEEK_CONN_FIELDS } from "./zeek_conn_fields.ts";
import { ZEEK_DNS_FIELDS } from "./zeek_dns_fields.ts";
import type { ZeekField } from "./zeek_field.ts";

/**
 * Zeek's logs as JSON (its policy `tuning/json-logs`): fields that are unset are left out, and `_path`
 * says which log a line is of, as Zeek's package json-streaming-logs has it.
 */
export class ZeekJson implements RecordFormat {
  readonly #context: ExportContext;

  constructor(context: ExportContext) {
    this.#context = context;
  }

  begin(): string {
    return "";
  }

  conversation(record: ConversationRecord): string {
    return line("conn", ZEEK_CONN_FIELDS, record, this.#context);
  }

  answer(answer: DnsAnswer): string {
    return line("dns", ZEEK_DNS_FIELDS, answer, this.#context);
  }

  end(): string {
    return "";
  }
}

function line<Row>(
  log: LogName,
  fields: readonly ZeekField<Row, ExportContext>[],
  row: Row,
  context: ExportContext,
): string {
  const values: Record<string, unknown> = { _path: log };
  for (const { name, value } of fields) {
    const it = value(row, context);
    if (it !== null) values[name] = it;
  }
  return jsonLine(values);
}
