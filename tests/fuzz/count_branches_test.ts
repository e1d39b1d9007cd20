import assert from "node:assert/strict";
import typescript from "typescript";
import { type Branch, countBranches } from "./count_branches.ts";

const SOURCE = `export function kindOf(n: number): string {
  let all = "";
  for (let i = 0; i < n; i++) all += i;
  if (n < 0) return "below";
  else if (n === 0) all = "none";
  if (n > 1 && n < 5 || n === 9)
    if (n === 3) all += "!";
    else all += "?";
  switch (n) {
    case 1:
    case 2: {
      return all + "few";
    }
    case 7:
      return all + "seven";
  }
  const add = (text: string) => text + (n > 6 ? "many" : "some");
  return add(all);
}
`;

interface Module {
  kindOf(n: number): string;
}

function load(source: string): Promise<Module> {
  const { outputText } = typescript.transpileModule(source, {
    compilerOptions: {
      module: typescript.ModuleKind.ESNext,
      target: typescript.ScriptTarget.ESNext,
    },
  });
  return import(`data:text/javascript,${encodeURIComponent(outputText)}`);
}

Deno.test("a source that notes its branches does the same, and has the same lines", async () => {
  const branches: Branch[] = [];
  const counted = countBranches("kind.ts", SOURCE, branches, (i) => `globalThis.taken.add(${i})`);
  assert.equal(counted.split("\n").length, SOURCE.split("\n").length);
  const [plain, noting] = [await load(SOURCE), await load(counted)];
  const taken = new Set<number>();
  Object.assign(globalThis, { taken });
  try {
    for (let n = -1; n < 10; n++) assert.equal(noting.kindOf(n), plain.kindOf(n), `${n}`);
    assert.deepEqual([...branches.keys()].filter((branch) => !taken.has(branch)), []);
    taken.clear();
    noting.kindOf(0);
    assert.deepEqual(
      [...taken].map((branch) => `${branches[branch].line} ${branches[branch].kind}`).sort(),
      ["1 function", "17 function", "17 :", "5 else", "5 if", "6 else", "6 or"].sort(),
    );
  } finally {
    Reflect.deleteProperty(globalThis, "taken");
  }
});
