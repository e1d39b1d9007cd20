import { dataModule } from "./data_module.ts";
import * as vocabulary from "./mod.ts";

/** Names that a config.ts imports flosensor by, and what they export. */
const OWN_MODULES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "flosensor/config": vocabulary,
  // In a config.ts the whole is of use for the vocabulary only; types are gone by then.
  "flosensor": vocabulary,
};

/** The names that flosensor's modules are imported by. */
export const OWN_MODULE_NAMES: readonly string[] = Object.keys(OWN_MODULES);

/** What a module made of text can get at in this program, and nothing else in the process guesses. */
const REGISTRY = Symbol.for(`flosensor ${crypto.randomUUID()}`);
const urls = new Map<string, string>();

/**
 * The URL of a module that exports what flosensor's module of this name does, or `undefined` when
 * there is none of this name.
 *
 * Deno checks the read permission of files that a module imports which is itself loaded at run time,
 * and this program may have none for its own files. So the exports go through the global object.
 */
export function ownModuleUrl(name: string): string | undefined {
  const known = urls.get(name);
  if (known !== undefined || !Object.hasOwn(OWN_MODULES, name)) return known;
  const exported = OWN_MODULES[name];
  if (!Object.hasOwn(globalThis, REGISTRY)) {
    Object.defineProperty(globalThis, REGISTRY, { value: OWN_MODULES });
  }
  const registry = `globalThis[Symbol.for(${JSON.stringify(REGISTRY.description)})]`;
  const lines = [
    `const exported = ${registry}[${JSON.stringify(name)}];`,
    ...Object.keys(exported).map((key) => `export const ${key} = exported.${key};`),
  ];
  const { url } = dataModule(lines.join("\n"));
  urls.set(name, url);
  return url;
}

/** The name of flosensor's module that has this URL, or `undefined`. */
export function ownModuleName(url: string): string | undefined {
  return [...urls].find(([, known]) => known === url)?.[0];
}

/** The names that flosensor's module exports. */
export function ownModuleExports(name: string): readonly string[] {
  return Object.keys(OWN_MODULES[name]);
}
