import assert from "node:assert/strict";
import { join } from "node:path";
import { cidrText } from "../../src/config/cidr.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Cidr } from "../../src/config/cidr.ts";
import { UserError } from "../../src/user_error.ts";
import { withFiles } from "./temporary_files.ts";

const IMPORT = `import { Assign, defineConfig, DST, LowerPort, OUR_NETS, PortMatch, SRC } ` +
  `from "flosensor/config";\n`;

/** The one line that loading `config.ts` fails with; `DIR/` stands for its directory. */
async function messageOf(files: Record<string, string>): Promise<string> {
  let message = "";
  await withFiles(files, async (directory) => {
    await assert.rejects(loadConfig(join(directory, "config.ts")), (error) => {
      assert.ok(error instanceof UserError, `${error}`);
      assert.equal(error.exitStatus, 1);
      assert.ok(!error.message.includes("\n"), "one line");
      message = error.message.replaceAll(`${directory}/`, "DIR/");
      return true;
    });
  });
  return message;
}

/** The line for a config.ts with these settings, which begin on its line 3. */
async function messageOfSettings(settings: string): Promise<string> {
  return await messageOf({
    "config.ts": `${IMPORT}export default defineConfig({\n${settings}\n});`,
  });
}

const WRONG_SETTINGS: [string, settings: string, message: string][] = [
  [
    "an unknown network in a rule",
    `networks: [["our_nets", OUR_NETS]],\nflows: [\n[null, null, LowerPort()],\n[null, "our_net", LowerPort()]]`,
    'DIR/config.ts:6: unknown network "our_net" (flows[1]): did you mean "our_nets"?',
  ],
  [
    "an unknown network that is like no other",
    `networks: [["a", OUR_NETS], ["b", "::/0"]],\nflows: [["zebra", null, LowerPort()]]`,
    'DIR/config.ts:4: unknown network "zebra" (flows[0]): the networks are a, b; null is any',
  ],
  [
    "OUR_NETS in the place of a network's name",
    `flows: [[OUR_NETS, null, LowerPort()]]`,
    'DIR/config.ts:3: OUR_NETS is no network\'s name (flows[0]): define a network, ["our_nets", OUR_NETS], and write its name here',
  ],
  [
    "a rule of two",
    `flows: [\n[null, LowerPort()],\n]`,
    'DIR/config.ts:4: [null,"LowerPort(SRC)"] is not a rule (flows[0]): write [source network, destination network, action], null for any network',
  ],
  [
    "an action that is not called",
    `flows: [[null,\nnull,\nLowerPort]]`,
    "DIR/config.ts:5: LowerPort is not called (flows[0]): write LowerPort(...)",
  ],
  [
    "an action that is none",
    `flows: [[null, null, "lower"]]`,
    'DIR/config.ts:3: "lower" is not an action (flows[0]): use Assign, Initiator, LowerPort, PortMatch, Service or a function',
  ],
  [
    "a network's name twice",
    `networks: [\n["a", "10.0.0.0/8"],\n["a", "::/0"]]`,
    'DIR/config.ts:5: network "a" is already networks[0] (networks[1]): put all its prefixes into one entry, or give it another name',
  ],
  [
    "a network without a prefix",
    `networks: [["a"]]`,
    'DIR/config.ts:3: network "a" has no prefix (networks[0]): write ["a", "10.0.0.0/8"]',
  ],
  [
    "a mask out of range, on the prefix's own line",
    `networks: [["a", "10.0.0.0/8",\n"10.0.0.0/33"]]`,
    'DIR/config.ts:4: "10.0.0.0/33" has no prefix length from 0 to 32 after the slash (networks[0]): after "10.0.0.0/" write a number from 0 to 32',
  ],
  [
    "a netmask",
    `networks: [["a", "10.0.0.0/255.255.0.0"]]`,
    'DIR/config.ts:3: "10.0.0.0/255.255.0.0" has no prefix length from 0 to 32 after the slash (networks[0]): write "10.0.0.0/16"',
  ],
  [
    "bits set beyond the prefix",
    `networks: [["a", "10.0.11.23/16"]]`,
    'DIR/config.ts:3: "10.0.11.23/16" has bits set beyond /16 (networks[0]): write "10.0.0.0/16", or "10.0.11.23" for the one address',
  ],
  [
    "bits set beyond an IPv6 prefix in ourNets",
    `ourNets: ["2001:db8::1/32"]`,
    'DIR/config.ts:3: "2001:db8::1/32" has bits set beyond /32 (ourNets[0]): write "2001:db8::/32", or "2001:db8::1" for the one address',
  ],
  [
    "a shortened IPv4 address",
    `networks: [["a", "10.1/16"]]`,
    'DIR/config.ts:3: "10.1/16" is not an address of four decimal numbers (networks[0]): if "10.1.0.0/16" is meant, write that',
  ],
  [
    "an octal IPv4 address",
    `networks: [["a", "010.0.0.1"]]`,
    'DIR/config.ts:3: "010.0.0.1" is not an address of four decimal numbers (networks[0]): if "8.0.0.1" is meant, write that',
  ],
  [
    "an IPv4-mapped prefix",
    `networks: [["a", "::ffff:10.0.0.0/104"]]`,
    'DIR/config.ts:3: "::ffff:10.0.0.0/104" is an IPv4-mapped prefix, which no packet matches (networks[0]): write the IPv4 prefix, "10.0.0.0/8"',
  ],
  [
    "a zone",
    `networks: [["a", "fe80::1%eth0"]]`,
    'DIR/config.ts:3: "fe80::1%eth0" has a zone, which packets do not carry (networks[0]): write "fe80::1"',
  ],
  [
    "a host name",
    `networks: [["a", "localhost"]]`,
    'DIR/config.ts:3: "localhost" is not an IPv4 or IPv6 prefix (networks[0]): write it as "10.0.0.0/8", "2001:db8::/32" or a single address',
  ],
  [
    "a port that is 0",
    `flows: [\n[null, null, LowerPort()],\n[null, null, PortMatch([0])]]`,
    "DIR/config.ts:5: 0 in PortMatch is not a port: a port is a whole number from 1 to 65535",
  ],
  [
    "a port beyond 65535",
    `flows: [[null, null,\nAssign(SRC, DST, { ports: [80, 65536] })]]`,
    "DIR/config.ts:4: 65536 in Assign is not a port: a port is a whole number from 1 to 65535",
  ],
  [
    "a port that is text",
    `flows: [[null, null, PortMatch(["80"])]]`,
    'DIR/config.ts:3: "80" in PortMatch is not a port: write 80 without quotes',
  ],
  [
    "an empty list of ports",
    `flows: [[null, null, PortMatch([])]]`,
    "DIR/config.ts:3: ports of PortMatch are an empty list, which matches nothing: name at least one",
  ],
  [
    "a port in the place of an end",
    `flows: [\n[null, null, LowerPort(7)]]`,
    "DIR/config.ts:4: tie of LowerPort is 7: give SRC or DST",
  ],
  [
    "an unknown option of an action",
    `flows: [[null, null, Assign(SRC, DST, { port: [80] })]]`,
    'DIR/config.ts:3: Assign has no option "port": did you mean "ports"?',
  ],
  [
    "a drop that is text",
    `flows: [[null, null, PortMatch([80], { drop: "yes" })]]`,
    'DIR/config.ts:3: drop of PortMatch is "yes": give true or false',
  ],
  [
    "a port in ignoreFlows that is none",
    `ignoreFlows: [["10.0.0.1", 53],\n["10.0.0.1",\n70000]]`,
    "DIR/config.ts:5: 70000 is not a port (ignoreFlows[1]): a port is a whole number from 1 to 65535",
  ],
  [
    "a prefix in ignoreFlows",
    `ignoreFlows: [["10.0.0.0/8", 53]]`,
    'DIR/config.ts:3: "10.0.0.0/8" is not an IPv4 or IPv6 address (ignoreFlows[0]): ignoreFlows takes single addresses, without a prefix length',
  ],
  [
    "an unknown setting",
    `redis: "redis://localhost",\ntll: 900`,
    'DIR/config.ts:4: there is no such setting (tll): did you mean "ttl"?',
  ],
  [
    "a time to live of 0",
    `ttl: 0`,
    "DIR/config.ts:3: 0 is not a time to live (ttl): give whole seconds from 1 to 2147483647, as in ttl: 900",
  ],
  [
    "a time to live that is not whole",
    `ttl: 1.5`,
    "DIR/config.ts:3: 1.5 is not a time to live (ttl): give whole seconds from 1 to 2147483647, as in ttl: 900",
  ],
  [
    "a flush interval that is text",
    `flushInterval: "1s"`,
    'DIR/config.ts:3: "1s" is not an interval (flushInterval): give seconds from 0.01 to 3600',
  ],
  [
    "suppressOwnNetwork that is text",
    `suppressOwnNetwork: "no"`,
    'DIR/config.ts:3: "no" is neither true nor false (suppressOwnNetwork): write it without quotes',
  ],
  [
    "a Redis URL of another scheme, without its password",
    `redis: "https://user:secret@localhost"`,
    'DIR/config.ts:3: "https:" is not the URL of a Redis (redis): use redis://, rediss:// (TLS), unix://, redis-cluster:// or redis-sentinel://',
  ],
  [
    "a Redis that is a host and a port",
    `redis: "localhost:6379"`,
    'DIR/config.ts:3: this is not the URL of a Redis (redis): write it as "redis://localhost:6379"',
  ],
  [
    "a node of a Redis Cluster with another login, without its password",
    `redis: ["redis://:secret@a",\n "redis://b"]`,
    "DIR/config.ts:4: this node is logged in to in another way than the first one (redis[1]): all nodes of a cluster have the same users: write the same scheme, login and settings",
  ],
  [
    "a name of a sensor that can't be part of a key",
    `sensor: "cellar;2"`,
    'DIR/config.ts:3: "cellar;2" is no name of a sensor (sensor): write 1 to 64 letters, digits and any of ._-',
  ],
  [
    "flows that are no list",
    `flows: { a: 1 }`,
    'DIR/config.ts:3: {"a":1} is not a list (flows): write flows: [ ... ]',
  ],
];

