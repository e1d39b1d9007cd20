import assert from "node:assert/strict";
import { dnsAnswerOf } from "../../src/export/dns_answer_of.ts";

const CLIENT = "10.0.0.7";

Deno.test("dnsAnswerOf() reads an address, an alias and a name that does not exist", () => {
  const common = { time: 5, client: CLIENT };
  assert.deepEqual(
    dnsAnswerOf({ key: `${CLIENT};192.0.2.1;dns`, name: "www.example.com." }, 5),
    { ...common, name: "www.example.com", type: "A", data: "192.0.2.1" },
  );
  assert.deepEqual(
    dnsAnswerOf({ key: `${CLIENT};2001:db8::1;dns`, name: "www.example.com." }, 5),
    { ...common, name: "www.example.com", type: "AAAA", data: "2001:db8::1" },
  );
  assert.deepEqual(
    dnsAnswerOf({ key: `${CLIENT};cdn.example.net.;cname`, name: "www.example.com." }, 5),
    { ...common, name: "www.example.com", type: "CNAME", data: "cdn.example.net" },
  );
  assert.deepEqual(
    dnsAnswerOf({ key: `${CLIENT};nosuch.example.;nx`, name: null }, 5),
    { ...common, name: "nosuch.example", type: null, data: null },
  );
});

Deno.test("dnsAnswerOf() leaves the root its dot, and names their escapes", () => {
  assert.equal(dnsAnswerOf({ key: `${CLIENT};.;nx`, name: null }, 0)?.name, ".");
  assert.equal(
    dnsAnswerOf({ key: `${CLIENT};a\\059\\.b.;nx`, name: null }, 0)?.name,
    "a\\059\\.b",
  );
});

Deno.test("dnsAnswerOf() gives nothing for keys of other kinds", () => {
  assert.equal(dnsAnswerOf({ key: `client;${CLIENT}`, name: null }, 0), null);
  assert.equal(dnsAnswerOf({ key: `${CLIENT};192.0.2.1;443;flow`, name: null }, 0), null);
});
