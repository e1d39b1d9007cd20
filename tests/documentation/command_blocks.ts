/** One or more commands of a page, as they stand there one after the other. */
export interface CommandBlock {
  /** The page, from the repository's root, and the line of the first command. */
  readonly place: string;
  /** What sh(1) reads. */
  readonly commands: string;
  /** What the page says that they print, `...` for what differs. Empty where it does not say. */
  readonly output: string;
  /** Why no test can run them. Empty where one can. */
  readonly notRun: string;
}

const FENCE = /^```(\w*)$/;
const INDENT = "    ";
const PROMPT = "$ ";
/** Stands before a block that can't be run. */
const NOT_RUN = /^<!-- not run: (.+) -->$/;

/**
 * The commands of a page: blocks that are indented, those fenced as `sh`, and those fenced as
 * `console`, where a command stands behind `$ ` and what it prints below it. Other fenced blocks show
 * something else, such as files.
 */
export function commandBlocks(page: string, text: string): CommandBlock[] {
  const blocks: CommandBlock[] = [];
  const lines = text.split("\n");
  let notRun = "";
  const add = (first: number, commands: string[], output: string[] = []) =>
    blocks.push({
      place: `${page}:${first + 1}`,
      commands: commands.join("\n"),
      output: output.join("\n").trim(),
      notRun,
    });
  for (let i = 0; i < lines.length; i++) {
    const fence = FENCE.exec(lines[i]);
    if (fence !== null) {
      const first = i + 1;
      const end = lines.indexOf("```", first);
      const inside = lines.slice(first, end);
      if (fence[1] === "sh") add(first, inside);
      if (fence[1] === "console") addConsole(first, inside, add);
      i = end;
      notRun = "";
    } else if (lines[i].startsWith(INDENT) && lines[i - 1] === "" && !isInList(lines, i)) {
      const first = i;
      while (lines[i + 1]?.startsWith(INDENT)) i++;
      add(first, lines.slice(first, i + 1).map((line) => line.slice(INDENT.length)));
      notRun = "";
    } else if (lines[i] !== "") {
      notRun = NOT_RUN.exec(lines[i])?.[1] ?? "";
    }
  }
  return blocks;
}

/** Each command with what follows it. */
function addConsole(
  first: number,
  lines: readonly string[],
  add: (first: number, commands: string[], output: string[]) => void,
): void {
  for (let i = 0; i < lines.length;) {
    const start = i;
    const commands = [lines[i++].slice(PROMPT.length)];
    while (commands.at(-1)!.endsWith("\\")) commands.push(lines[i++]);
    const output: string[] = [];
    while (i < lines.length && !lines[i].startsWith(PROMPT)) output.push(lines[i++]);
    add(first + start, commands, output);
  }
}

/** What is indented below an item of a list is its text. */
function isInList(lines: readonly string[], at: number): boolean {
  for (let i = at - 1; i >= 0; i--) {
    if (/^(\d+\.|[-*]) /.test(lines[i])) return true;
    if (/^\S/.test(lines[i])) return false;
  }
  return false;
}

/** Whether something was printed as a page has it. */
export function isAsShown(printed: string, shown: string): boolean {
  const parts = shown.split("...").map((part) => RegExp.escape(withoutPadding(part)));
  return new RegExp(`^${parts.join("[^]*?")}$`).test(withoutPadding(printed).trim());
}

/** Columns are as wide as their widest cell, which may be where `...` stands. */
function withoutPadding(text: string): string {
  return text.replaceAll(/ +/g, " ").replaceAll(/ $/gm, "");
}