for (const [what, settings, message] of WRONG_SETTINGS) {
  Deno.test(`loadConfig() refuses ${what} in one line`, async () => {
    assert.equal(await messageOfSettings(settings), message);
  });
}

const WRONG_FILES: [string, files: Record<string, string>, message: string][] = [
  [
    "a file without a default export",
    { "config.ts": `${IMPORT}\nexport const config = defineConfig({});` },
    "DIR/config.ts:3: there is no default export: write export default defineConfig({ ... })",
  ],
  [
    "an empty file",
    { "config.ts": "" },
    "DIR/config.ts:1: there is no default export: write export default defineConfig({ ... })",
  ],
  [
    "a default export that defineConfig did not make",
    { "config.ts": "\n\nexport default {\n  ttl: 3 };" },
    "DIR/config.ts:3: the default export is not made by defineConfig: write export default defineConfig({ ... })",
  ],
  [
    "a default export of a list",
    { "config.ts": `${IMPORT}export default defineConfig([] as never);` },
    "DIR/config.ts:2: defineConfig was given []: give it an object with settings",
  ],
  [
    "settings that were not waited for",
    { "config.ts": `${IMPORT}export default defineConfig(Promise.resolve({ ttl: 9 }) as never);` },
    "DIR/config.ts:2: defineConfig was given a promise: write await before what makes it",
  ],
  [
    "a missing bracket",
    { "config.ts": `${IMPORT}export default defineConfig({\n  ttl: 900,\n;` },
    'DIR/config.ts:4: syntax error (unexpected token, expected ","): mend this line or the one before it',
  ],
  [
    "a bracket that is missing where the parser says no place",
    { "config.ts": '/**/import {} from "";\n(@' },
    "DIR/config.ts:2: syntax error (invalid scope depth at end of file: 1): mend this line or the one before it",
  ],
  [
    "a line feed where the parser expects something else",
    { "config.ts": "//\n#\n(1)" },
    "DIR/config.ts:2: syntax error (unexpected character '\\u000a'): mend this line or the one before it",
  ],
  [
    "a text that is not closed",
    { "config.ts": `${IMPORT}export default defineConfig({\n  redis: "redis://,\n});` },
    "DIR/config.ts:3: syntax error (unterminated string constant): mend this line or the one before it",
  ],
  [
    "a syntax error in an imported file, by that file's name",
    {
      "config.ts":
        `${IMPORT}import { nets } from "./lib/nets.ts";\nexport default defineConfig({ networks: nets });`,
      "lib/nets.ts": "export const nets = [\n\n;",
    },
    "DIR/lib/nets.ts:3: syntax error (unexpected token): mend this line or the one before it",
  ],
  [
    "an import of no file",
    { "config.ts": `${IMPORT}\nimport { a } from "./a.ts";\nexport default defineConfig(a);` },
    "DIR/config.ts:3: DIR/a.ts: there is no such file: mend the import",
  ],
  [
    "a bare import",
    { "config.ts": `\nimport { a } from "lodash";\nexport default a;` },
    "DIR/config.ts:2: the import \"lodash\" can't be resolved: write a path that begins with ./ or ../, or npm: or node: before a package's name",
  ],
  [
    "a bare import that is almost right",
    {
      "config.ts":
        `import { defineConfig } from "flosensor/conf";\nexport default defineConfig({});`,
    },
    'DIR/config.ts:1: the import "flosensor/conf" can\'t be resolved: did you mean "flosensor/config"?',
  ],
  [
    "an import of a name that the vocabulary does not have",
    {
      "config.ts":
        `\nimport { defineConfig, LowestPort } from "flosensor/config";\nexport default defineConfig({ flows: [[null, null, LowestPort()]] });`,
    },
    'DIR/config.ts:2: "flosensor/config" exports no "LowestPort": did you mean "LowerPort"?',
  ],
  [
    "an import of a file that is no module",
    {
      "config.ts": `import nets from "./nets.txt";\nexport default nets;`,
      "nets.txt": "10.0.0.0/8",
    },
    'DIR/config.ts:1: "./nets.txt" can\'t be imported (its name ends in ".txt"): a configuration is made of .ts, .js and .json files',
  ],
  [
    "an import of JSON as code",
    { "config.ts": `import nets from "./nets.json";\nexport default nets;`, "nets.json": "[]" },
    'DIR/config.ts:1: "./nets.json" is imported as code: write with { type: "json" } after it',
  ],
  [
    "files that import each other",
    {
      "config.ts": `${IMPORT}import { a } from "./a.ts";\nexport default defineConfig(a);`,
      "a.ts": `export { b as a } from "./b.ts";`,
      "b.ts": `\nimport { a } from "./a.ts";\nexport const b = a;`,
    },
    'DIR/b.ts:2: "./a.ts" imports this file again: move what both need into a third file',
  ],
  [
    "what it throws while it is loaded",
    {
      "config.ts":
        `${IMPORT}interface Unused {\n  a: string;\n}\n\nnull!.foo;\nexport default defineConfig({});`,
    },
    "DIR/config.ts:6: Cannot read properties of null (reading 'foo') (TypeError while the configuration was loaded): mend what the line does",
  ],
  [
    "what an imported file throws, by that file's name",
    {
      "config.ts": `${IMPORT}import "./lib.ts";\nexport default defineConfig({});`,
      "lib.ts": `enum Port { Dns = 53 }\n\nthrow new Error(\`port \${Port.Dns}\`);`,
    },
    "DIR/lib.ts:3: port 53 (Error while the configuration was loaded): mend what the line does",
  ],
  [
    "a wrong argument in an imported file, by that file's name",
    {
      "config.ts":
        `${IMPORT}import { dns } from "./dns.ts";\nexport default defineConfig({ flows: [[null, null, dns]] });`,
      "dns.ts":
        `import { PortMatch } from "flosensor/config";\nexport const dns = PortMatch([\n53, 53.5]);`,
    },
    "DIR/dns.ts:2: 53.5 in PortMatch is not a port: a port is a whole number from 1 to 65535",
  ],
];

