import typescript from "typescript";

/** A branch of a source: where control may go. */
export interface Branch {
  readonly file: string;
  readonly line: number;
  /** What kind: `function`, `if`, `else`, `case`, `loop`, `?`, `:`, `and`, `or`. */
  readonly kind: string;
}

/** What is put into a text, and where. */
interface Insertion {
  readonly at: number;
  readonly text: string;
  /** Of those at one place, the outer ones come first, and close last. */
  readonly order: number;
}

/**
 * Has a source note which of its branches are taken. Lines stay where they are.
 *
 * @param file What to call it.
 * @param text In TypeScript, or AssemblyScript, whose grammar is that of TypeScript.
 * @param branches All that are known; those of this source are added.
 * @param note The statement, and expression, that notes the branch of a number.
 */
export function countBranches(
  file: string,
  text: string,
  branches: Branch[],
  note: (branch: number) => string,
): string {
  const kind = file.endsWith("x") ? typescript.ScriptKind.TSX : typescript.ScriptKind.TS;
  const source = typescript.createSourceFile(
    ...[file, text, typescript.ScriptTarget.Latest, true, kind] as const,
  );
  const insertions: Insertion[] = [];
  const put = (at: number, inserted: string) =>
    insertions.push({ at, text: inserted, order: insertions.length });
  const close = (at: number, inserted: string) =>
    insertions.push({ at, text: inserted, order: -insertions.length });
  const branch = (node: typescript.Node, kind: string): string => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
    branches.push({ file, line: line + 1, kind });
    return note(branches.length - 1);
  };
  const inStatement = (node: typescript.Statement, kind: string) => {
    if (typescript.isBlock(node)) put(node.getStart(source) + 1, `${branch(node, kind)};`);
    else {
      put(node.getStart(source), `{${branch(node, kind)};`);
      close(node.getEnd(), "}");
    }
  };
  const inExpression = (node: typescript.Expression, kind: string) => {
    put(node.getStart(source), `(${branch(node, kind)},(`);
    close(node.getEnd(), "))");
  };
  const visit = (node: typescript.Node, isInFunction: boolean): void => {
    let isInside = isInFunction;
    if (typescript.isFunctionLike(node) && "body" in node && node.body !== undefined) {
      isInside = true;
      const body = node.body as typescript.Node;
      if (typescript.isBlock(body)) {
        put(body.getStart(source) + 1, `${branch(node, "function")};`);
      } else inExpression(body as typescript.Expression, "function");
    } else if (!isInFunction) {
      // What is made once, when a module is loaded, is no branch.
    } else if (typescript.isIfStatement(node)) {
      // What closes last is put first.
      if (node.elseStatement === undefined) {
        close(node.getEnd(), ` else {${branch(node, "else")};}`);
      } else inStatement(node.elseStatement, "else");
      inStatement(node.thenStatement, "if");
    } else if (typescript.isIterationStatement(node, false)) {
      inStatement(node.statement, "loop");
    } else if (typescript.isCaseOrDefaultClause(node) && node.statements.length > 0) {
      put(node.statements[0].getStart(source), `${branch(node, "case")};`);
    } else if (typescript.isConditionalExpression(node)) {
      inExpression(node.whenTrue, "?");
      inExpression(node.whenFalse, ":");
    } else if (typescript.isBinaryExpression(node)) {
      const operator = node.operatorToken.kind;
      if (operator === typescript.SyntaxKind.AmpersandAmpersandToken) {
        inExpression(node.right, "and");
      } else if (
        operator === typescript.SyntaxKind.BarBarToken ||
        operator === typescript.SyntaxKind.QuestionQuestionToken
      ) inExpression(node.right, "or");
    }
    typescript.forEachChild(node, (child) => visit(child, isInside));
  };
  visit(source, false);
  // At one place what closes an inner node comes before what closes an outer one, and both before what opens.
  insertions.sort((one, other) => one.at - other.at || one.order - other.order);
  let counted = "";
  let from = 0;
  for (const { at, text: inserted } of insertions) {
    counted += text.slice(from, at) + inserted;
    from = at;
  }
  return counted + text.slice(from);
}
