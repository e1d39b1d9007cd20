import assert from "node:assert/strict";
import type { Announcement } from "../../../src/names/devices/announcement.ts";
import { Devices } from "../../../src/names/devices/devices.ts";

const HARDWARE = "00:00:5e:00:53:07";
const NOTHING: Announcement = {
  ...{ by: "arp", hardware: null, addresses: [], name: null, lease: null },
};

Deno.test("Devices has a host's addresses of both families as one device, with times", () => {
  const devices = new Devices();
  devices.learn({ ...NOTHING, hardware: HARDWARE, addresses: ["10.0.0.7"] }, 100);
  devices.learn({ ...NOTHING, by: "ndp", hardware: HARDWARE, addresses: ["2001:db8::7"] }, 160);
  devices.learn({ ...NOTHING, by: "dhcp", hardware: HARDWARE, name: "laptop" }, 170);
  devices.learn({ ...NOTHING, hardware: HARDWARE, addresses: ["10.0.0.7"] }, 200);
  const device = devices.find("2001:db8::7")!;
  assert.equal(devices.find("10.0.0.7"), device);
  assert.deepEqual([...device.addresses], [
    ["2001:db8::7", { first: 160, last: 160 }],
    ["10.0.0.7", { first: 100, last: 200 }],
  ]);
  assert.deepEqual([...device.names], [["laptop", "dhcp"]]);
  assert.deepEqual([device.first, device.last, device.isPrivate], [100, 200, false]);
});

Deno.test("Devices joins what was known by an address alone once its hardware is known", () => {
  const devices = new Devices();
  devices.learn({ ...NOTHING, by: "mdns", addresses: ["10.0.0.9"], name: "printer" }, 1);
  assert.equal(devices.find("10.0.0.9")?.hardware, null);
  devices.learn({ ...NOTHING, hardware: HARDWARE, addresses: ["10.0.0.9"] }, 2);
  assert.equal([...devices.list()].length, 1);
  const device = devices.find("10.0.0.9")!;
  assert.deepEqual([device.hardware, [...device.names.keys()]], [HARDWARE, ["printer"]]);
});

Deno.test("Devices gives an address to whom it was told of last", () => {
  const devices = new Devices();
  const other = "02:00:5e:00:53:08";
  devices.learn({ ...NOTHING, hardware: HARDWARE, addresses: ["10.0.0.7"] }, 1);
  devices.learn({ ...NOTHING, hardware: other, addresses: ["10.0.0.7"] }, 2);
  assert.equal(devices.find("10.0.0.7")?.hardware, other);
  assert.equal(devices.find("10.0.0.7")?.isPrivate, true);
});

Deno.test("Devices is bounded in devices, addresses and names, and counts what it forgets", () => {
  const devices = new Devices(100);
  for (let i = 0; i < 1000; i++) {
    const hardware = `00:00:5e:00:${Math.floor(i / 100)}:${i % 100}`;
    devices.learn({ ...NOTHING, hardware, addresses: [`10.0.${i >> 8}.${i & 255}`] }, i);
  }
  assert.deepEqual([[...devices.list()].length, devices.forgotten], [100, 900]);
  assert.equal(devices.find("10.0.0.5"), null);
  for (let i = 0; i < 100; i++) {
    devices.learn({ ...NOTHING, hardware: HARDWARE, addresses: [`10.1.0.${i}`], name: `n${i}` }, i);
  }
  const device = devices.find("10.1.0.99")!;
  assert.deepEqual([device.addresses.size, device.names.size], [32, 8]);
  assert.equal(devices.find("10.1.0.0"), null);
});
