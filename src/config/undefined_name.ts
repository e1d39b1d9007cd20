import type { AnyNode, Node, Program } from "acorn";
import { nodesOf } from "./syntax_tree.ts";

/** A use of a name. */
interface Use {
  readonly name: string;
  readonly line: number;
}

/** A name that a module uses and nobody defines. */
export interface UndefinedName extends Use {
  /** The names that the module declares. */
  readonly declared: ReadonlySet<string>;
}

/** What a module says of names. */
interface Names {
  /** Those that it declares, in whatever scope. */
  readonly declared: Set<string>;
  /** Those that it asks the kind of, and so knows that they may not be there. */
  readonly asked: Set<string>;
  readonly used: Use[];
}

/**
 * The first name that a module uses, declares nowhere, and that is not in the global object either.
 *
 * When such a module runs, it ends with a `ReferenceError` at a line that may be that of the statement
 * around, or, within a function, not before the function is called.
 */
export function undefinedName(program: Program): UndefinedName | null {
  const names: Names = { declared: new Set(["arguments"]), asked: new Set(), used: [] };
  for (const node of nodesOf(program)) addNames(node, names);
  const { declared, asked, used } = names;
  const found = used.find(({ name }) =>
    !declared.has(name) && !asked.has(name) && !(name in globalThis)
  );
  return found === undefined ? null : { ...found, declared };
}

/** Adds what a node says of names. Nodes within it are asked by themselves. */
function addNames(node: AnyNode, { declared, asked, used }: Names): void {
  const use = (child: Node | null | undefined) => {
    const identifier = child as AnyNode | null | undefined;
    if (identifier?.type !== "Identifier") return;
    used.push({ name: identifier.name, line: identifier.loc!.start.line });
  };
  const declare = (child: Node | null | undefined) => {
    for (const name of boundBy(child)) declared.add(name);
  };
  switch (node.type) {
    case "VariableDeclarator":
      declare(node.id);
      return use(node.init);
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      declare(node.id);
      node.params.forEach(declare);
      return use(node.body);
    case "ClassDeclaration":
    case "ClassExpression":
      declare(node.id);
      return use(node.superClass);
    case "CatchClause":
      return declare(node.param);
    case "ImportSpecifier":
    case "ImportDefaultSpecifier":
    case "ImportNamespaceSpecifier":
      return declare(node.local);
    case "UnaryExpression":
      if (node.operator === "typeof" && node.argument.type === "Identifier") {
        asked.add(node.argument.name);
        return;
      }
      return use(node.argument);
    case "MemberExpression":
      use(node.object);
      return node.computed ? use(node.property) : undefined;
    case "Property":
    case "PropertyDefinition":
    case "MethodDefinition":
      if (node.computed) use(node.key);
      return use(node.value);
    case "ExportNamedDeclaration":
      if (!node.source) node.specifiers.forEach(({ local }) => use(local));
      return;
    case "ExportSpecifier":
    case "ExportAllDeclaration":
    case "ImportAttribute":
    case "MetaProperty":
    case "LabeledStatement":
    case "BreakStatement":
    case "ContinueStatement":
      // What names itself in these is no variable. The body of a label is a statement.
      return;
  }
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) use(child);
  }
}

/** The names that a declaration's pattern binds. */
function boundBy(pattern: Node | null | undefined): string[] {
  if (!pattern) return [];
  const node = pattern as AnyNode;
  switch (node.type) {
    case "Identifier":
      return [node.name];
    case "ObjectPattern":
      return node.properties.flatMap((it) =>
        boundBy(it.type === "Property" ? it.value : it.argument)
      );
    case "ArrayPattern":
      return node.elements.flatMap(boundBy);
    case "AssignmentPattern":
      return boundBy(node.left);
    case "RestElement":
      return boundBy(node.argument);
    default:
      return [];
  }
}
