/** Text that what is made for a user begins with. */
export interface StarterOptions {
  /** The Redis to write to; `false` for none. By default, that of the shipped configuration. */
  readonly redis?: string | false;
  /** The own networks, as prefixes. By default, there are none in the file. */
  readonly ourNets?: readonly string[];
  /** How flosensor is called, in the words at its beginning. */
  readonly program: string;
}

/** The configuration itself. */
export const CONFIG_FILE = "config.ts";
/** What `flosensor/config` has, for editors and type checkers. */
export const TYPES_FILE = "flosensor.d.ts";

/** How the shipped configuration calls flosensor. */
const SHIPPED_PROGRAM = "deno task flosensor";
const REDIS_LINE = /^ {2}redis: .*$/m;
const OUR_NETS_LINE = /^ {2}\/\/ ourNets: .*$/m;

const IMPORT = "flosensor/config";

/** With it, Deno's language server and `deno check` know what config.ts imports. */
const DENO_CONFIG = { imports: { [IMPORT]: `./${TYPES_FILE}` } };

/** With it, `tsc` and editors without Deno do. */
const TYPESCRIPT_CONFIG = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    target: "esnext",
    module: "esnext",
    moduleResolution: "bundler",
    allowImportingTsExtensions: true,
    resolveJsonModule: true,
    types: [],
    paths: { [IMPORT]: [`./${TYPES_FILE}`] },
  },
  include: ["*.ts"],
};

/**
 * The files that a configuration begins with, by their names: the shipped config.ts, its types, and
 * what makes Deno and TypeScript find them.
 */
export async function starterFiles(options: StarterOptions): Promise<ReadonlyMap<string, string>> {
  const shipped = await Deno.readTextFile(new URL("../../config.ts", import.meta.url));
  const types = await Deno.readTextFile(new URL("./flosensor.d.ts", import.meta.url));
  return new Map([
    [CONFIG_FILE, configText(shipped, options)],
    [TYPES_FILE, types],
    ["deno.json", jsonText(DENO_CONFIG)],
    ["tsconfig.json", jsonText(TYPESCRIPT_CONFIG)],
  ]);
}

function configText(
  shipped: string,
  { redis, ourNets = [], program }: StarterOptions,
): string {
  let text = shipped.replaceAll(SHIPPED_PROGRAM, () => program);
  if (redis === false) text = text.replace(REDIS_LINE, (line) => line.replace(/^ {2}/, "  // "));
  else if (redis !== undefined) {
    text = text.replace(REDIS_LINE, () => `  redis: ${JSON.stringify(redis)},`);
  }
  if (ourNets.length > 0) {
    const list = ourNets.map((prefix) => JSON.stringify(prefix)).join(", ");
    text = text.replace(OUR_NETS_LINE, () => `  ourNets: [${list}],`);
  }
  return text;
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
