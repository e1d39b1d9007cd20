import assert from "node:assert/strict";
import { alertText } from "../../src/alert/alert.ts";
import { Expectations, type Use } from "../../src/alert/expectations.ts";
import { MIDNIGHT } from "../store/record.ts";

const NETWORKS = ["10.0.0.0/8", "2001:db8:1::/48"];
const HOUR = 3_600_000;

function use(given: Partial<Use>): Use {
  return {
    client: "203.0.113.9",
    server: "10.0.0.5",
    port: 22,
    protocol: "tcp",
    by: "syn",
    time: MIDNIGHT,
    ...given,
  };
}

Deno.test("Expectations has an alert for a service that is not expected, and none for others' services", () => {
  const expectations = new Expectations([
    { server: "10.0.0.5", port: 22, protocol: "tcp", clients: [] },
    { server: "2001:db8:1::5", port: 443, protocol: "tcp", clients: [] },
  ], NETWORKS);
  const alert = (given: Partial<Use>) => expectations.alertOf(use(given))?.alert ?? null;
  assert.equal(alert({}), null);
  assert.equal(alert({ server: "2001:db8:1::5", port: 443 }), null);
  assert.equal(alert({ server: "198.51.100.1", port: 443 }), null);
  assert.equal(alert({ protocol: "udp" }), "unexpected-service");
  assert.equal(alert({ port: 23 }), "unexpected-service");
  assert.equal(alert({ server: "10.0.0.6" }), "unexpected-service");
});

Deno.test("Expectations has an alert for a client that is not one of a service's", () => {
  const expectations = new Expectations([
    { server: "10.0.0.5", port: 22, protocol: "tcp", clients: ["10.0.1.0/24", "192.0.2.7/32"] },
  ], NETWORKS);
  assert.equal(expectations.alertOf(use({ client: "10.0.1.77" })), null);
  assert.equal(expectations.alertOf(use({ client: "192.0.2.7" })), null);
  const alert = expectations.alertOf(use({}))!;
  assert.deepEqual(alert, {
    alert: "unexpected-client",
    time: "2026-11-27T00:00:00.000Z",
    client: "203.0.113.9",
    server: "10.0.0.5",
    port: 22,
    protocol: "tcp",
    by: "syn",
  });
  assert.equal(alertText(alert), "203.0.113.9 is not expected at 10.0.0.5 port 22/tcp (syn)");
});

Deno.test("Expectations has each alert once an hour at most", () => {
  const expectations = new Expectations([], NETWORKS);
  const isAlert = (given: Partial<Use>) => expectations.alertOf(use(given)) !== null;
  assert.deepEqual(
    [0, 1, HOUR - 1, HOUR, HOUR + 1, 2 * HOUR].map((it) => isAlert({ time: MIDNIGHT + it })),
    [true, false, false, true, false, true],
  );
  // Whoever uses it: the service is what is not expected.
  assert.equal(isAlert({ client: "203.0.113.10", time: MIDNIGHT + 2 * HOUR }), false);
  assert.equal(isAlert({ port: 23, time: MIDNIGHT + 2 * HOUR }), true);
});

Deno.test("Expectations says no alert again for that something else is expected, and none where nothing is", () => {
  const expectations = new Expectations([], NETWORKS);
  const isAlert = (given: Partial<Use>) => expectations.alertOf(use(given)) !== null;
  assert.ok(isAlert({}));
  expectations.set([{ server: "10.0.0.5", port: 23, protocol: "tcp", clients: [] }], NETWORKS);
  assert.deepEqual([{}, { port: 23 }, { port: 24 }].map(isAlert), [false, false, true]);
  expectations.set(null, NETWORKS);
  assert.ok(!isAlert({ port: 25 }));
});
