import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { Ajv } from "ajv";
import { type Bundle, bundle } from "../../deploy/bundle.ts";
import { installPackages } from "../../deploy/install_packages.ts";
import { licenceTexts } from "../../deploy/licences.ts";
import { lockedPackages } from "../../deploy/locked_packages.ts";
import { buildFolder, PROJECT } from "../../deploy/project.ts";
import { sbom } from "../../deploy/sbom.ts";

/** The library's schemas are in its package, and no part of what it exports. */
const CYCLONEDX = "@cyclonedx/cyclonedx-library";

/** What is looked at of a bill of materials. */
interface Bill {
  readonly components: readonly {
    readonly group?: string;
    readonly name: string;
    readonly version: string;
    readonly hashes: readonly { readonly content: string }[];
  }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/** Makes a bundle in a folder with this name, which ends with the test. */
async function withBundle(name: string, test: (made: Bundle) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ dir: await buildFolder(), prefix: name });
  try {
    await test(await bundle(directory));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Checksums of a folder's files, and the times that they have. */
async function filesOf({ directory }: Bundle): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const { name } of Deno.readDirSync(directory)) {
    const bytes = await Deno.readFile(join(directory, name));
    const { mtime } = await Deno.stat(join(directory, name));
    files[name] = `${createHash("sha256").update(bytes).digest("hex")} ${mtime?.toISOString()}`;
  }
  return files;
}

async function schemas(): Promise<(name: string) => Record<string, unknown>> {
  const text = await Deno.readTextFile(join(PROJECT, "tools/packages/cyclonedx.ts"));
  const [specifier] = /npm:[^"]+/.exec(text)!;
  const folder = await Deno.makeTempDir({ prefix: "flosensor-schemas-" });
  try {
    await installPackages(folder, { [CYCLONEDX]: specifier }, join(PROJECT, "tools/deno.lock"));
    const read = new Map<string, Record<string, unknown>>();
    const directory = join(folder, "node_modules", CYCLONEDX, "res/schema");
    for (const name of ["bom-1.6", "spdx", "jsf-0.82"]) {
      const schema = await Deno.readTextFile(join(directory, `${name}.SNAPSHOT.schema.json`));
      read.set(name, JSON.parse(schema));
    }
    return (name) => read.get(name)!;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the same sources make the same bundle, byte for byte, wherever it is made", async () => {
  await withBundle("one-", async (one) => {
    await withBundle("another-with-a-longer-name-", async (other) => {
      const files = await filesOf(one);
      assert.ok(Object.keys(files).includes("program.js"));
      assert.deepEqual(await filesOf(other), files);
    });
  });
});

Deno.test("the bill of materials has all packages of the bundle, with their checksums, and is valid", async () => {
  const schemaOf = await schemas();
  const ajv = new Ajv({ strict: false, validateFormats: false });
  for (const name of ["spdx", "jsf-0.82"]) {
    ajv.addSchema(schemaOf(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  }
  const validate = ajv.compile(schemaOf("bom-1.6"));
  await withBundle("bill-", async ({ packages }) => {
    const text = await sbom(packages, "2.9.6");
    assert.equal(await sbom(packages, "2.9.6"), text, "it is another one each time");
    const bill: Bill = JSON.parse(text);
    const isValid: boolean = validate(bill);
    assert.ok(isValid, JSON.stringify(validate.errors, null, 2));
    assert.equal(validate({ ...bill, components: [{ name: "without a type" }] }), false);

    const named = packages.map(({ name }) => name);
    const [runtime, ...libraries] = bill.components.toSorted((one, other) =>
      Number(other.name === "deno") - Number(one.name === "deno")
    );
    assert.deepEqual([runtime.name, runtime.version], ["deno", "2.9.6"]);
    assert.deepEqual(
      libraries.map(({ group, name }) => group === undefined ? name : `${group}/${name}`).sort(),
      named.toSorted(),
    );
    const versions = new Map(
      libraries.map(({ group, name, version }) => [group ? `${group}/${name}` : name, version]),
    );
    const documented = await documentedPackages();
    // All that was asked for, for the program and for the page.
    assert.deepEqual(
      documented.asked.map(([name, version]) => [name, versions.get(name), version]),
      documented.asked.map(([name, version]) => [name, version, version]),
    );
    assert.deepEqual(named.filter((name) => !documented.all.has(name)), []);
    const { imports } = JSON.parse(await Deno.readTextFile(join(PROJECT, "deno.json")));
    for (const [, name] of JSON.stringify(imports).matchAll(/"npm:((?:@[^/"]+\/)?[^@/"]+)@/g)) {
      assert.ok(versions.has(name), name);
    }
    const locked = await lockedPackages(join(PROJECT, "deno.lock"));
    const redis = locked.find(({ name }) => name === "@redis/client")!;
    const { version, hashes } = libraries.find(({ group }) => group === "@redis")!;
    assert.equal(version, redis.version);
    const base64 = btoa(
      String.fromCharCode(...hashes[0].content.match(/../g)!.map((it) => parseInt(it, 16))),
    );
    assert.equal(`sha512-${base64}`, redis.integrity);
    const { dependsOn } = bill.dependencies.find(({ ref }) => ref.includes("/prom-client@"))!;
    assert.ok(dependsOn.some((it) => it.includes("/tdigest@")), dependsOn.join());

    const licences = await licenceTexts(packages);
    for (const name of named) assert.ok(licences.includes(`==== ${name} `), name);
  });
});

/** What docs/dependencies.md says is in the program and in the page. */
async function documentedPackages() {
  const page = await Deno.readTextFile(join(PROJECT, "docs/dependencies.md"));
  const [, program, inPage] = page.split(/^## /m);
  assert.match(program, /^In the program\n/);
  assert.match(inPage, /^In the page\n/);
  const asked = [...(program + inPage).matchAll(/^\| `(\S+)` +\|[^|]+\| (\S+) +\|/gm)]
    .map(([, name, version]) => [name, version] as const);
  const [, needs] = /^These need ([^.]*(?:\.[a-z][^.]*)*)\.$/m.exec(program)!;
  const needed = [...needs.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
  return { asked, all: new Set([...asked.map(([name]) => name), ...needed]) };
}

Deno.test("every package that is locked has a checksum", async () => {
  for (const file of ["deno.lock", "tools/deno.lock"]) {
    const packages = await lockedPackages(join(PROJECT, file));
    assert.ok(packages.length > 0, file);
    for (const { name, integrity } of packages) assert.match(integrity, /^sha512-/, name);
  }
});
