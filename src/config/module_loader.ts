import { basename, dirname, extname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { stripVTControlCharacters } from "node:util";
import type { Literal, Node, Program } from "acorn";
import { UserError } from "../user_error.ts";
import { closest } from "./closest.ts";
import { ConfigError } from "./config_error.ts";
import { type DataModule, dataModule } from "./data_module.ts";
import { OWN_MODULE_NAMES, ownModuleExports, ownModuleName, ownModuleUrl } from "./own_modules.ts";
import { parseModule } from "./program.ts";
import { refuseUndefined } from "./refuse_undefined.ts";
import type { RootGuard } from "./root_guard.ts";
import { lineOfAwait, nodesOf } from "./syntax_tree.ts";
import { rememberUserModule } from "./user_modules.ts";

const TYPESCRIPT = [".ts", ".mts"];
const JAVASCRIPT = [".js", ".mjs"];
const JSON_EXTENSION = ".json";
const MODULE_EXTENSIONS = [...TYPESCRIPT, ...JAVASCRIPT, JSON_EXTENSION];
/** How long, in milliseconds, a file and what it imports may take to be read, and to be run. */
const PATIENCE = 10_000;
/** Specifiers that Deno resolves in the same way wherever the importing file is. */
const ABSOLUTE_SPECIFIER = /^(node|npm|jsr|https?|data):/;

/** A change of a module's text. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** An import of a module, of whatever form. */
interface Import {
  readonly specifier: Literal & { value: string };
  readonly line: number;
  /** Where the attributes end, which begin after the specifier: `with { type: "json" }`. */
  readonly attributesEnd: number;
  readonly isJson: boolean;
}

/** A module that was made ready to be run. */
interface ReadyModule extends DataModule {
  /** What the user calls the file. */
  readonly file: string;
  readonly program: Program | null;
}

/** A module that was run. */
export interface LoadedModule {
  readonly namespace: Record<string, unknown>;
  readonly program: Program;
  /** Paths of all files that it was made of. */
  readonly files: readonly string[];
}

/**
 * Loads a TypeScript module and what it imports, without a TypeScript compiler: types are stripped,
 * and each file becomes a module of its own, so that a second load sees the files as they are then.
 */
export class ModuleLoader {
  readonly #ready = new Map<string, ReadyModule>();
  /** Paths whose imports are being made ready, outermost first. */
  readonly #open: string[] = [];
  readonly #guard: RootGuard | null;

  /** @param guard Looks at each file that is read. */
  constructor(guard: RootGuard | null = null) {
    this.#guard = guard;
  }

  /**
   * Loads a file and runs it.
   *
   * @param file The file, as the user calls it.
   * @throws {UserError} when it can't be read, parsed or run: one line with file and line. So it is
   * when that takes longer than ten seconds: what waits for something that never comes has nobody else
   * to end it.
   */
  async load(file: string): Promise<LoadedModule> {
    return await (await this.read(file))();
  }

  /**
   * Reads a file and what it imports, and runs nothing of it.
   *
   * @param file The file, as the user calls it.
   * @returns Runs it.
   * @throws {UserError} when it can't be read or parsed; what is returned, when it can't be run.
   */
  async read(file: string): Promise<() => Promise<LoadedModule>> {
    const main = await this.#inTime(file, this.#prepare(resolve(file), file, null));
    return async () => {
      const namespace = await this.#inTime(file, this.#run(main));
      return { namespace, program: main.program!, files: [...this.#ready.keys()] };
    };
  }

  /** Waits for a part of the loading, and not for ever. */
  async #inTime<Part>(file: string, part: Promise<Part>): Promise<Part> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#lateError(file)), PATIENCE);
    });
    try {
      return await Promise.race([part, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Names the first `await` that the loading of a file may wait for, if there is one. */
  #lateError(file: string): UserError {
    const seconds = PATIENCE / 1000;
    for (const ready of this.#ready.values()) {
      const line = ready.program === null ? null : lineOfAwait(ready.program);
      if (line === null) continue;
      return new UserError(
        `${ready.file}:${line}: what is awaited here did not come within ${seconds} s: ` +
          "a configuration may wait for nothing that can stay away",
      );
    }
    return new UserError(
      `${file}: it was not loaded within ${seconds} s: see what it imports, and what that waits for`,
    );
  }

  /**
   * @param importer The place of the import, `config.ts:3`, or `null` for the first file.
   * @param specifier How that import names it.
   */
  async #prepare(
    path: string,
    file: string,
    importer: string | null,
    specifier = file,
  ): Promise<ReadyModule> {
    const known = this.#ready.get(path);
    if (known !== undefined) return known;
    const text = await readText(path, file, importer, specifier, this.#guard);
    const ready = extname(path) === JSON_EXTENSION && importer !== null
      ? jsonModule(text, file)
      : await this.#prepareProgram(text, path, file);
    this.#ready.set(path, ready);
    return ready;
  }

  async #prepareProgram(text: string, path: string, file: string): Promise<ReadyModule> {
    const { code, program } = parseModule(text, file, !JAVASCRIPT.includes(extname(path)));
    refuseUndefined(program, text, file);
    this.#open.push(path);
    const edits: Edit[] = importMetaEdits(program, path);
    for (const found of importsOf(program)) {
      const url = await this.#resolve(found, path, file);
      const { start, end } = found.specifier;
      edits.push({ start, end, text: JSON.stringify(url) });
      if (found.isJson) edits.push(withoutText(code, found.specifier.end, found.attributesEnd));
    }
    this.#open.pop();
    const module = dataModule(applyEdits(code, edits));
    rememberUserModule(module.urlEnd, file);
    return { ...module, file, program };
  }

  /** The URL of an imported module. */
  async #resolve(found: Import, path: string, file: string): Promise<string> {
    const specifier = found.specifier.value;
    const place = `${file}:${found.line}`;
    const ownUrl = ownModuleUrl(specifier);
    if (ownUrl !== undefined) return ownUrl;
    if (ABSOLUTE_SPECIFIER.test(specifier)) return specifier;
    const target = targetPath(specifier, path);
    if (target === null) throw unresolved(specifier, place);
    this.#refuseCycle(target, specifier, place);
    const extension = extname(target);
    if (!MODULE_EXTENSIONS.includes(extension)) {
      const meant = await specifierMeant(specifier, target);
      if (meant !== undefined) {
        throw new UserError(`${place}: "${specifier}" is no file: write "${meant}"`);
      }
      throw new UserError(
        `${place}: "${specifier}" can't be imported (its name ends in "${extension}"): ` +
          "a configuration is made of .ts, .js and .json files",
      );
    }
    if (extension === JSON_EXTENSION && !found.isJson) {
      throw new UserError(
        `${place}: "${specifier}" is imported as code: write with { type: "json" } after it`,
      );
    }
    const shown = isAbsolute(specifier) || specifier.startsWith("file:")
      ? target
      : join(dirname(file), specifier);
    return (await this.#prepare(target, shown, place, specifier)).url;
  }

  #refuseCycle(target: string, specifier: string, place: string): void {
    if (!this.#open.includes(target)) return;
    throw new UserError(
      `${place}: "${specifier}" imports this file again: ` +
        "move what both need into a third file",
    );
  }

  async #run(main: ReadyModule): Promise<Record<string, unknown>> {
    try {
      return await import(main.url);
    } catch (error) {
      throw this.#runError(error, main);
    }
  }

  /** What a module threw while it ran, in one line at the user's file and line. */
  #runError(error: unknown, main: ReadyModule): unknown {
    if (error instanceof UserError && !(error instanceof ConfigError)) return error;
    const message = error instanceof Error ? error.message : String(error);
    const stack = error instanceof Error ? `${error.stack ?? ""}` : "";
    const place = this.#placeIn(stack) ?? this.#placeIn(message) ?? main.file;
    if (error instanceof ConfigError) {
      return new UserError(`${place}: ${error.message}`, error.exitStatus, { cause: error });
    }
    const line = missingExport(message) ?? thrown(error, this.#inUsersWords(message));
    return new UserError(`${place}: ${line}`, 1, { cause: error });
  }

  /** The first place in one of the user's files that a stack or a message names. */
  #placeIn(text: string): string | null {
    let first: { index: number; place: string } | null = null;
    for (const { urlEnd, file } of this.#ready.values()) {
      const index = text.indexOf(`${urlEnd}:`);
      if (index < 0 || (first !== null && first.index < index)) continue;
      const line = /^\d+/.exec(text.slice(index + urlEnd.length + 1))?.[0];
      if (line !== undefined) first = { index, place: `${file}:${line}` };
    }
    return first?.place ?? null;
  }

  #inUsersWords(message: string): string {
    // Deno adds the place in its own terms, a line of its own.
    let text = stripVTControlCharacters(message).replace(/\s+at (data|file):\S+$/, "")
      .replace(/\.$/, "");
    for (const { url, file } of this.#ready.values()) text = text.replaceAll(url, file);
    return text.replaceAll(/\s*\n\s*/g, " ");
  }
}