for (const [what, files, message] of WRONG_FILES) {
  Deno.test(`loadConfig() refuses ${what} in one line`, async () => {
    assert.equal(await messageOf(files), message);
  });
}

/** Modules whose line 3 and those after it are these; what is wrong with them. */
const WRONG_NAMES: [string, text: string, message: string][] = [
  [
    "a name of the vocabulary that is not imported, at its own line",
    `export default defineConfig({\n  flows: [\n    [null, null,\n      Initiator()],\n  ],\n});`,
    'DIR/config.ts:6: Initiator is not imported: import it from "flosensor/config"',
  ],
  [
    "the same within a function, which is not called while it is loaded",
    `const rule = (flow: { src: string }) => {\n  return { client: flow.src, server: ALL_NETWORK, port: 1 };\n};\n` +
    `export default defineConfig({ flows: [[null, null, rule]] });`,
    'DIR/config.ts:4: ALL_NETWORK is not imported: import it from "flosensor/config"',
  ],
  [
    "a name of the vocabulary that is imported as a type",
    `import type { Flow, Service } from "flosensor/config";\nexport default defineConfig({ flows: [[null, null, Service()]] });`,
    'DIR/config.ts:4: Service is imported as a type: import it without "type"',
  ],
  [
    "a name that is imported as a type among others",
    `import { ALL_NETWORK, type Service } from "flosensor/config";\nexport default defineConfig({ networks: [[ALL_NETWORK, "::/0"]], flows: [[null, null, Service()]] });`,
    'DIR/config.ts:4: Service is imported as a type: import it without "type"',
  ],
  [
    "a misspelled name of the vocabulary",
    `export default defineConfig({\n  flows: [[null, null, LowrPort()]],\n});`,
    'DIR/config.ts:4: LowrPort is not defined: did you mean LowerPort, from "flosensor/config"?',
  ],
  [
    "a misspelled name of the file",
    `const networks = [["all", "::/0"]] as const;\nexport default defineConfig({\n  networks: netwroks,\n});`,
    "DIR/config.ts:5: netwroks is not defined: did you mean networks?",
  ],
  [
    "a name that is like no other",
    `export default defineConfig({ ttl: hour / 4 });`,
    "DIR/config.ts:3: hour is not defined: define it, or import it",
  ],
  [
    "a name that is only declared",
    `declare const hour: number;\nexport default defineConfig({ ttl: hour / 4 });`,
    "DIR/config.ts:4: hour is not defined: define it, or import it",
  ],
  [
    "an export in the way of CommonJS",
    `module.exports = defineConfig({});`,
    "DIR/config.ts:3: module is not defined: write export default",
  ],
  [
    "an import in the way of CommonJS",
    `const { hostname } = require("node:os");\nexport default defineConfig({ redis: hostname() });`,
    "DIR/config.ts:3: require is not defined: write import",
  ],
  [
    "a default import of the vocabulary",
    `import flosensor from "flosensor/config";\nexport default flosensor.defineConfig({});`,
    'DIR/config.ts:3: "flosensor/config" has no default export: write the names in braces, import { ALL_NETWORK }',
  ],
  [
    "a call of defineConfig whose result is not exported",
    `defineConfig({\n  ttl: 9,\n});\n\n\n`,
    "DIR/config.ts:3: there is no default export: write export default defineConfig({ ... })",
  ],
  [
    "a namespace",
    `namespace Ports {\n  export const dns = 53;\n}\nexport default defineConfig({ ttl: Ports.dns });`,
    "DIR/config.ts:3: namespace Ports can't be loaded: write const Ports = { ... }, or put it into a file of its own and import that",
  ],
  [
    "a namespace with a value within one with types alone",
    `type Port = number;\nexport namespace Site {\n  type Name = string;\n  namespace Ports { export const dns: Port = 53; }\n}\nexport default defineConfig({});`,
    "DIR/config.ts:4: namespace Site can't be loaded: write const Site = { ... }, or put it into a file of its own and import that",
  ],
  [
    "a namespace by its older name",
    `module Ports {\n  export function dns() { return 53; }\n}\nexport default defineConfig({ ttl: Ports.dns() });`,
    "DIR/config.ts:3: module Ports can't be loaded: write const Ports = { ... }, or put it into a file of its own and import that",
  ],
  [
    "a decorator",
    `const once = (value: unknown) => value as never;\n\n@once\nclass Ports {}\nexport default defineConfig({});`,
    "DIR/config.ts:5: the decorator @once can't be loaded: call the function where its result is needed",
  ],
  [
    "an accessor field",
    `class Ports {\n  accessor dns = 53;\n}\nexport default defineConfig({ ttl: new Ports().dns });`,
    "DIR/config.ts:4: accessor dns can't be loaded: write a field, or get and set",
  ],
  [
    "export =",
    `\nexport = defineConfig({});`,
    "DIR/config.ts:4: export = can't be loaded: write export default",
  ],
  [
    "import = require()",
    `import os = require("node:os");\nexport default defineConfig({ redis: os.hostname() });`,
    'DIR/config.ts:3: import os = can\'t be loaded: write import os from "node:os"',
  ],
  [
    "import = of a name",
    `const ttls = { long: 9000 };\nimport ttl = ttls.long;\nexport default defineConfig({ ttl });`,
    "DIR/config.ts:4: import ttl = can't be loaded: write const ttl =",
  ],
];

