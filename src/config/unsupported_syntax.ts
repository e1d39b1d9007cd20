import { parse } from "sucrase/dist/parser/index.js";

/** TypeScript, or what may become JavaScript, that can't be loaded by taking the types out. */
export interface UnsupportedSyntax {
  readonly line: number;
  /** What it is, as the user wrote it. */
  readonly what: string;
  /** What to write in its place. */
  readonly remedy: string;
}

/** Of a token of sucrase's parser, which has no types at its path: */
interface ParsedToken {
  readonly start: number;
  readonly end: number;
  /** Whether it is taken out with the types. */
  readonly isType: boolean;
}

/** A token and its characters. */
interface Token extends Omit<ParsedToken, "end"> {
  readonly text: string;
}

const NAMESPACE_WORDS = ["namespace", "module"];
/** What declares something that is there while a program runs, and expressions are not. */
const VALUE_WORDS = ["const", "let", "var", "function", "class", "enum"];
const NAME = /^[\p{ID_Start}$_#]/u;

/**
 * The first thing in a TypeScript module that is more than types, and that the stripping of types
 * takes out or leaves as it is, so that the module would not run or do something else.
 *
 * @throws {Error} a syntax error, as the parser has it.
 */
export function unsupportedSyntax(text: string): UnsupportedSyntax | null {
  const parsed: ParsedToken[] = parse(text, false, true, false).tokens;
  const tokens = parsed.map(({ start, end, isType }): Token => (
    { start, text: text.slice(start, end), isType }
  ));
  for (let i = 0; i < tokens.length; i++) {
    if (isDeclared(tokens, i)) {
      i = afterBraces(tokens, i);
      continue;
    }
    const found = foundAt(tokens, i);
    if (found !== null) {
      return { line: text.slice(0, tokens[i].start).split("\n").length, ...found };
    }
  }
  return null;
}

function foundAt(tokens: readonly Token[], i: number): Omit<UnsupportedSyntax, "line"> | null {
  const [{ text, isType }, next, afterNext] = tokens.slice(i, i + 3);
  if (isType) {
    if (!isNamespace(tokens, i) || !hasValues(tokens, i)) return null;
    return {
      what: `${text} ${next.text}`,
      remedy:
        `write const ${next.text} = { ... }, or put it into a file of its own and import that`,
    };
  }
  if (text === "@") {
    return {
      what: `the decorator @${next?.text}`,
      remedy: "call the function where its result is needed",
    };
  }
  if (text === "export" && next?.text === "=") {
    return { what: "export =", remedy: "write export default" };
  }
  if (text === "import" && afterNext?.text === "=" && NAME.test(next.text)) {
    const isRequire = tokens[i + 3]?.text === "require" && tokens[i + 4]?.text === "(";
    return {
      what: `import ${next.text} =`,
      remedy: isRequire
        ? `write import ${next.text} from ${tokens[i + 5]?.text}`
        : `write const ${next.text} =`,
    };
  }
  if (text === "accessor" && next !== undefined && NAME.test(next.text)) {
    return { what: `accessor ${next.text}`, remedy: "write a field, or get and set" };
  }
  return null;
}

/** Whether a statement that begins here says that something is there, and makes nothing. */
function isDeclared(tokens: readonly Token[], i: number): boolean {
  const next = tokens[i + 1]?.text;
  return tokens[i].isType && tokens[i].text === "declare" &&
    (next === "global" || NAMESPACE_WORDS.includes(next ?? ""));
}

function isNamespace(tokens: readonly Token[], i: number): boolean {
  const [{ text }, name, after] = tokens.slice(i, i + 3);
  return NAMESPACE_WORDS.includes(text) && NAME.test(name?.text ?? "") &&
    (after?.text === "{" || after?.text === ".");
}

/** Whether a namespace has more than types, also in a namespace within it. */
function hasValues(tokens: readonly Token[], i: number): boolean {
  const end = afterBraces(tokens, i);
  let depth = 0;
  for (let j = i; j < end; j++) {
    const { text } = tokens[j];
    if (isDeclared(tokens, j)) j = afterBraces(tokens, j);
    else if (j > i && isNamespace(tokens, j)) {
      if (hasValues(tokens, j)) return true;
      j = afterBraces(tokens, j);
    } else if (text === "{") depth++;
    else if (text === "}") depth--;
    else if (depth === 1 && VALUE_WORDS.includes(text) && tokens[j - 1].text !== "declare") {
      return true;
    }
  }
  return false;
}

/** The place of the bracket that ends what begins with the next one. */
function afterBraces(tokens: readonly Token[], i: number): number {
  let depth = 0;
  for (let j = i; j < tokens.length; j++) {
    const { text } = tokens[j];
    if (text === "{" || text === "${") depth++;
    else if (text === "}" && --depth === 0) return j;
  }
  return tokens.length;
}
