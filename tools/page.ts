/**
 * Makes the page of its sources in `src/web/page`: `deno task page`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { installPackages } from "../deploy/install_packages.ts";

const PAGE = fileURLToPath(new URL("../src/web/page/", import.meta.url));
const PROJECT = fileURLToPath(new URL("../", import.meta.url));

/** The module that is made: the files of the page as texts, so that they are in the compiled program. */
export const PAGE_FILES: URL = new URL("../src/web/page_files.ts", import.meta.url);

const HEADING = `/** A file of the page. */
export interface PageFile {
  readonly type: string;
  /** For \`ETag\`. */
  readonly tag: string;
  readonly text: string;
}

// Made of src/web/page by "deno task page".
/** The files of the page, by their paths. */
`;

/** The text of the module with the page. */
export async function pageFilesText(): Promise<string> {
  const files = {
    "/": ["text/html; charset=utf-8", await minified("page.html")],
    "/page.css": ["text/css; charset=utf-8", await style()],
    "/page.js": ["text/javascript; charset=utf-8", await script()],
    "/icon.svg": ["image/svg+xml", await minified("icon.svg")],
  };
  const entries = Object.entries(files).map(([path, [type, text]]) => {
    const tag = `"${createHash("sha256").update(text).digest("hex").slice(0, 16)}"`;
    const quoted = (value: string) => JSON.stringify(value);
    const lines = text.split("\n").map((line) => `      ${quoted(line)},\n`).join("");
    return `  ${quoted(path)}: {\n    type: ${quoted(type)},\n    tag: ${quoted(tag)},\n` +
      `    text: [\n${lines}    ].join("\\n"),\n  },\n`;
  });
  return `${HEADING}export const PAGE: Readonly<Record<string, PageFile>> = {\n${
    entries.join("")
  }};\n`;
}

async function minified(file: string): Promise<string> {
  return (await Deno.readTextFile(join(PAGE, file))).trim().replaceAll(/\n\s*/g, "\n");
}

async function style(): Promise<string> {
  const source = await Deno.readTextFile(join(PAGE, "page.css"));
  return (await esbuild.transform(source, {
    loader: "css",
    minify: true,
    lineLimit: LINE_LIMIT,
    target: TARGET,
  })).code;
}

const LINE_LIMIT = 120;
/** What browsers of the last years know. */
const TARGET = ["chrome110", "firefox110", "safari16"];

async function script(): Promise<string> {
  const packages = await Deno.makeTempDir({ prefix: "flosensor-page-" });
  try {
    await installPagePackages(packages);
    const { outputFiles } = await esbuild.build({
      entryPoints: [join(PAGE, "app.tsx")],
      absWorkingDir: PROJECT,
      bundle: true,
      write: false,
      format: "esm",
      platform: "browser",
      target: TARGET,
      minify: true,
      // Where the page changes, not all of it should.
      lineLimit: LINE_LIMIT,
      jsx: "automatic",
      jsxImportSource: "preact",
      nodePaths: [join(packages, "node_modules")],
      legalComments: "inline",
      logLevel: "silent",
    });
    return outputFiles[0].text;
  } finally {
    await esbuild.stop();
    await Deno.remove(packages, { recursive: true });
  }
}

/** The npm packages of the page, as they are asked for. */
export async function pagePackages(): Promise<Record<string, string>> {
  const { imports } = JSON.parse(await Deno.readTextFile(join(PAGE, "deno.json")));
  const packages: Record<string, string> = {};
  for (const file of Object.values<string>(imports)) {
    const text = await Deno.readTextFile(join(PAGE, file));
    const [, name, version] = /"npm:((?:@[^/]+\/)?[^@/"]+)@([^/"]+)/.exec(text)!;
    packages[name] = `npm:${name}@${version}`;
  }
  return packages;
}

/** Puts the page's packages, at the versions that are locked, where esbuild looks. */
export async function installPagePackages(directory: string): Promise<void> {
  await installPackages(directory, await pagePackages(), join(PROJECT, "tools/deno.lock"));
}

if (import.meta.main) await Deno.writeTextFile(PAGE_FILES, await pageFilesText());
