import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { starterFiles } from "../../src/config/starter_files.ts";
import { withFiles } from "./temporary_files.ts";

const ROOT = new URL("../../", import.meta.url);
/** The same as in tools/packages, of which this is the program. */
const TSC = "npm:typescript@^6.0.3/tsc";

/** What checks the types of all files of a folder, at once, as each run takes seconds. */
interface Checker {
  readonly name: string;
  /** Arguments of deno, before the files. */
  readonly args: readonly string[];
  /** Whether what `init` writes is beside config.ts. */
  readonly isInitialized: boolean;
  /** Whether the files are named; otherwise tsconfig.json does. */
  readonly takesFiles: boolean;
  /** Where what it says of one error begins. */
  readonly beginning: RegExp;
}

const CHECKERS: readonly Checker[] = [
  {
    name: "deno check with the project's deno.json",
    args: ["check", "--quiet", "--config", fileURLToPath(new URL("deno.json", ROOT))],
    isInitialized: false,
    takesFiles: true,
    beginning: /^(?=TS\d+ )/m,
  },
  {
    name: "deno check after init",
    args: ["check", "--quiet"],
    isInitialized: true,
    takesFiles: true,
    beginning: /^(?=TS\d+ )/m,
  },
  {
    name: "tsc --noEmit after init",
    args: ["run", "--quiet", "--no-lock", "--no-config", "--allow-all", TSC, "--noEmit"],
    isInitialized: true,
    takesFiles: false,
    beginning: /^(?=\S+\.ts\()/m,
  },
];

const NETWORKS =
  `networks: [["our_nets", OUR_NETS], ["bert", "10.33.0.1/32"], ["external", "0.0.0.0/0", "::/0"]],`;

/** Settings, and what is said of them: nothing where they are right. */
const CASES: Readonly<Record<string, { settings: string; said: readonly RegExp[] }>> = {
  "takes rules that name a network or null, and a function that knows the networks": {
    settings: `${NETWORKS} flows: [
      [null, "our_nets", LowerPort(SRC)],
      ["bert", "external", (flow) => {
        const network: "our_nets" | "bert" | "external" = flow.srcNetwork;
        if (network === "bert" && flow.protocol === "udp") return "drop";
        if (flow.sport === 1) return { client: flow.src, server: flow.dst, port: flow.dport };
      }],
      ["external", "bert", Assign(DST, SRC, { ports: new Set([53]), drop: true })],
    ]`,
    said: [],
  },
  "takes a rule for the one network of a file without networks": {
    settings: `flows: [["all", null, LowerPort()]]`,
    said: [],
  },
  "refuses a rule that names an unknown network, and names those that there are": {
    settings: `${NETWORKS} flows: [[null, "our_net", LowerPort(SRC)]]`,
    said: [/"our_net"' is not assignable to type/, /"our_nets"/],
  },
  "refuses a network in a file without networks": {
    settings: `flows: [["lan", null, LowerPort()]]`,
    said: [/'"lan"' is not assignable/],
  },
  "refuses an unknown setting": { settings: `tll: 900`, said: [/'tll' does not exist/] },
  "refuses an action that is not called": {
    settings: `flows: [[null, null, LowerPort]]`,
    said: [/not assignable/],
  },
  "refuses what merely has the form of an action": {
    settings: `flows: [[null, null, { alwaysMatches: true, usesEvidence: false, ` +
      `describe: () => "", toString: () => "" }]]`,
    said: [/not assignable/],
  },
  "refuses a wrong option of an action": {
    settings: `flows: [[null, null, PortMatch([53], { precedence: "first" })]]`,
    said: [/'"first"' is not assignable/],
  },
  "refuses an action that is not imported": {
    settings: `flows: [[null, null, Service()]]`,
    said: [/Cannot find name 'Service'/],
  },
};

const IMPORT = `import { Assign, defineConfig, DST, LowerPort, OUR_NETS, PortMatch, SRC } from ` +
  `"flosensor/config";\nvoid [Assign, DST, LowerPort, OUR_NETS, PortMatch, SRC];\n`;

/** What a checker says of each file. */
async function errorsOf(
  { args, isInitialized, takesFiles, beginning }: Checker,
  files: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const starter = isInitialized ? await starterFiles({ program: "flosensor" }) : [];
  const names = Object.keys(files);
  let said = "";
  await withFiles({ ...Object.fromEntries(starter), ...files }, async (directory) => {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...args, ...(takesFiles ? names : [])],
      cwd: directory,
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    said = decoder.decode(stdout) + decoder.decode(stderr);
  });
  const errors = said.split(beginning);
  // Whatever is said of no file is wrong with the check itself.
  const rest = errors.filter((error) => !names.some((name) => error.includes(name)));
  assert.equal(rest.join("").trim(), "");
  return Object.fromEntries(
    names.map((name) => [name, errors.filter((it) => it.includes(name)).join("")]),
  );
}

for (const checker of CHECKERS) {
  Deno.test(checker.name, async (test) => {
    const shipped = await Deno.readTextFile(new URL("config.ts", ROOT));
    const cases = Object.values(CASES).map(({ settings }, i) => [
      `case_${i}.ts`,
      `${IMPORT}export default defineConfig({${settings}});\n`,
    ]);
    const errors = await errorsOf(checker, {
      "config.ts": shipped,
      ...Object.fromEntries(cases),
    });
    await test.step("takes the shipped config.ts", () => assert.equal(errors["config.ts"], ""));
    for (const [i, [name, { said }]] of Object.entries(CASES).entries()) {
      await test.step(name, () => {
        const found = errors[`case_${i}.ts`];
        if (said.length === 0) assert.equal(found, "");
        for (const pattern of said) assert.match(found, pattern);
      });
    }
  });
}