for (const [what, text, message] of WRONG_NAMES) {
  Deno.test(`loadConfig() refuses ${what} in one line`, async () => {
    const start = `import { defineConfig } from "flosensor/config";\n\n`;
    assert.equal(await messageOf({ "config.ts": start + text }), message);
  });
}

Deno.test("loadConfig() says which file an import most likely means", async () => {
  const message = (specifier: string) =>
    messageOf({
      "config.ts": `\nimport { nets } from "${specifier}";\nexport default nets;`,
      "lib/networks.ts": "",
      "lib/list.json": "[]",
    });
  const missing = (file: string, remedy: string) =>
    `DIR/config.ts:2: DIR/lib/${file}: there is no such file: ${remedy}`;
  assert.deepEqual(
    await Promise.all([
      "./lib/networks",
      "./lib/networks.js",
      "./lib/netwroks.ts",
      "./lib/hosts.ts",
      "./libs/networks.ts",
      "./lib/list",
    ].map(message)),
    [
      'DIR/config.ts:2: "./lib/networks" is no file: write "./lib/networks.ts"',
      missing("networks.js", 'did you mean "./lib/networks.ts"?'),
      missing("netwroks.ts", 'did you mean "./lib/networks.ts"?'),
      missing("hosts.ts", "mend the import"),
      "DIR/config.ts:2: DIR/libs/networks.ts: there is no such file: mend the import",
      'DIR/config.ts:2: "./lib/list" is no file: write "./lib/list.json"',
    ],
  );
});

