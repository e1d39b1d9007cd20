/** A package as a lock file of Deno has it. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** As Subresource Integrity has it: `sha512-` and base64. */
  readonly integrity: string;
  /** Names of the packages that it needs. */
  readonly dependencies: readonly string[];
}

/** Name and version; behind them may be those of peers. */
const KEY = /^(@?[^@]+)@([^_]+)/;

/** The npm packages of a lock file. */
export async function lockedPackages(lockFile: string): Promise<LockedPackage[]> {
  const { npm = {} } = JSON.parse(await Deno.readTextFile(lockFile));
  return Object.entries<{ integrity: string; dependencies?: string[] }>(npm)
    .map(([key, { integrity, dependencies = [] }]) => {
      const [, name, version] = KEY.exec(key)!;
      return { name, version, integrity, dependencies: dependencies.map(nameIn) };
    });
}

/** Where several versions are locked, a dependency has one behind its name. */
function nameIn(dependency: string): string {
  return dependency.replace(/(?<=.)@.*$/, "");
}
