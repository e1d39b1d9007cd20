import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { openDatabase } from "../../src/store/open_database.ts";
import { APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION } from "../../src/store/schema.ts";
import { UserError } from "../../src/user_error.ts";
import { pcap } from "../packets.ts";
import { record } from "./record.ts";
import { TestStore } from "./test_store.ts";

/** A path of its own where a store of 500 conversations is. */
function withStore(test: (path: string, directory: string) => void): void {
  const store = new TestStore();
  const directory = Deno.makeTempDirSync({ prefix: "flosensor-store-" });
  try {
    store.write({
      records: Array.from({ length: 500 }, (_, id) => record({ id, client: `10.0.0.${id % 200}` })),
    });
    store.database.exec(`VACUUM INTO '${directory}/flows.db'`);
    test(`${directory}/flows.db`, directory);
  } finally {
    store[Symbol.dispose]();
    Deno.removeSync(directory, { recursive: true });
  }
}

function overwrite(path: string, offset: number, bytes: Uint8Array): void {
  using file = Deno.openSync(path, { write: true });
  file.seekSync(offset, Deno.SeekMode.Start);
  file.writeSync(bytes);
}

const GARBAGE = new Uint8Array(4096).fill(0xa5);
const DAMAGES: Record<string, (path: string) => void> = {
  "of which the beginning was overwritten": (path) => overwrite(path, 0, GARBAGE),
  "of which only a part is left": (path) => Deno.truncateSync(path, 20_480),
  "whose schema was overwritten": (path) => overwrite(path, 100, GARBAGE.subarray(0, 3_000)),
  "of which all but the header was overwritten": (path) => {
    const { size } = Deno.statSync(path);
    for (let at = 100; at < size; at += GARBAGE.length) {
      overwrite(path, at, GARBAGE.subarray(0, Math.min(GARBAGE.length, size - at)));
    }
  },
};

for (const [what, damage] of Object.entries(DAMAGES)) {
  Deno.test(`openDatabase puts a file aside ${what}, and begins a new one`, () => {
    withStore((path, directory) => {
      damage(path);
      const before = Deno.readFileSync(path);
      const { database, damaged } = openDatabase(path);
      assert.equal(database.prepare("SELECT count(*) AS count FROM conversation").get()!.count, 0);
      database.close();
      assert.match(damaged!, /flows\.db\.damaged-\d{8}T\d{6}Z$/);
      assert.deepEqual(Deno.readFileSync(damaged!), before);
      assert.deepEqual(
        [...Deno.readDirSync(directory)].map(({ name }) => `${directory}/${name}`).sort(),
        [path, damaged],
      );
    });
  });
}

Deno.test("openDatabase puts two damaged files aside that were found in one second", () => {
  withStore((path) => {
    const names = [1, 2].map(() => {
      overwrite(path, 0, GARBAGE);
      const { database, damaged } = openDatabase(path);
      database.close();
      return damaged;
    });
    assert.equal(new Set(names).size, 2);
  });
});

Deno.test("openDatabase opens a whole file as it is", () => {
  withStore((path) => {
    const { database, damaged } = openDatabase(path);
    assert.equal(damaged, null);
    assert.equal(database.prepare("SELECT count(*) AS count FROM conversation").get()!.count, 500);
    database.close();
  });
});

for (let version = 1; version < SCHEMA_VERSION; version++) {
  Deno.test(`openDatabase brings a store of version ${version} to the present one, with its rows`, () => {
    withDirectory((directory) => {
      const [fresh, old] = ["fresh", "old"].map((name) => `${directory}/${name}.db`);
      openDatabase(fresh).database.close();
      {
        using database = new DatabaseSync(old);
        for (const migration of MIGRATIONS.slice(0, version)) database.exec(migration);
        database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version};
          INSERT INTO volume VALUES (60, 0, 'out', 7, 6, 5, 4, 3, 2, 1)`);
      }
      const { database, damaged } = openDatabase(old);
      assert.equal(damaged, null);
      const row = database.prepare("SELECT observations, bytes_server FROM volume").get();
      assert.deepEqual({ ...row }, { observations: 7, bytes_server: 1 });
      const migrated = columnsOf(database);
      database.close();
      const made = openDatabase(fresh).database;
      assert.deepEqual(migrated, columnsOf(made));
      made.close();
    });
  });
}

/** All columns of tables and views, by name. */
function columnsOf(database: DatabaseSync): Record<string, string[]> {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')");
  return Object.fromEntries(
    tables.all().map(({ name }) => [
      name,
      database.prepare(`SELECT name FROM pragma_table_info('${name}')`).all()
        .map((column) => String(column.name)).sort(),
    ]).sort(),
  );
}

function withDirectory(use: (directory: string) => void): void {
  const directory = Deno.makeTempDirSync({ prefix: "flosensor-store-" });
  try {
    use(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("openDatabase leaves alone what is no store of this program, and says so", () => {
  const refused: [make: (path: string) => void, message: RegExp][] = [
    [(path) => Deno.writeFileSync(path, pcap([])), /is a saved capture, and no store/],
    [(path) => Deno.writeTextFileSync(path, "export default 1;\n"), /is a text, and no store/],
    // The sixteenth byte is in the middle of a character.
    [(path) => Deno.writeTextFileSync(path, "// Ein Beispiel ü".slice(0, 15) + "ü"), /is a text/],
    [(path) => Deno.mkdirSync(path), /is a folder/],
    [(path) => {
      using database = new DatabaseSync(path);
      database.exec("CREATE TABLE theirs (a)");
    }, /SQLite database of another program/],
    [(path) => {
      using database = new DatabaseSync(path);
      database.exec(`PRAGMA application_id = ${APPLICATION_ID};
        PRAGMA user_version = ${SCHEMA_VERSION + 1}; CREATE TABLE later (a)`);
    }, /is of a newer flosensor \(schema \d+, this one has \d+\)/],
  ];
  for (const [make, message] of refused) {
    withDirectory((directory) => {
      const path = `${directory}/flows.db`;
      make(path);
      assert.throws(
        () => openDatabase(path),
        (error) => error instanceof UserError && message.test(error.message),
      );
      assert.deepEqual([...Deno.readDirSync(directory)].map(({ name }) => name), ["flows.db"]);
    });
  }
});