/** What is more than JavaScript and is loaded all the same, and the time to live that it makes. */
const TYPESCRIPT: [string, text: string][] = [
  ["an enum", `enum Ttl { Short = 6, Long }\nconst ttl = Ttl.Long;`],
  ["a constant enum", `const enum Ttl { Long = 3 + 4 }\nconst ttl = Ttl.Long;`],
  [
    "parameter properties",
    `class Ttl { constructor(readonly long: number, private short = 1) { this.short; } }\nconst ttl = new Ttl(7).long;`,
  ],
  ["satisfies", `const ttl = 7 satisfies number as 7;`],
  ["a type assertion in angle brackets", `const ttl = <number> (7 as unknown)!;`],
  [
    "declare of all kinds",
    `declare const one: number;\ndeclare function two(): void;\ndeclare namespace three { const x: 1; namespace four { let y: 2; } }\n` +
    `declare module "five" { export const z: 3; }\ndeclare global { interface Window { six: 6 } namespace Seven { const a: 1; } }\n` +
    `class Eight { declare nine: number; }\nconst ttl = new Eight().nine ?? 7;`,
  ],
  [
    "a namespace of types alone",
    `namespace Names { export type Ttl = number; export interface Named { class: "a"; let: 1 } declare const x: 1; }\nconst ttl: Names.Ttl = 7;`,
  ],
  [
    "import type and export type",
    `import type { Flow } from "flosensor/config";\nimport { type Action, ALL_NETWORK } from "flosensor/config";\nexport type { Action, Flow };\n` +
    `type Rule = import("flosensor/config").Rule<"a">;\nconst ttl: Rule | number = ALL_NETWORK === "all" ? 7 : 8;`,
  ],
  [
    "abstract classes, overloads, generics and index signatures",
    `abstract class Base<Value> { abstract get(): Value; [key: string]: unknown }\nclass Ttl extends Base<number> { override get(): number { return 7; } }\n` +
    `function of(value: string): string;\nfunction of(value: number): number;\nfunction of(value: unknown) { return value; }\nconst ttl = of(new Ttl().get());`,
  ],
  [
    "names that are words of TypeScript",
    `const namespace = { module: 3, declare: 4 };\nconst { module, declare: type } = namespace;\nconst accessor = module;\nconst ttl = accessor + type;`,
  ],
  [
    "JavaScript of all kinds, with names that are defined in it",
    `outer: for (const [a, { b, ...c }] of [[1, { b: 2, d: 3 }] as const]) { if (a + b + c.d) break outer; }\n` +
    `function* each(...all: number[]) { yield* all.map((one, i = 0) => one + i - i); }\n` +
    `const { [\`\${"t"}tl\`]: seven = 7 } = {} as Record<string, number>;\n` +
    `const known = typeof unknown === "undefined" ? 0 : unknown;\n` +
    `class Self { static #own = 7; static { this.#own++; } get ttl() { return arguments.length + Self.#own - 1; } }\n` +
    `try { throw seven; } catch (caught) { void caught; }\nconst ttl = [...each(seven)][0] + known * new Self().ttl;`,
  ],
];

