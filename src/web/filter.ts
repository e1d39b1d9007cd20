/** What a term of a filter is about. */
export type FilterField =
  | "client"
  | "server"
  | "host"
  | "port"
  | "proto"
  | "name"
  | "by"
  | "text"
  | "flag";

/** What may stand alone in a filter. */
export const FILTER_FLAGS = ["unexplained", "refused", "new", "local", "encrypted"] as const;

/** What may stand before a colon. */
export const FILTER_FIELDS = ["client", "server", "host", "port", "proto", "name", "by"] as const;

/** One condition. */
export interface FilterTerm {
  readonly field: FilterField;
  /** Any of these. */
  readonly values: readonly string[];
  /** Whether it must not be so. */
  readonly isNot: boolean;
}

/** A filter that was read: all terms must be so. */
export type Filter = readonly FilterTerm[];

/** What is wrong with a filter, in one line. */
export class FilterError extends Error {
  override name = "FilterError";
}

const MOST_CHARACTERS = 2_000;
const MOST_PORT = 65_535;
/** A text in quotes; `\` takes what is special from the character behind it. */
const QUOTED = '"((?:[^"\\\\]|\\\\.)*)"';
const TERM = new RegExp(`(-?)(?:([a-z]+):(?:${QUOTED}|(\\S*))|${QUOTED}|(\\S+))`, "gis");
/** What needs no quotes. */
const BARE = /^(?!-)[^\s",\\]+$/;
/** The same behind a field's colon. Several values were read without quotes, so they need none. */
const BARE_VALUE = /^(?!")[^\s,]+$/;
const IPV4 = /^\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?$/;
const IPV6 = /^(?=.*:)[0-9a-f:.]+(\/\d{1,3})?$/i;

/**
 * Reads a filter, such as `client:10.0.0.0/24 port:443,853 name:example -by:syn unexplained`. What has
 * no colon is one of the flags, or a part of an address or a name.
 *
 * @param known Flags that are named where a term is not understood: not everybody knows all.
 * @throws {FilterError} that says which term is not understood, and what there is.
 */
export function parseFilter(text: string, known: readonly string[] = FILTER_FLAGS): Filter {
  if (text.length > MOST_CHARACTERS) throw new FilterError("the filter is too long");
  const terms: FilterTerm[] = [];
  for (const [whole, minus, field, quotedValue, value, quoted, bare] of text.matchAll(TERM)) {
    const inQuotes = (quotedValue ?? quoted)?.replace(/\\(.)/gs, "$1");
    terms.push(termOf(whole, minus === "-", field?.toLowerCase(), inQuotes, value ?? bare, known));
  }
  return terms;
}

/** The filter as it is written; reading it gives the same. */
export function filterText(filter: Filter): string {
  return filter.map(({ field, values, isNot }) => {
    const [first] = values;
    const isBare = field === "text"
      ? BARE.test(first) && !isFlag(first) && (!first.includes(":") || IPV6.test(first))
      : field === "flag" || values.length > 1 || BARE_VALUE.test(first);
    const value = isBare
      ? values.join(",")
      : `"${values.join(",").replaceAll(/["\\]/g, (character) => `\\${character}`)}"`;
    return `${isNot ? "-" : ""}${field === "text" || field === "flag" ? "" : `${field}:`}${value}`;
  }).join(" ");
}

/**
 * A filter with one more condition. One on the same thing that can't be so at once is replaced; what is
 * there already stays.
 */
export function withTerm(filter: Filter, added: FilterTerm): Filter {
  const isSame = (term: FilterTerm) =>
    term.field === added.field && term.values.join() === added.values.join();
  const others = filter.filter((term) =>
    !isSame(term) && (added.isNot || term.isNot || term.field !== added.field ||
      term.field === "flag" || term.field === "text")
  );
  return [...others, added];
}

function termOf(
  whole: string,
  isNot: boolean,
  field: string | undefined,
  quoted: string | undefined,
  bare: string | undefined,
  known: readonly string[],
): FilterTerm {
  const value = quoted ?? bare ?? "";
  if (quoted === undefined && value.startsWith('"')) {
    throw new FilterError(`${value} has no quote at its end`);
  }
  if (field === undefined) {
    return quoted === undefined && isFlag(value)
      ? { field: "flag", values: [value.toLowerCase()], isNot }
      : { field: "text", values: [value], isNot };
  }
  if (!(FILTER_FIELDS as readonly string[]).includes(field)) {
    // An IPv6 address has colons too.
    if (IPV6.test(whole.replace(/^-/, ""))) {
      return { field: "text", values: [whole.replace(/^-/, "")], isNot };
    }
    throw new FilterError(
      `${field}: is not known; there are ${FILTER_FIELDS.map((it) => `${it}:`).join(" ")} and ` +
        known.join(" "),
    );
  }
  const values = quoted === undefined ? value.split(",").filter((it) => it !== "") : [value];
  if (values.length === 0) throw new FilterError(`${field}: has nothing behind the colon`);
  for (const it of values) refuseOther(field, it);
  return { field: field as FilterField, values, isNot };
}

function isFlag(text: string): boolean {
  return (FILTER_FLAGS as readonly string[]).includes(text.toLowerCase());
}

/** @throws {FilterError} when a value is none of its field. */
function refuseOther(field: string, value: string): void {
  if (field === "port") {
    const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(value) ?? [];
    if (first !== undefined && Number(last) <= MOST_PORT && Number(first) <= Number(last)) return;
    throw new FilterError(`port:${value} is no port; write port:443 or port:6000-6063`);
  }
  if (field === "client" || field === "server" || field === "host") {
    if (isPrefix(value)) return;
    throw new FilterError(
      `${field}:${value} is no address or prefix; write ${field}:10.0.0.7, ${field}:10.0.0.0/24, or ` +
        `name:${value}`,
    );
  }
  if (field === "proto" && !/^(tcp|udp)$/i.test(value)) {
    throw new FilterError(`proto:${value} is neither tcp nor udp`);
  }
}

function isPrefix(text: string): boolean {
  const length = Number(text.split("/")[1] ?? 0);
  if (IPV4.test(text)) {
    return length <= 32 && text.split("/")[0].split(".").every((it) => +it < 256);
  }
  return IPV6.test(text) && length <= 128;
}
