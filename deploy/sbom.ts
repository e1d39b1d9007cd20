import { join } from "node:path";
import { Enums, Models, Serialize, Spec } from "cyclonedx";
import { VERSION } from "../src/version.ts";
import type { BundledPackage } from "./bundle.ts";
import { lockedPackages } from "./locked_packages.ts";
import { PROJECT } from "./project.ts";

const INDENT = 2;

/**
 * The software bill of materials of the compiled file, as CycloneDX in JSON
 * (https://cyclonedx.org/docs/1.6/json/): all packages of which something is in it, with the checksums
 * that the lock files have, and the runtime. The same sources make the same text.
 *
 * @param packages What is in the bundle.
 * @param deno Version of the runtime.
 */
export async function sbom(packages: readonly BundledPackage[], deno: string): Promise<string> {
  const program = new Models.Component(Enums.ComponentType.Application, "flosensor", {
    bomRef: `flosensor@${VERSION}`,
    version: VERSION,
    licenses: new Models.LicenseRepository([new Models.SpdxLicense("Apache-2.0")]),
  });
  const runtime = new Models.Component(Enums.ComponentType.Platform, "deno", {
    bomRef: `pkg:github/denoland/deno@v${deno}`,
    purl: `pkg:github/denoland/deno@v${deno}`,
    version: deno,
    licenses: new Models.LicenseRepository([new Models.SpdxLicense("MIT")]),
  });
  const bom = new Models.Bom();
  bom.metadata.component = program;
  bom.components.add(runtime);
  program.dependencies.add(runtime.bomRef);

  const locked = await allLocked();
  const components = new Map<string, Models.Component>();
  for (const it of packages) components.set(it.name, await component(it, locked));
  const needed = new Set<string>();
  for (const [name, one] of components) {
    bom.components.add(one);
    for (const dependency of locked.get(`${name}@${one.version}`)!.dependencies) {
      const other = components.get(dependency);
      if (other === undefined) continue;
      one.dependencies.add(other.bomRef);
      needed.add(dependency);
    }
  }
  for (const [name, { bomRef }] of components) {
    if (!needed.has(name)) program.dependencies.add(bomRef);
  }
  const serializer = new Serialize.JsonSerializer(
    new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6),
  );
  return `${serializer.serialize(bom, { sortLists: true, space: INDENT })}\n`;
}

type Locked = Awaited<ReturnType<typeof lockedPackages>>[number];

/** What both lock files have, by name and version. */
async function allLocked(): Promise<ReadonlyMap<string, Locked>> {
  const lists = await Promise.all(
    ["deno.lock", "tools/deno.lock"].map((file) => lockedPackages(join(PROJECT, file))),
  );
  return new Map(lists.flat().map((it) => [`${it.name}@${it.version}`, it]));
}

async function component(
  { name, directory }: BundledPackage,
  locked: ReadonlyMap<string, Locked>,
): Promise<Models.Component> {
  const { version, license, description } = JSON.parse(
    await Deno.readTextFile(join(directory, "package.json")),
  );
  const [group, bare] = name.startsWith("@") ? name.split("/") : [undefined, name];
  const { integrity } = locked.get(`${name}@${version}`)!;
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  return new Models.Component(Enums.ComponentType.Library, bare, {
    bomRef: purl,
    purl,
    group,
    version,
    description,
    licenses: new Models.LicenseRepository([
      /^[\w.-]+$/.test(license)
        ? new Models.SpdxLicense(license)
        : new Models.LicenseExpression(license),
    ]),
    hashes: new Models.HashDictionary([[Enums.HashAlgorithm["SHA-512"], sha512(integrity)]]),
  });
}

/** The checksum in hexadecimal digits. */
function sha512(integrity: string): string {
  const [algorithm, text] = integrity.split("-");
  if (algorithm !== "sha512") throw new Error(`${integrity} is no SHA-512`);
  return Array.from(atob(text), (it) => it.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}
