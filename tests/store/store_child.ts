/**
 * Writes conversations to the store that the first parameter names until it is ended, and prints after
 * each flush how many are in the file.
 */
import { SqliteStore } from "../../src/store/sqlite_store.ts";
import { MemoryLog } from "../memory_log.ts";
import { record } from "./record.ts";
import { RUN } from "./test_store.ts";

const [path] = Deno.args;
const store = await SqliteStore.open(path, { run: { ...RUN, mode: "replay" } }, new MemoryLog());
for (let written = 0;; console.log(written)) {
  store.takeRecords(
    Array.from({ length: 200 }, () =>
      record({
        id: written++,
        client: `10.${written & 3}.${written % 200}.1`,
        names: [{ name: `host${written % 1000}.example.com`, from: "lookup" }],
      })),
  );
  await store.flush();
}