async function readText(
  path: string,
  file: string,
  importer: string | null,
  specifier: string,
  guard: RootGuard | null,
): Promise<string> {
  const place = importer === null ? file : `${importer}: ${file}`;
  const failed = (what: string, remedy: string) => new UserError(`${place}: ${what}: ${remedy}`);
  try {
    using opened = await Deno.open(path);
    guard?.require(path, file, await opened.stat());
    return (await new Response(opened.readable).text()).replace(/^\ufeff/, "");
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (error instanceof Deno.errors.NotFound) {
      const meant = await specifierMeant(specifier, path);
      const otherwise = importer ? "mend the import" : "check the name";
      throw failed("there is no such file", meant ? `did you mean "${meant}"?` : otherwise);
    }
    if (error instanceof Deno.errors.NotCapable) {
      throw failed("flosensor may not read it", `run it with --allow-read=${path}`);
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw failed("permission denied", "make it readable for the user that runs flosensor");
    }
    if (error instanceof Deno.errors.IsADirectory) {
      throw failed("this is a directory", "name the file in it");
    }
    throw failed(error instanceof Error ? error.message : String(error), "the file can't be read");
  }
}

/**
 * How a file that is there would be named, where a name is almost that: without the ending, with the
 * ending of what a compiler makes of it, or mistyped.
 *
 * @param path The path of the name.
 */
