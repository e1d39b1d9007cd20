import { builtinModules } from "node:module";
import { basename, dirname, join, relative, resolve } from "node:path";
import * as esbuild from "esbuild";
import { UserError } from "../src/user_error.ts";
import { installPagePackages, pagePackages } from "../tools/page.ts";
import { installPackages } from "./install_packages.ts";
import { PROJECT } from "./project.ts";

/** What the program is made of, in a folder of its own. */
export interface Bundle {
  /** The folder. Everything in it belongs to the program. */
  readonly directory: string;
  /** The module to run. */
  readonly main: string;
  /** Names and folders of the npm packages that are in it. */
  readonly packages: readonly BundledPackage[];
}

/** A package of which something is in the bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly directory: string;
}

const ENTRY = "src/cli/program.ts";
/** Lines stay lines, so that the place of a defect can be told. */
const LINE_LIMIT = 100;
/** A file that a module names relative to itself: one to read as it is, or else a module to run. */
const OWN_FILE = /(readTextFile\(\s*)?new URL\(\s*"(\.[^"]+)",\s*import\.meta\.url\s*,?\s*\)/g;
const NO_TIME = new Date(0);
/** A module's package, from the last folder of packages in its path. */
const PACKAGE = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//;

/**
 * Modules written in the older form ask for Node's by a function `require`, which esbuild leaves to
 * the one that it finds. This one loads nothing before it is called.
 */
const REQUIRE = "const require = (name) => process.getBuiltinModule(name);";

/** Packages name Node's modules without `node:` too, which Deno does not take in a compiled program. */
const BUILT_IN = Object.fromEntries(
  builtinModules.filter((name) => !name.includes("/")).map((name) => [name, `node:${name}`]),
);

/**
 * Makes a few modules of the program's and its packages' many, and leaves out what is not used.
 *
 * Deno would put whole packages into the compiled file. Loading them is what takes the time at
 * start, and what fills memory. What a command loads only when it is needed stays apart.
 *
 * The same sources and packages make the same bytes.
 *
 * @param directory Where to make it, an empty folder in that for what is built.
 */
export async function bundle(directory: string): Promise<Bundle> {
  const packages = join(directory, "packages");
  const output = join(directory, "program");
  await installPackages(packages, await programPackages(), join(PROJECT, "deno.lock"));
  const { modules, texts } = await findOwnFiles();
  try {
    const { metafile } = await esbuild.build({
      entryPoints: [join(PROJECT, ENTRY), ...[...modules].sort()],
      // Names of chunks are made of paths from here on: all are the same, wherever the project lies.
      absWorkingDir: directory,
      outdir: output,
      entryNames: "[name]",
      chunkNames: "[name]-[hash]",
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      target: "esnext",
      minifySyntax: true,
      minifyWhitespace: true,
      lineLimit: LINE_LIMIT,
      nodePaths: [join(packages, "node_modules")],
      alias: { ...BUILT_IN, "flosensor/config": join(PROJECT, "src/config/mod.ts") },
      banner: { js: REQUIRE },
      legalComments: "none",
      metafile: true,
      logLevel: "silent",
      plugins: [ownFilePlugin()],
    });
    for (const file of texts) await Deno.copyFile(file, join(output, textName(file)));
    // The compiled file has the times of its files in it.
    for (const { name } of Deno.readDirSync(output)) {
      await Deno.utime(join(output, name), NO_TIME, NO_TIME);
    }
    const inputs = Object.keys(metafile.inputs).map((path) => resolve(directory, path));
    return {
      directory: output,
      main: join(output, "program.js"),
      packages: [...packagesOf(inputs), ...await packagesOfPage(join(directory, "page"))]
        .sort((one, other) => one.name < other.name ? -1 : 1),
    };
  } catch (error) {
    throw buildError(error, directory);
  } finally {
    await esbuild.stop();
  }
}

/** The first thing that esbuild found wrong with the source, with its place. */
function buildError(error: unknown, directory: string): unknown {
  const [first] = (error as Partial<esbuild.BuildFailure>).errors ?? [];
  if (first === undefined) return error;
  const { location, text } = first;
  const place = location === null
    ? "the program"
    : `${relative(PROJECT, resolve(directory, location.file))}:${location.line}`;
  return new UserError(`${place}: ${text}`, 1, { cause: error });
}

/** The npm packages that deno.json names, as it names them. */
export async function programPackages(): Promise<Record<string, string>> {
  const { imports } = JSON.parse(await Deno.readTextFile(join(PROJECT, "deno.json")));
  return Object.fromEntries(
    Object.entries<string>(imports).filter(([, specifier]) => specifier.startsWith("npm:")),
  );
}

/** Paths of all files that modules of the program name relative to themselves. */
async function findOwnFiles(
  directory = join(PROJECT, "src"),
  found = { modules: new Set<string>(), texts: new Set<string>() },
): Promise<{ modules: ReadonlySet<string>; texts: ReadonlySet<string> }> {
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = join(directory, name);
    if (isDirectory) {
      await findOwnFiles(path, found);
    } else if (name.endsWith(".ts")) {
      for (const [, read, file] of (await Deno.readTextFile(path)).matchAll(OWN_FILE)) {
        const files = read === undefined ? found.modules : found.texts;
        files.add(resolve(dirname(path), file));
      }
    }
  }
  return found;
}

/** What a file that is only read is called in the bundle: by its own name Deno would take it for code. */
function textName(file: string): string {
  return `${basename(file)}.txt`;
}

/** In the bundle, these files lie beside the modules. */
function ownFilePlugin(): esbuild.Plugin {
  return {
    name: "own files",
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (!path.startsWith(join(PROJECT, "src"))) return undefined;
        const text = await Deno.readTextFile(path);
        const contents = text.replaceAll(OWN_FILE, (_, read: string | undefined, file: string) => {
          const name = read === undefined ? basename(file).replace(/\.ts$/, ".js") : textName(file);
          return `${read ?? ""}new URL(${JSON.stringify(`./${name}`)}, import.meta.url)`;
        });
        return { contents, loader: "ts" };
      });
    },
  };
}

function packagesOf(inputs: readonly string[]): BundledPackage[] {
  const packages = new Map<string, string>();
  for (const input of inputs) {
    const found = PACKAGE.exec(input);
    if (found !== null) packages.set(found[1], found[0]);
  }
  return [...packages].map(([name, directory]) => ({ name, directory }));
}

/** The page is in the bundle as it was made: with its packages. */
async function packagesOfPage(directory: string): Promise<BundledPackage[]> {
  await installPagePackages(directory);
  return Object.keys(await pagePackages()).map((name) => ({
    name,
    directory: join(directory, "node_modules", name),
  }));
}
