import assert from "node:assert/strict";
import fc from "fast-check";
import { hostileText } from "../hostile_text.ts";
import { FilterError, filterText, parseFilter, withTerm } from "../../src/web/filter.ts";

Deno.test("a filter has terms with a field, flags, and parts of addresses and names", () => {
  assert.deepEqual(
    parseFilter(
      "client:10.0.0.0/24 port:443,8000-8999 NAME:Example -by:lower-port unexplained cdn",
    ),
    [
      { field: "client", values: ["10.0.0.0/24"], isNot: false },
      { field: "port", values: ["443", "8000-8999"], isNot: false },
      { field: "name", values: ["Example"], isNot: false },
      { field: "by", values: ["lower-port"], isNot: true },
      { field: "flag", values: ["unexplained"], isNot: false },
      { field: "text", values: ["cdn"], isNot: false },
    ],
  );
});

Deno.test("an IPv6 address without a field is a text, and not a field with a colon", () => {
  for (const address of ["2001:db8::1", "fe80::", "dead:beef::1"]) {
    assert.deepEqual(parseFilter(address), [{ field: "text", values: [address], isNot: false }]);
  }
  assert.deepEqual(parseFilter("client:2001:db8::/32")[0].values, ["2001:db8::/32"]);
});

Deno.test("what a filter can't mean is said with what there is", () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["klient:10.0.0.1", /^klient: is not known; there are client: server: .*unexplained/],
    ["client:office", /^client:office is no address or prefix; write .*, or name:office$/],
    ["client:10.0.0.1/33", /is no address or prefix/],
    ["client:10.0.0.256", /is no address or prefix/],
    ["server:2001:db8::/129", /is no address or prefix/],
    ["port:https", /^port:https is no port; write port:443/],
    ["port:70000", /is no port/],
    ["port:9-3", /is no port/],
    ["proto:sctp", /neither tcp nor udp/],
    ["name:", /nothing behind the colon|is not known/],
  ];
  for (const [text, message] of wrong) {
    assert.throws(() => parseFilter(text), (error) => {
      assert.ok(error instanceof FilterError, text);
      assert.match(error.message, message, text);
      return true;
    });
  }
});

Deno.test("a filter is read back as it is written, whatever names are in it", () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), hostileText);
  const field = fc.constantFrom("name" as const, "by" as const, "text" as const);
  const term = fc.record({ field, values: fc.tuple(text), isNot: fc.boolean() }, {
    noNullPrototype: true,
  });
  fc.assert(fc.property(fc.array(term, { maxLength: 4 }), (filter) => {
    assert.deepEqual(parseFilter(filterText(filter)), filter);
  }));
});

Deno.test("a click on another value takes the place of the one before", () => {
  const filter = parseFilter("client:10.0.0.1 port:443 -name:example unexplained");
  const clicked = withTerm(filter, { field: "client", values: ["10.0.0.2"], isNot: false });
  assert.equal(filterText(clicked), "port:443 -name:example unexplained client:10.0.0.2");
  const excluded = withTerm(filter, { field: "client", values: ["10.0.0.2"], isNot: true });
  assert.equal(
    filterText(excluded),
    "client:10.0.0.1 port:443 -name:example unexplained -client:10.0.0.2",
  );
  const again = withTerm(filter, { field: "port", values: ["443"], isNot: false });
  assert.equal(filterText(again), "client:10.0.0.1 -name:example unexplained port:443");
});

Deno.test("several values are read again as they were, whatever is in them", () => {
  for (
    const text of ["name:example,-by:syn", 'name:a"b,c\\d', "-name:-a,b", 'name:a"b', "name:\\"]
  ) {
    const filter = parseFilter(text);
    assert.deepEqual(parseFilter(filterText(filter)), filter, text);
  }
});
