import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { ObservationBatch } from "../../src/model/observation_batch.ts";
import { keyText } from "../../src/sink/keys.ts";
import { observations, type Observed } from "../observations.ts";

const HAS_PYTHON = spawnSync("python3", ["--version"]).status === 0;

function keyOf(observed: Observed): string {
  return keyText(observations(observed).words, 0);
}

Deno.test("keyText() writes each kind as the Redis contract has it, IPv4", () => {
  const [a, b] = ["10.0.11.23", "192.0.2.1"];
  assert.equal(keyOf({ kind: "client", a }), "client;10.0.11.23");
  assert.equal(keyOf({ kind: "flow", a, b, port: 443 }), "10.0.11.23;192.0.2.1;443;flow");
  assert.equal(keyOf({ kind: "peer", a, b }), "10.0.11.23;192.0.2.1;peer");
  assert.equal(
    keyOf({ kind: "rst", a, b, port: 50123, otherPort: 80 }),
    "10.0.11.23;192.0.2.1;50123:80;rst",
  );
  assert.equal(
    keyOf({ kind: "icmp", a, b, port: 50123, otherPort: 53, code: 3 }),
    "10.0.11.23;192.0.2.1;50123:53;3;icmp",
  );
});

Deno.test("keyText() writes each kind as the Redis contract has it, IPv6", () => {
  const [a, b] = ["2001:DB8:0:0:1:0:0:1", "fe80::1"];
  assert.equal(keyOf({ kind: "client", a }), "client;2001:db8::1:0:0:1");
  assert.equal(keyOf({ kind: "flow", a, b, port: 65535 }), "2001:db8::1:0:0:1;fe80::1;65535;flow");
  assert.equal(keyOf({ kind: "peer", a: b, b: a }), "fe80::1;2001:db8::1:0:0:1;peer");
  assert.equal(
    keyOf({ kind: "rst", a, b, port: 65535, otherPort: 65535 }),
    "2001:db8::1:0:0:1;fe80::1;65535:65535;rst",
  );
  assert.equal(
    keyOf({ kind: "icmp", a, b, port: 1, otherPort: 0, code: 255 }),
    "2001:db8::1:0:0:1;fe80::1;1:0;255;icmp",
  );
});

Deno.test("keyText() tells the families apart that have the same words", () => {
  const ipv4 = observations({ kind: "client", a: "0.0.0.1" });
  const ipv6 = observations({ kind: "client", a: "::1" });
  for (let i = 0; i < 2; i++) {
    assert.equal(keyText(ipv4.words, 0), "client;0.0.0.1");
    assert.equal(keyText(ipv6.words, 0), "client;::1");
  }
});

Deno.test("keyText() refuses an observation of no known kind", () => {
  assert.throws(() => keyText(new ObservationBatch(1).words, 0), RangeError);
});

Deno.test({
  name: "keyText() writes addresses as Python's ipaddress does" +
    (HAS_PYTHON ? "" : " (ignored: python3 is not installed)"),
  ignore: !HAS_PYTHON,
  async fn() {
    const group = fc.oneof(
      { weight: 3, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xf }) },
      { weight: 2, arbitrary: fc.integer({ min: 0, max: 0xffff }) },
    );
    const groups = fc.sample(fc.array(group, { minLength: 8, maxLength: 8 }), 5000)
      // Pythons from 3.13 on write these as ::ffff:a.b.c.d; the contract is older.
      .filter((it) => !(it.slice(0, 5).every((value) => value === 0) && it[5] === 0xffff));
    const ours = groups.map((it) =>
      keyOf({ kind: "client", a: it.map((value) => value.toString(16)).join(":") })
    );
    const python = new Deno.Command("python3", {
      args: [
        "-c",
        "import ipaddress, sys\nfor line in sys.stdin:\n" +
        " print('client;' + str(ipaddress.IPv6Address(int(line, 16))))",
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const input = groups.map((it) =>
      it.map((value) => value.toString(16).padStart(4, "0")).join("")
    );
    const [theirs] = await Promise.all([
      new Response(python.stdout).text(),
      new Blob([input.join("\n")]).stream().pipeTo(python.stdin),
    ]);
    assert.equal((await python.status).code, 0);
    assert.deepEqual(ours, theirs.trim().split("\n"));
  },
});
