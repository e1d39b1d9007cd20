import assert from "node:assert/strict";
import fc from "fast-check";
import { domainName, isBelow, labelText } from "../../src/model/domain_name.ts";

Deno.test("labelText() writes ASCII letters in lower case and all else that is printable as it is", () => {
  const bytes = new TextEncoder().encode("WWW-_1~");
  assert.equal(labelText(bytes, 0, bytes.length), "www-_1~");
});

Deno.test("labelText() escapes what would end a name, a part of a key or a value", () => {
  const bytes = new TextEncoder().encode('a;b.c\\d"e f');
  assert.equal(labelText(bytes, 0, bytes.length), 'a\\059b\\.c\\\\d\\"e\\032f');
});

Deno.test("labelText() never has a semicolon, and its bytes can be had back", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 63 }), (bytes) => {
    const text = labelText(bytes, 0, bytes.length);
    assert.match(text, /^[!-:<-~]+$/);
    // Read again, it is the same name.
    assert.equal(domainName(text), text + ".");
  }));
});

Deno.test("domainName() gives one text for all ways to write a name", () => {
  for (const written of ["www.Example.COM", "www.example.com.", "\\119ww.example.com"]) {
    assert.equal(domainName(written), "www.example.com.");
  }
  assert.equal(domainName("a\\;b.com."), "a\\059b.com.");
  assert.equal(domainName("a;b.com."), "a\\059b.com.");
  assert.equal(domainName("."), ".");
  assert.equal(domainName("bücher.example"), "b\\195\\188cher.example.");
});

Deno.test("domainName() refuses empty and long labels, long names and wrong escapes", () => {
  const long = "a".repeat(63);
  assert.equal(domainName(long), long + ".");
  const names = ["", "a..b", ".a", "a\\", "a\\25", "a\\256", `${long}a`, `${`${long}.`.repeat(4)}`];
  for (const name of names) assert.equal(domainName(name), null, name);
});

Deno.test("isBelow() compares whole labels", () => {
  const suffixes = ["example.com.", "in-addr.arpa."];
  for (const name of ["example.com.", "www.example.com.", "1.0.0.10.in-addr.arpa."]) {
    assert.ok(isBelow(name, suffixes), name);
  }
  for (const name of ["notexample.com.", "com.", "a\\.example.com.", "example.com.net."]) {
    assert.ok(!isBelow(name, suffixes), name);
  }
  assert.ok(isBelow("a\\\\.example.com.", suffixes));
  assert.ok(isBelow("anything.", ["."]));
});