for (const [what, text] of TYPESCRIPT) {
  Deno.test(`loadConfig() loads ${what}`, async () => {
    const file = `import { defineConfig } from "flosensor/config";\n${text}\n` +
      "export default defineConfig({ ttl });\n";
    await withFiles({ "config.ts": file }, async (directory) => {
      assert.equal((await loadConfig(join(directory, "config.ts"))).config.ttl, 7);
    });
  });
}

Deno.test("loadConfig() names a file that is not there", async () => {
  assert.equal(await messageOf({}), "DIR/config.ts: there is no such file: check the name");
});

Deno.test("loadConfig() names a directory", async () => {
  assert.equal(
    await messageOf({ "config.ts/a": "" }),
    "DIR/config.ts: this is a directory: name the file in it",
  );
});

Deno.test("loadConfig() finds the line of an entry through constants of the file", async () => {
  const message = await messageOf({
    "config.ts":
      `${IMPORT}const nets = [\n["a", "10.0.0.0/8"],\n["b", "10.0.0.0/40"],\n] as const;\n` +
      `const settings = { networks: nets, ttl: 5 };\nconst config = defineConfig(settings);\nexport default config;`,
  });
  assert.match(message, /^DIR\/config\.ts:4: "10\.0\.0\.0\/40"/);
});

