import assert from "node:assert/strict";
import { lockedPackages } from "../../deploy/locked_packages.ts";
import { DEPENDENCIES_PAGE, dependenciesPage } from "../../tools/dependencies.ts";

const ROOT = new URL("../../", import.meta.url);

Deno.test("docs/dependencies.md is what the lock files have, each package with its reason", async () => {
  const page = await Deno.readTextFile(DEPENDENCIES_PAGE);
  // Only the registry knows when a version was released: that is taken from the page.
  const dates = new Map(
    [...page.matchAll(/^\| `(\S+)` *\|[^|]*\| (\S+) *\| (\d{4}-\d\d-\d\d) *\|/gm)]
      .map(([, name, version, date]) => [`${name}@${version}`, date]),
  );
  const made = await dependenciesPage((name, version) =>
    Promise.resolve(dates.get(`${name}@${version}`) ?? "not known")
  );
  assert.equal(page, made, "run: deno task dependencies");
});

Deno.test("every package that is asked for is locked", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const asked = (texts: Iterable<string>) =>
    [...texts].flatMap((text) =>
      [...text.matchAll(/npm:\/?((?:@[^/"]+\/)?[^@/"]+)@/g)].map(([, name]) => name)
    );
  const program = asked(Object.values<string>(imports));
  const files = [...Deno.readDirSync(new URL("tools/packages/", ROOT))];
  const tools = asked(
    files.map(({ name }) => Deno.readTextFileSync(new URL(`tools/packages/${name}`, ROOT))),
  );
  assert.ok(program.length > 0 && tools.length > 0);
  for (
    const [file, names] of [["deno.lock", program], ["tools/deno.lock", [
      ...program,
      ...tools,
    ]]] as const
  ) {
    const locked = (await lockedPackages(new URL(file, ROOT).pathname)).map(({ name }) => name);
    assert.deepEqual(names.filter((name) => !locked.includes(name)), [], file);
  }
});
