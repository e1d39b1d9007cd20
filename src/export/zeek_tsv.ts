import { isoTime } from "./iso_time.ts";
import type { DnsAnswer } from "./dns_answer.ts";
import type { ExportContext } from "./export_context.ts";
import type { LogName, RecordFormat } from "./record_format.ts";
import type { ConversationRecord } from "../model/conversation_record.ts";
import { printable } from "../printable.ts";
import { ZEEK_CONN_FIELDS } from "./zeek_conn_fields.ts";
import { ZEEK_DNS_FIELDS } from "./zeek_dns_fields.ts";
import type { ZeekField, ZeekValue } from "./zeek_field.ts";

const UNSET = "-";
const EMPTY = "(empty)";
const SET_SEPARATOR = ",";
/** Types that are written with six digits after the point. */
const FRACTIONAL = ["time", "interval"];

/** Zeek's own format of logs: a header that names fields and types, and values between tabs. */
export class ZeekTsv implements RecordFormat {
  readonly #context: ExportContext;

  constructor(context: ExportContext) {
    this.#context = context;
  }

  begin(log: LogName, time: number): string {
    const fields: readonly ZeekField<never, never>[] = log === "conn"
      ? ZEEK_CONN_FIELDS
      : ZEEK_DNS_FIELDS;
    return "#separator \\x09\n" + [
      ["#set_separator", SET_SEPARATOR],
      ["#empty_field", EMPTY],
      ["#unset_field", UNSET],
      ["#path", log],
      ["#open", headerTime(time)],
      ["#fields", ...fields.map(({ name }) => name)],
      ["#types", ...fields.map(({ type }) => type)],
    ].map((parts) => parts.join("\t") + "\n").join("");
  }

  conversation(record: ConversationRecord): string {
    return line(ZEEK_CONN_FIELDS, record, this.#context);
  }

  answer(answer: DnsAnswer): string {
    return line(ZEEK_DNS_FIELDS, answer, this.#context);
  }

  end(time: number): string {
    return `#close\t${headerTime(time)}\n`;
  }
}

function line<Row>(
  fields: readonly ZeekField<Row, ExportContext>[],
  row: Row,
  context: ExportContext,
): string {
  return fields.map(({ type, value }) => text(type, value(row, context))).join("\t") + "\n";
}

function text(type: string, value: ZeekValue): string {
  if (value === null) return UNSET;
  if (typeof value === "boolean") return value ? "T" : "F";
  if (typeof value === "number") {
    return FRACTIONAL.includes(type) ? value.toFixed(6) : String(value);
  }
  if (typeof value === "string") return escaped(value, false);
  return value.length === 0 ? EMPTY : value.map((part) => escaped(part, true)).join(SET_SEPARATOR);
}

/** As Zeek escapes: what is a separator, or would be taken for one of the two special values. */
function escaped(text: string, isInSet: boolean): string {
  if (text === "") return isInSet ? "" : EMPTY;
  if (text === UNSET || text === EMPTY) return hexadecimal(text[0]) + text.slice(1);
  // deno-lint-ignore no-control-regex
  const special = isInSet ? /[\x00-\x1f\x7f\\,]/g : /[\x00-\x1f\x7f\\]/g;
  // What is left of what a terminal obeys is as in all of our output.
  return printable(text.replace(special, hexadecimal));
}

function hexadecimal(character: string): string {
  return "\\x" + character.charCodeAt(0).toString(16).padStart(2, "0");
}

/** `2026-11-27-05-14-27`. */
function headerTime(time: number): string {
  return isoTime(time).replace(/\.\d+Z$/, "").replace(/[T:]/g, "-");
}
