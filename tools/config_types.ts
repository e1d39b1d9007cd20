/**
 * Makes the types of config.ts that are given to users, one file that needs no other, of the sources
 * of `flosensor/config`: `deno task types`.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import ts from "typescript";

const SOURCES = fileURLToPath(new URL("../src/", import.meta.url));
const ENTRY = "config/mod";
/** A folder that is not there, in which the compiler's declarations are alone. */
const DECLARATIONS = "/declarations/";

/** The file that is made. */
export const TYPES: URL = new URL("../src/config/flosensor.d.ts", import.meta.url);

const HEADING = `/**
 * The types of config.ts, for editors and type checkers: what "flosensor/config" has.
 * Made by flosensor of its own sources; changes are lost when it is made again.
 *
 * @module
 */
`;

const OPTIONS: ts.CompilerOptions = {
  strict: true,
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ["lib.esnext.d.ts"],
  types: [],
  allowImportingTsExtensions: true,
  rootDir: SOURCES,
  outDir: DECLARATIONS,
  declaration: true,
  emitDeclarationOnly: true,
  // What is for the program alone is no business of config.ts.
  stripInternal: true,
};

/**
 * The text of the file.
 *
 * @throws {Error} when two declarations have one name, or a module is of no such form.
 */
export function typesText(): string {
  const declarations = declarationFiles();
  const host = ts.createCompilerHost(OPTIONS);
  const { getSourceFile, fileExists, readFile } = host;
  host.getSourceFile = (path, options) => {
    const text = declarations.get(path);
    return text === undefined
      ? getSourceFile(path, options)
      : ts.createSourceFile(path, text, options);
  };
  host.fileExists = (path) => declarations.has(path) || fileExists(path);
  host.readFile = (path) => declarations.get(path) ?? readFile(path);
  host.directoryExists = () => true;
  const entry = `${DECLARATIONS}${ENTRY}.d.ts`;
  return textOf(ts.createProgram([entry], OPTIONS, host), entry);
}

/** The declarations that the compiler makes of the sources, by their paths. */
function declarationFiles(): Map<string, string> {
  const files = new Map<string, string>();
  const program = ts.createProgram([`${SOURCES}${ENTRY}.ts`], OPTIONS);
  program.emit(undefined, (path, text) => files.set(path, text));
  return files;
}

/** All that a module exports, and all that this needs, each once. */
function textOf(program: ts.Program, entry: string): string {
  const checker = program.getTypeChecker();
  const found = new Map<ts.Symbol, ts.Statement>();
  const original = (symbol: ts.Symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const add = (symbol: ts.Symbol) => {
    const statement = found.has(symbol) ? undefined : statementOf(symbol);
    if (statement === undefined) return;
    found.set(symbol, statement);
    const visit = (node: ts.Node): void => {
      const used = ts.isIdentifier(node) ? checker.getSymbolAtLocation(node) : undefined;
      if (used !== undefined) add(original(used));
      ts.forEachChild(node, visit);
    };
    visit(statement);
  };
  const module = checker.getSymbolAtLocation(program.getSourceFile(entry)!)!;
  const exported = checker.getExportsOfModule(module).map(original);
  exported.forEach(add);

  const names = [...found.keys()].map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`two declarations are called ${twice}`);
  const texts = [...found].map(([symbol, statement]) =>
    declarationText(statement, exported.includes(symbol))
  );
  return [HEADING, ...texts, "export {};\n"].join("\n").replaceAll(/^(?: {4})+/gm, halved);
}

/** The compiler indents by twice as many blanks as we do. */
function halved(blanks: string): string {
  return blanks.slice(blanks.length / 2);
}

/** The statement of one of our modules that declares a symbol. */
function statementOf(symbol: ts.Symbol): ts.Statement | undefined {
  const [declaration] = symbol.declarations ?? [];
  if (!declaration?.getSourceFile().fileName.startsWith(DECLARATIONS)) return undefined;
  const statement = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  return ts.isSourceFile(statement.parent) ? statement as ts.Statement : undefined;
}

function declarationText(statement: ts.Statement, isExported: boolean): string {
  const text = statement.getText();
  const [comment] = (statement as ts.Statement & { jsDoc?: ts.JSDoc[] }).jsDoc?.slice(-1) ?? [];
  const shown = isExported ? text : text.replace(/^export /, "");
  return `${comment === undefined ? "" : `${comment.getText()}\n`}${shown}\n`;
}

if (import.meta.main) await Deno.writeTextFile(TYPES, typesText());