Deno.test("loadConfig() names the setting's line where the entry can't be found", async () => {
  const message = await messageOf({
    "config.ts": `${IMPORT}const more = [["b", "10.0.0.0/40"]] as const;\n` +
      `export default defineConfig({\nttl: 5,\nnetworks: [...more]\n});`,
  });
  assert.match(message, /^DIR\/config\.ts:5: "10\.0\.0\.0\/40"/);
});

const RICH_CONFIG = `#!/usr/bin/env -S deno check
import { type Attribution, defineConfig, type Flow, LowerPort, OUR_NETS, PortMatch } from "flosensor/config";
import names, { Service, services } from "./lib/services.ts";
import nets from "./lib/nets.json" with { type: "json" };
import { prefix } from "../shared.js";

interface Site { name: string; readonly prefixes: string[] }
enum Port { Dns = 53, Https = 443 }
const site = { name: "site", prefixes: nets } satisfies Site;

function custom(flow: Flow): Attribution | undefined {
  return flow.dport === Port.Dns ? { client: flow.src, server: flow.dst, port: flow.dport } : undefined;
}

const { later } = await import("./lib/later.ts");

export default defineConfig({
  ttl: later as number,
  redis: import.meta.url.startsWith("file:") ? "redis://localhost:6379" : undefined,
  ourNets: [Deno.readTextFileSync(import.meta.dirname + "/lib/ours.txt").trim()],
  networks: [["our_nets", OUR_NETS], [names.site, ...site.prefixes as [string]], ["all", prefix, "::/0"]],
  flows: [
    [null, "all", custom],
    [null, null, PortMatch(services.map((service: Service) => service.port))],
    [null, null, LowerPort()],
  ],
});
`;

