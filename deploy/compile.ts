/**
 * Makes the program one file that runs by itself: `deno task compile [--all]`.
 *
 * @module
 */
import { basename, isAbsolute, join } from "node:path";
import { parseArgs } from "node:util";
import { UserError } from "../src/user_error.ts";
import { VERSION } from "../src/version.ts";
import { type Bundle, bundle } from "./bundle.ts";
import { denoEnvironment } from "./deno_environment.ts";
import { CHECKSUMS, DIST, executableOf, LICENCES, SBOM, writeChecksums } from "./dist.ts";
import { licenceTexts } from "./licences.ts";
import { compiledPermissions } from "./permissions.ts";
import { program } from "./program.ts";
import { buildFolder, PROJECT } from "./project.ts";
import { ProgramError, run } from "./run.ts";
import { sbom } from "./sbom.ts";
import { isFor, ownTarget, type Target, TARGETS } from "./target.ts";

const HELP = `Usage: deno task compile [options]

Makes dist/flosensor-<target> for this machine, and dist/${CHECKSUMS}.

Options:
  --all                  for all machines: ${TARGETS.map(({ name }) => name).join(", ")}
  --socket <path>  a Unix socket of Redis or dnstap that the file may use, beside the usual ones
  --output <folder>      in the place of dist; a folder in it, or in build
`;
const MEBIBYTE = 1024 * 1024;
/** Names the base runtime, as for `deno compile` itself. */
const BASE_RUNTIME = "DENORT_BIN";
/** What `deno compile` says that it was at when the base runtime could not be had. */
const DOWNLOAD = "Setting up base binary";

const V8_OPTIONS = new URL("../src/cli/v8_options.txt", import.meta.url);

/** What is to be made. */
interface CompileOptions {
  readonly targets: readonly Target[];
  readonly output: string;
  readonly sockets: readonly string[];
}

/**
 * Makes the files.
 *
 * @throws {UserError} when one can't be made; those before it stay.
 */
async function compile({ targets, output, sockets }: CompileOptions): Promise<void> {
  await Deno.mkdir(output, { recursive: true });
  const directory = await Deno.makeTempDir({ dir: await buildFolder(), prefix: "compile-" });
  try {
    const made = await bundle(directory);
    await Deno.writeTextFile(join(output, LICENCES), await licenceTexts(made.packages));
    await Deno.writeTextFile(join(output, SBOM), await sbom(made.packages, Deno.version.deno));
    for (const target of targets) await compileFor(target, made, output, sockets);
  } finally {
    await writeChecksums(output);
    await Deno.remove(directory, { recursive: true });
  }
}

async function compileFor(
  target: Target,
  { directory, main }: Bundle,
  output: string,
  sockets: readonly string[],
): Promise<void> {
  const file = executableOf(target, output);
  const base = await baseRuntimeFor(target);
  try {
    await run(Deno.execPath(), [
      ...["compile", "--quiet", "--no-check", "--no-config", "--no-lock", "--no-remote"],
      // The cache would be a file of a known name in /tmp, read as code by whoever runs the program.
      "--no-code-cache",
      ...(await Deno.readTextFile(V8_OPTIONS)).trimEnd().split("\n"),
      ...await unstableFeatures(),
      ...compiledPermissions(sockets),
      ...["--target", target.name, "--include", directory, "--output", file, main],
    ], { env: environment(base) });
  } catch (error) {
    const isDownload = error instanceof ProgramError && error.said.includes(DOWNLOAD);
    throw isDownload ? noBaseRuntime(target, error) : error;
  }
  await requireToRun(target, file, base);
  const { size } = await Deno.stat(file);
  console.log(`${file}: ${Math.round(size / MEBIBYTE)} MiB`);
}

/** The options for what deno.json names of Deno's unstable features. */
async function unstableFeatures(): Promise<string[]> {
  const { unstable = [] } = JSON.parse(await Deno.readTextFile(join(PROJECT, "deno.json")));
  return unstable.map((feature: string) => `--unstable-${feature}`);
}

function environment(base: string): Record<string, string> {
  const { [BASE_RUNTIME]: _other, ...environment } = denoEnvironment();
  return base === "" ? environment : { ...environment, [BASE_RUNTIME]: base };
}

/** The base runtime that the environment names, if it is one for this target; else none. */
async function baseRuntimeFor(target: Target): Promise<string> {
  const base = Deno.env.get(BASE_RUNTIME) ?? "";
  if (base === "") return "";
  try {
    return await isFor(target, base) ? base : "";
  } catch (error) {
    throw new UserError(`${BASE_RUNTIME}=${base}: can't be read (${(error as Error).message})`);
  }
}

function noBaseRuntime(target: Target, error: ProgramError): UserError {
  const reason = /^\s*\d+: (.*https:.*)$/m.exec(error.said)?.[1] ?? "no reason was given";
  return new UserError(
    `${target.name}: the base runtime can't be downloaded (${reason}): set ${BASE_RUNTIME} to the path of a denort of Deno ${Deno.version.deno} for it`,
    1,
    { cause: error },
  );
}

/** A base runtime of another release may make a file that does not start. */
async function requireToRun(target: Target, file: string, base: string): Promise<void> {
  if (target.name !== Deno.build.target) return;
  const said = await run(file, ["--version"]).catch((error) => error);
  if (said === `${VERSION}\n`) return;
  const reason = said instanceof ProgramError ? said.said.trim().split("\n")[0] : String(said);
  await Deno.remove(file);
  throw new UserError(
    `${basename(file)} does not run (${reason}): ` +
      (base === "" ? "this is a defect" : `${BASE_RUNTIME} must be of Deno ${Deno.version.deno}`),
  );
}

function options(): CompileOptions | null {
  const { values } = parseArgs({
    options: {
      all: { type: "boolean", default: false },
      output: { type: "string", default: DIST },
      socket: { type: "string", multiple: true, default: [] },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return null;
  const sockets = values.socket;
  const wrong = sockets.find((path) => !isAbsolute(path) || path.includes(","));
  if (wrong !== undefined) {
    throw new UserError(`--socket ${wrong}: write an absolute path without commas`, 2);
  }
  return { targets: values.all ? TARGETS : [ownTarget()], output: values.output, sockets };
}

if (import.meta.main) {
  await program("compile", async () => {
    const chosen = options();
    if (chosen === null) console.log(HELP.trimEnd());
    else await compile(chosen);
  });
}
