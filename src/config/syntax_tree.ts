import type { AnyNode, Expression, Node, Program } from "acorn";
import type { ConfigPath } from "./config_error.ts";

/** All nodes of a syntax tree, outer ones first. */
export function* nodesOf(node: Node): Generator<AnyNode> {
  yield node as AnyNode;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) yield* nodesOf(child);
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value &&
    typeof value.type === "string";
}

/** The line that a node begins at. */
function lineOf(node: Node): number {
  return node.loc?.start.line ?? 1;
}

/** The line of the first `await` outside of functions, which the loading waits for; `null` if none. */
export function lineOfAwait(node: Node): number | null {
  const { type } = node as AnyNode;
  if (/Function|^MethodDefinition$/.test(type)) return null;
  const isAwait = type === "AwaitExpression" || (type === "ForOfStatement" && "await" in node &&
    node.await === true);
  if (isAwait) return lineOf(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      const line = isNode(child) ? lineOfAwait(child) : null;
      if (line !== null) return line;
    }
  }
  return null;
}

/**
 * The line of an entry of the configuration that a module exports, or of what is nearest to it: an
 * entry is followed through constants of the module, and not further.
 *
 * @returns 1 when the module has no default export.
 */
export function lineOfEntry(program: Program, path: ConfigPath): number {
  const exported = defaultExport(program);
  if (exported === undefined) return 1;
  let line = lineOf(exported);
  let node = settingsObject(program, exported);
  for (const step of path) {
    const found = node === undefined ? undefined : stepInto(node, step);
    if (found === undefined) break;
    line = lineOf(found);
    node = resolve(program, found);
    // An entry that is a constant is named where the constant is, its parts where they are.
  }
  return line;
}

/** The line of what a module without a default export should export: a call, else its last statement. */
export function lineWithoutExport(program: Program): number {
  for (const node of nodesOf(program)) {
    if (node.type !== "CallExpression" || node.callee.type !== "Identifier") continue;
    if (node.callee.name === "defineConfig") return lineOf(node);
  }
  return program.body.at(-1)?.loc?.end.line ?? 1;
}

function defaultExport(program: Program): Node | undefined {
  for (const statement of program.body) {
    if (statement.type === "ExportDefaultDeclaration") return statement.declaration;
    if (statement.type !== "ExportNamedDeclaration") continue;
    const named = statement.specifiers.find(({ exported }) =>
      exported.type === "Identifier" && exported.name === "default"
    );
    if (named !== undefined) return named.local;
  }
  return undefined;
}

/** The object that `defineConfig` was given. */
function settingsObject(program: Program, exported: Node): Node | undefined {
  const call = resolve(program, exported) as AnyNode;
  if (call.type !== "CallExpression" || call.arguments.length === 0) return undefined;
  return resolve(program, call.arguments[0]);
}

function stepInto(node: Node, step: string | number): Node | undefined {
  const parent = node as AnyNode;
  if (typeof step === "number") {
    if (parent.type !== "ArrayExpression") return undefined;
    const before = parent.elements.slice(0, step + 1);
    // What a spread adds is known only at run time.
    if (before.some((element) => element?.type === "SpreadElement")) return undefined;
    return before[step] ?? undefined;
  }
  if (parent.type !== "ObjectExpression") return undefined;
  return parent.properties.findLast((property) =>
    property.type === "Property" && !property.computed && keyName(property.key) === step
  );
}

function keyName(key: Expression | Node): string | undefined {
  const node = key as AnyNode;
  if (node.type === "Identifier") return node.name;
  return node.type === "Literal" ? String(node.value) : undefined;
}

/** What a property holds, and what a constant of the module stands for. */
function resolve(program: Program, node: Node): Node {
  let resolved = node as AnyNode;
  if (resolved.type === "Property") resolved = resolved.value as AnyNode;
  // A constant may name another one. Each is followed once, so that a loop ends.
  const followed = new Set<string>();
  while (resolved.type === "Identifier" && !followed.has(resolved.name)) {
    followed.add(resolved.name);
    const value = constant(program, resolved.name);
    if (value === undefined) break;
    resolved = value as AnyNode;
  }
  return resolved;
}

function constant(program: Program, name: string): Node | undefined {
  for (const statement of program.body) {
    const declaration = statement.type === "ExportNamedDeclaration"
      ? statement.declaration
      : statement;
    if (declaration?.type !== "VariableDeclaration") continue;
    for (const { id, init } of declaration.declarations) {
      if (id.type === "Identifier" && id.name === name && init) return init;
    }
  }
  return undefined;
}
