import assert from "node:assert/strict";
import type { Announcement } from "../../../src/names/devices/announcement.ts";
import { DeviceBook } from "../../../src/names/devices/device_book.ts";

const HARDWARE = "b8:27:eb:00:53:07";
const PRIVATE = "b6:27:eb:00:53:08";
const NOTHING: Announcement = {
  ...{ by: "arp", hardware: null, addresses: [], name: null, lease: null },
};

function book(): DeviceBook {
  return new DeviceBook({
    local: { has: (address) => /^(10\.|2001:db8:)/.test(address) },
    origin: () => 1_000_000,
  });
}

Deno.test("DeviceBook reports a device with its vendor, its addresses and the name that says most", async () => {
  const devices = book();
  devices.learn({ ...NOTHING, by: "mdns", addresses: ["10.0.0.7"], name: "pi" }, 1);
  devices.learn({ ...NOTHING, hardware: HARDWARE, addresses: ["10.0.0.7"] }, 2);
  devices.learn({ ...NOTHING, by: "ndp", hardware: HARDWARE, addresses: ["2001:db8::7"] }, 3);
  devices.learn({ ...NOTHING, by: "dhcp", hardware: HARDWARE, name: "printer" }, 4);
  assert.deepEqual(await devices.takeRecords(), [{
    hardware: HARDWARE,
    vendor: "Raspberry Pi Foundation",
    isPrivate: false,
    addresses: [
      { address: "10.0.0.7", first: 1_000_001_000, last: 1_000_002_000 },
      { address: "2001:db8::7", first: 1_000_003_000, last: 1_000_003_000 },
    ],
    names: [{ name: "printer", from: "dhcp" }, { name: "pi", from: "mdns" }],
    first: 1_000_001_000,
    last: 1_000_004_000,
    hasNews: true,
  }]);
  assert.deepEqual(devices.devices.addressesOf("2001:db8::7"), ["10.0.0.7", "2001:db8::7"]);
  assert.deepEqual(devices.devices.addressesOf("10.0.0.9"), ["10.0.0.9"]);
});

Deno.test("DeviceBook says that a hardware address is private, and no vendor of it", async () => {
  const devices = book();
  devices.learn({ ...NOTHING, hardware: PRIVATE, addresses: ["10.0.0.8"] }, 1);
  const [{ isPrivate, vendor }] = await devices.takeRecords();
  assert.deepEqual([isPrivate, vendor], [true, null]);
});

Deno.test("DeviceBook leaves out hosts that are on no own network", async () => {
  const devices = book();
  devices.learn({ ...NOTHING, hardware: HARDWARE, addresses: ["192.0.2.7"] }, 1);
  devices.learn({ ...NOTHING, by: "mdns", addresses: ["fe80::7"], name: "x" }, 1);
  devices.learn({ ...NOTHING, by: "dhcp", hardware: PRIVATE, name: "y" }, 1);
  assert.deepEqual(await devices.takeRecords(), []);
  // Whose name came first is known once it has an address.
  devices.learn({ ...NOTHING, hardware: PRIVATE, addresses: ["10.0.0.8"] }, 2);
  assert.deepEqual((await devices.takeRecords()).map(({ names }) => names), [[{
    name: "y",
    from: "dhcp",
  }]]);
});

Deno.test("DeviceBook reports news at once, and when a device was heard of once a minute and at the end", async () => {
  const devices = book();
  const told = { ...NOTHING, hardware: HARDWARE, addresses: ["10.0.0.7"] };
  const reportAt = async (seconds: number) => {
    devices.learn(told, seconds);
    return (await devices.takeRecords()).map(({ hasNews }) => hasNews);
  };
  assert.deepEqual(await reportAt(1), [true]);
  assert.deepEqual(await reportAt(2), []);
  assert.deepEqual(await reportAt(61), [false]);
  assert.deepEqual(await reportAt(70), []);
  assert.deepEqual((await devices.takeRecords(true)).map(({ last }) => last), [1_000_070_000]);
  assert.deepEqual(await devices.takeRecords(true), []);
});

Deno.test("a host that announces the addresses of two interfaces stays two devices", () => {
  const { devices } = book();
  devices.learn({ ...NOTHING, hardware: HARDWARE, addresses: ["10.0.0.7"] }, 1);
  devices.learn({ ...NOTHING, hardware: PRIVATE, addresses: ["10.0.0.8"] }, 1);
  devices.learn({ ...NOTHING, by: "mdns", addresses: ["10.0.0.7", "10.0.0.8"], name: "x" }, 2);
  assert.equal(devices.find("10.0.0.8")?.hardware, PRIVATE);
  assert.deepEqual(devices.addressesOf("10.0.0.7"), ["10.0.0.7"]);
});

Deno.test("what was known by several addresses alone is joined with the device as a whole", () => {
  const { devices } = book();
  const both = ["10.0.0.7", "2001:db8::7"];
  devices.learn({ ...NOTHING, by: "mdns", addresses: both, name: "x" }, 1);
  devices.learn({ ...NOTHING, hardware: HARDWARE, addresses: ["10.0.0.7"] }, 2);
  assert.equal(devices.find("2001:db8::7")?.hardware, HARDWARE);
  assert.equal([...devices.list()].length, 1);
});
