import assert from "node:assert/strict";
import type { Device } from "../../ffi/device.ts";
import { ownPrefixes } from "../../src/capture/own_prefixes.ts";
import { HAS_LIBPCAP, WITHOUT_LIBPCAP } from "../installed.ts";

function device(name: string, ...prefixes: string[]): Device {
  return {
    name,
    description: "",
    isInterface: true,
    isLoopback: name === "lo",
    isUp: true,
    isRunning: true,
    addresses: prefixes.map((prefix) => {
      const [address, length] = prefix.split("/");
      return { address, family: address.includes(":") ? 6 : 4, prefixLength: Number(length) };
    }),
  };
}

const DEVICES = [
  device("eth0", "192.0.2.77/25", "192.0.2.78/25", "2001:db8:1::5/64", "fe80::1/64"),
  device("mirror0"),
  device("ppp0", "198.51.100.7/32"),
  device("lo", "127.0.0.1/8", "::1/128"),
];

Deno.test("ownPrefixes() names each network of the interface once, link-local ones too", () => {
  assert.deepEqual(ownPrefixes("eth0", DEVICES), [
    "192.0.2.0/25",
    "2001:db8:1::/64",
    "fe80::/64",
  ]);
});

Deno.test("ownPrefixes() keeps a single address as it is", () => {
  assert.deepEqual(ownPrefixes("ppp0", DEVICES), ["198.51.100.7/32"]);
});

Deno.test("ownPrefixes() is empty for an interface without addresses, or that is not there", () => {
  assert.deepEqual(ownPrefixes("mirror0", DEVICES), []);
  assert.deepEqual(ownPrefixes("nowhere0", DEVICES), []);
});

Deno.test("ownPrefixes() of any are those of all interfaces", () => {
  assert.deepEqual(ownPrefixes("any", DEVICES), [
    "192.0.2.0/25",
    "2001:db8:1::/64",
    "fe80::/64",
    "198.51.100.7/32",
    "127.0.0.0/8",
    "::1/128",
  ]);
});

Deno.test({
  name: "ownPrefixes() reads the machine's own interfaces" + WITHOUT_LIBPCAP,
  ignore: !HAS_LIBPCAP,
  fn() {
    assert.ok(ownPrefixes("lo").includes("127.0.0.0/8"));
  },
});
