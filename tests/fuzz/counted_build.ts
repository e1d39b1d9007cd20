/** A copy of the program that notes which of its branches are taken. */
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { compile, WASM_PROGRAMS } from "../../tools/wasm_programs.ts";
import { type Branch, countBranches } from "./count_branches.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const COPIED = ["src", "ffi", "tests", "tools", "docs/examples"];
const COPIED_FILES = ["mod.ts", "config.ts", "deno.json", "deno.lock"];
/** What runs in a browser; programs in WebAssembly and other made files; what has nothing but types. */
const NOT_COUNTED =
  /^src\/web\/page(\/|_files)|\/(observation_)?program\.ts$|\/assembly\/|\.d\.ts$/;
const IS_ASSEMBLY = /\/assembly\//;
/** The name by which a counted program has the branches. */
const NAME = "__reachedBranches";

/**
 * Makes the copy.
 *
 * The branches of TypeScript are noted in an array. Those of AssemblyScript are noted by a function that
 * the program in WebAssembly imports: it is compiled once more, of sources with calls of it.
 *
 * @param folder Where; what is there is removed.
 * @returns All branches, by their numbers.
 */
export async function makeCountedBuild(folder: string): Promise<Branch[]> {
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  const branches: Branch[] = [];
  const reached = pathToFileURL(join(folder, "tests/fuzz/reached_branches.ts"));
  const end = `\nimport { reachedBranches as ${NAME} } from "${reached}";\n`;
  for (const path of [...COPIED.flatMap(filesIn), ...COPIED_FILES]) {
    const text = await Deno.readTextFile(join(ROOT, path));
    const isCounted = path.startsWith("src/") && path.endsWith(".ts") && !NOT_COUNTED.test(path);
    const counted = isCounted
      ? countBranches(path, text, branches, (branch) => `${NAME}[${branch}]=1`) + end
      : text;
    await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
    await Deno.writeTextFile(join(folder, path), counted);
  }
  await countAssembly(folder, branches);
  return branches;
}

async function countAssembly(folder: string, branches: Branch[]): Promise<void> {
  const declaration =
    `\n@external("host", "${NAME}") declare function ${NAME}(branch: i32): void;\n`;
  // Programs share modules, whose branches are the same ones.
  const counted = new Map<string, string>();
  for (const program of WASM_PROGRAMS) {
    const binary = await compile(program, (text, module) => {
      const path = fileURLToPath(module).slice(ROOT.length);
      if (!IS_ASSEMBLY.test(path)) return text;
      if (!counted.has(path)) {
        const note = (branch: number) => `${NAME}(${branch})`;
        counted.set(path, countBranches(path, text, branches, note) + declaration);
      }
      return counted.get(path)!;
    });
    const path = join(folder, fileURLToPath(program.module).slice(ROOT.length));
    await Deno.writeTextFile(path, `export const PROGRAM: string = "${binary.toBase64()}";\n`);
  }
  const starter = join(folder, "src/wasm_program.ts");
  const text = await Deno.readTextFile(starter);
  const imports = "const imports = { env: { memory }, host };";
  if (!text.includes(imports)) throw new Error(`${starter}: ${imports} is not there`);
  const note = `${NAME}: (branch: number) => void (${NAME}[branch] = 1)`;
  await Deno.writeTextFile(
    starter,
    text.replace(imports, `const imports = { env: { memory }, host: { ...host, ${note} } };`),
  );
}

/** All source files below a folder. */
function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(join(ROOT, folder))].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return filesIn(path);
    return /\.(ts|tsx|json|txt|lock|css|html|svg)$/.test(name) ? [path] : [];
  });
}
