/** The rooms, which are the folders of `src` and `ffi`, import each other in one direction. */
import assert from "node:assert/strict";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const IMPORT = /(?:\bfrom|\bimport|\bnew URL)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g;

/** The room that a module is in: `ffi`, a folder of `src`, or `src` for what lies in it. */
function roomOf(path: string): string {
  const [first, second, ...rest] = relative(ROOT, path).split("/");
  return first === "src" && rest.length > 0 ? second : first;
}

function* modulesIn(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* modulesIn(path);
    else if (name.endsWith(".ts")) yield path;
  }
}

/** For each room the rooms that it imports, with one import of each. */
function importsOfRooms(): Map<string, Map<string, string>> {
  const rooms = new Map<string, Map<string, string>>();
  for (const folder of ["src", "ffi"]) {
    for (const path of modulesIn(join(ROOT, folder))) {
      const room = roomOf(path);
      const imports = rooms.get(room) ?? new Map<string, string>();
      rooms.set(room, imports);
      for (const [, name] of Deno.readTextFileSync(path).matchAll(IMPORT)) {
        const imported = roomOf(normalize(join(dirname(path), name)));
        if (imported !== room) imports.set(imported, `${relative(ROOT, path)} imports ${name}`);
      }
    }
  }
  return rooms;
}

Deno.test("no two rooms import each other, nor more of them in a circle", () => {
  const rooms = importsOfRooms();
  assert.ok(rooms.size > 10 && rooms.get("cli")!.has("engine"), "imports are found");
  // Those that import nothing that is left are taken away, until none is left but those in a circle.
  for (;;) {
    const free = [...rooms].find(([, imports]) =>
      [...imports.keys()].every((it) => !rooms.has(it))
    );
    if (free === undefined) break;
    rooms.delete(free[0]);
  }
  assert.deepEqual([...rooms].map(([room, imports]) => [room, ...imports.values()]), []);
});

Deno.test("the design names all rooms", () => {
  const design = Deno.readTextFileSync(join(ROOT, "docs/design.md"));
  for (const room of importsOfRooms().keys()) {
    const folder = room === "ffi" || room === "src" ? `${room}/` : `src/${room}/`;
    assert.ok(design.includes(`\`${folder}\``), folder);
  }
});
