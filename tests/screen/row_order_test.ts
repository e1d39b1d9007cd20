import assert from "node:assert/strict";
import { orderBy, type RowSort, sortRows } from "../../src/screen/row_order.ts";

const row = { client: "10.0.0.1", server: "192.0.2.1", port: 443, first: 1, last: 1 };

function sorted(by: RowSort, isDescending: boolean, ...given: object[]): unknown[] {
  const rows = given.map((it) => ({ ...row, ...it }));
  const field = by === "why" ? "reason" : by;
  return sortRows(rows, { by, isDescending }).map((it) => (it as Record<string, unknown>)[field]);
}

Deno.test("sortRows() sorts addresses as numbers, IPv4 first", () => {
  const clients = ["10.0.0.10", "2001:db8::1", "10.0.0.9"].map((client) => ({ client }));
  assert.deepEqual(sorted("client", false, ...clients), ["10.0.0.9", "10.0.0.10", "2001:db8::1"]);
  assert.deepEqual(sorted("client", true, ...clients), ["2001:db8::1", "10.0.0.10", "10.0.0.9"]);
});

Deno.test("sortRows() has rows without a name last, either way", () => {
  const names = [{ name: "b" }, {}, { name: "a" }];
  assert.deepEqual(sorted("name", false, ...names), ["a", "b", undefined]);
  assert.deepEqual(sorted("name", true, ...names), ["b", "a", undefined]);
});

Deno.test("sortRows() adds up what both ends sent", () => {
  const bytes = [{ bytes: [5, 0] }, { bytes: [1, 9] }, {}];
  assert.deepEqual(sorted("bytes", true, ...bytes), [[1, 9], [5, 0], undefined]);
});

Deno.test("sortRows() sorts by why, clients, and times", () => {
  assert.deepEqual(sorted("why", false, { reason: "z" }, { reason: "a" }), ["a", "z"]);
  assert.deepEqual(sorted("clients", true, { clients: 9 }, { clients: 10 }), [10, 9]);
  assert.deepEqual(sorted("last", true, { last: 9 }, { last: 10 }), [10, 9]);
});

Deno.test("sortRows() keeps rows that are equal where they are, by their ends", () => {
  const rows = [{ port: 9 }, { port: 10 }, { client: "10.0.0.0" }].map((it) => ({ ...row, ...it }));
  for (const isDescending of [false, true]) {
    const { by } = orderBy("last");
    assert.deepEqual(
      sortRows(rows, { by, isDescending }).map(({ client, port }) => `${client} ${port}`),
      ["10.0.0.0 443", "10.0.0.1 9", "10.0.0.1 10"],
    );
  }
});

Deno.test("orderBy() begins with the most and the latest, and with the first of the alphabet", () => {
  for (const by of ["last", "bytes", "clients"] as const) assert.ok(orderBy(by).isDescending, by);
  for (const by of ["client", "port", "name"] as const) assert.ok(!orderBy(by).isDescending, by);
});