async function specifierMeant(name: string, path: string): Promise<string | undefined> {
  const files: string[] = [];
  try {
    for await (const entry of Deno.readDir(dirname(path))) {
      if (!entry.isDirectory && MODULE_EXTENSIONS.includes(extname(entry.name))) {
        files.push(entry.name);
      }
    }
  } catch {
    // There is no such folder, or it may not be read: then nothing in it was meant.
  }
  const wanted = basename(path);
  const stem = (file: string) => basename(file, extname(file));
  const meant = files.find((file) => [wanted, stem(wanted)].includes(stem(file))) ??
    closest(wanted, files.sort());
  return meant === undefined ? undefined : name.slice(0, name.length - wanted.length) + meant;
}

function jsonModule(text: string, file: string): ReadyModule {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new UserError(`${file}: this is not JSON (${(error as Error).message}): mend the file`);
  }
  // A compiled program loads no module of another type from a URL that is made at run time.
  const code = `export default JSON.parse(${JSON.stringify(text)});`;
  return { ...dataModule(code), file, program: null };
}

/** The path that a specifier names, or `null` when it names no file. */
function targetPath(specifier: string, importer: string): string | null {
  if (specifier.startsWith("file:")) return fileURLToPath(specifier);
  if (isAbsolute(specifier)) return specifier;
  return /^\.\.?\//.test(specifier) ? resolve(dirname(importer), specifier) : null;
}

function unresolved(specifier: string, place: string): UserError {
  const own = closest(specifier, OWN_MODULE_NAMES);
  const remedy = own === undefined
    ? `write a path that begins with ./ or ../, or npm: or node: before a package's name`
    : `did you mean "${own}"?`;
  return new UserError(`${place}: the import "${specifier}" can't be resolved: ${remedy}`);
}

function importsOf(program: Program): Import[] {
  const found: Import[] = [];
  for (const node of nodesOf(program)) {
    if (
      node.type !== "ImportDeclaration" && node.type !== "ExportAllDeclaration" &&
      node.type !== "ExportNamedDeclaration" && node.type !== "ImportExpression"
    ) continue;
    const specifier = node.source;
    // A specifier that is computed at run time stays as it is.
    if (specifier?.type !== "Literal" || typeof specifier.value !== "string") continue;
    const isDynamic = node.type === "ImportExpression";
    const isJson = isDynamic ? node.options !== null : node.attributes.some(
      ({ key, value }) =>
        (key.type === "Identifier" ? key.name : key.value) === "type" && value.value === "json",
    );
    found.push({
      specifier: specifier as Import["specifier"],
      line: specifier.loc!.start.line,
      attributesEnd: isDynamic ? node.end - ")".length : node.end,
      isJson,
    });
  }
  return found;
}

/** `import.meta` of a module made of text would tell of that, not of the user's file. */
function importMetaEdits(program: Program, path: string): Edit[] {
  const url = pathToFileURL(path).href;
  const meta = `({url:${JSON.stringify(url)},filename:${JSON.stringify(path)},` +
    `dirname:${JSON.stringify(dirname(path))},main:false,` +
    `resolve:(specifier)=>new URL(specifier,${JSON.stringify(url)}).href})`;
  const isMeta = (node: Node & { type: string }) =>
    node.type === "MetaProperty" && "meta" in node &&
    (node.meta as { name: string }).name === "import";
  return [...nodesOf(program)].filter(isMeta).map(({ start, end }) => ({ start, end, text: meta }));
}

/** Takes a piece of text out, and leaves its line breaks. */
function withoutText(code: string, start: number, end: number): Edit {
  const text = code.slice(start, end);
  return { start, end, text: text.replaceAll(/[^\n;]/g, "") };
}

function applyEdits(code: string, edits: readonly Edit[]): string {
  let edited = code;
  for (const { start, end, text } of [...edits].sort((a, b) => b.start - a.start)) {
    edited = edited.slice(0, start) + text + edited.slice(end);
  }
  return edited;
}

/** What to say when a module is asked for a name that it does not export. */
function missingExport(message: string): string | null {
  const found = /requested module '([^']*)' does not provide an export named '([^']*)'/.exec(
    message,
  );
  if (found === null) return null;
  const [, url, name] = found;
  const own = ownModuleName(url);
  if (own === undefined) {
    return `the imported file exports no "${name}": mend the import or the file`;
  }
  const names = ownModuleExports(own);
  if (name === "default") {
    return `"${own}" has no default export: write the names in braces, import { ${names[0]} }`;
  }
  const meant = closest(name, names);
  const remedy = meant === undefined ? `it has ${names.join(", ")}` : `did you mean "${meant}"?`;
  return `"${own}" exports no "${name}": ${remedy}`;
}

function thrown(error: unknown, message: string): string {
  const name = error instanceof Error ? error.name : "a value that is no Error";
  return `${message} (${name} while the configuration was loaded): mend what the line does`;
}