const RICH_FILES = {
  "site/config.ts": RICH_CONFIG,
  "site/lib/services.ts":
    `export interface Service { port: number }\nexport const services: Service[] = [{ port: 443 }];\nexport default { site: "site" } as const;\nexport { prefix } from "../../shared.js";\n`,
  "site/lib/nets.json": `["192.0.2.0/24", "198.51.100.0/24"]`,
  "site/lib/later.ts": "export const later: number = 77;",
  "site/lib/ours.txt": "10.0.0.0/8\n",
  "shared.js": `export const prefix = "0.0.0.0/0";`,
};

Deno.test("loadConfig() loads enums, interfaces, satisfies, JSON and relative imports", async () => {
  await withFiles(RICH_FILES, async (directory) => {
    const file = join(directory, "site/config.ts");
    const { config, files, description } = await loadConfig(file);
    assert.equal(config.ttl, 77);
    assert.equal(config.redis, "redis://localhost:6379");
    assert.deepEqual(config.ourNets.map(cidrText), ["10.0.0.0/8"]);
    assert.deepEqual(config.networks.map(({ name }) => name), ["our_nets", "site", "all"]);
    assert.deepEqual(config.networks[1].prefixes.map((prefix) => cidrText(prefix as Cidr)), [
      "192.0.2.0/24",
      "198.51.100.0/24",
    ]);
    assert.equal(`${config.rules[1].action}`, "PortMatch([443], { precedence: SRC })");
    assert.equal(description, file);
    assert.equal(config.placeOf(["flows", 2]), `${file}:25`);
    assert.deepEqual(
      files.map((path) => path.slice(directory.length + 1)).sort(),
      Object.keys(RICH_FILES).filter((name) => !name.endsWith(".txt")).sort(),
    );
  });
});

Deno.test("loadConfig() reads changed files again, those imported included", async () => {
  const files = {
    "config.ts":
      `${IMPORT}import { ttl } from "./lib/ttl.ts";\nexport default defineConfig({ ttl });`,
    "lib/ttl.ts": `export { ttl } from "./value.ts";`,
    "lib/value.ts": "export const ttl = 1;",
  };
  await withFiles(files, async (directory) => {
    const load = async () => (await loadConfig(join(directory, "config.ts"))).config.ttl;
    assert.equal(await load(), 1);
    await Deno.writeTextFile(join(directory, "lib/value.ts"), "export const ttl = 2;");
    assert.equal(await load(), 2);
    await Deno.writeTextFile(join(directory, "lib/value.ts"), "export const ttl = ;");
    await assert.rejects(load(), UserError);
    await Deno.writeTextFile(join(directory, "lib/value.ts"), "export const ttl = 3;");
    assert.equal(await load(), 3);
  });
});

Deno.test("loadConfig() needs no more than to read the configuration's files", async () => {
  const files = {
    "config.ts": `${IMPORT}import { ttl } from "./ttl.ts";\nexport default defineConfig({ ttl });`,
    "ttl.ts": "export const ttl: number = 123;",
  };
  await withFiles(files, async (directory) => {
    const program = new URL("./print_ttl.ts", import.meta.url).pathname;
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", `--allow-read=${directory}`, program, "config.ts"],
      cwd: directory,
    }).output();
    assert.equal(new TextDecoder().decode(stdout), "123\n", new TextDecoder().decode(stderr));
  });
});
