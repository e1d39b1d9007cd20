import assert from "node:assert/strict";
import { join } from "node:path";
import { RowGatherer } from "../../src/clickhouse/row_gatherer.ts";
import { Spool } from "../../src/clickhouse/spool.ts";
import { UserError } from "../../src/user_error.ts";
import { withFiles } from "../config/temporary_files.ts";
import { record } from "../records.ts";
import { RUN } from "../store/test_store.ts";

const SIZE = 1_000_000;

function batch() {
  const rows = new RowGatherer({ ...RUN, sensor: "north" });
  rows.takeRecord(record({ id: 1 }));
  return rows.batch()!;
}

Deno.test("what waits in a spool is its user's alone, whatever the umask", async () => {
  await withFiles({}, (directory) => {
    const folder = join(directory, "a", "spool");
    const umask = Deno.umask(0);
    try {
      const spool = new Spool(folder, SIZE, "--clickhouse-spool");
      assert.ok(spool.put(batch()));
    } finally {
      Deno.umask(umask);
    }
    assert.equal(Deno.statSync(folder).mode! & 0o777, 0o700);
    const [{ name }] = Deno.readDirSync(folder);
    assert.equal(Deno.statSync(join(folder, name)).mode! & 0o777, 0o600);
    return Promise.resolve();
  });
});

Deno.test("a spool that all users may write to is refused in one line", async () => {
  await withFiles({}, (directory) => {
    Deno.chmodSync(directory, 0o1777);
    assert.throws(
      () => new Spool(directory, SIZE, "--clickhouse-spool"),
      new UserError(
        `--clickhouse-spool: ${directory}: all users may write there: chmod o-w ${directory}`,
      ),
    );
    return Promise.resolve();
  });
});

Deno.test("a spool writes through no link, and reads what is a file only", async () => {
  await withFiles({ victim: "as it was" }, (directory) => {
    const folder = join(directory, "spool");
    const victim = join(directory, "victim");
    Deno.mkdirSync(folder);
    const one = batch();
    for (const name of ["trial.part", `${one.name}.part`, "0-other.rows"]) {
      Deno.symlinkSync(victim, join(folder, name));
    }
    const open = () => new Spool(folder, SIZE, "--clickhouse-spool");
    assert.throws(open, /--clickhouse-spool: .*spool: /);
    Deno.removeSync(join(folder, "trial.part"));
    const spool = open();
    assert.ok(spool.isEmpty);
    // The way is taken: it waits in memory, and the link is gone.
    assert.equal(spool.put(one), false);
    assert.ok(spool.put(one));
    assert.equal(open().oldest()?.name, one.name);
    assert.equal(Deno.readTextFileSync(victim), "as it was");
    return Promise.resolve();
  });
});
