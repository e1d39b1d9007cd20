import assert from "node:assert/strict";
import registry from "oui-data";
import { isPrivateHardware } from "../../src/names/devices/hardware_address.ts";
import { Vendors } from "../../src/names/devices/vendors.ts";
import { printable } from "../../src/printable.ts";
import { vendorDataModule } from "../../tools/vendors.ts";

Deno.test("the vendors are those that tools/vendors.ts makes of the registry", () => {
  const module = new URL("../../src/names/devices/vendor_data.ts", import.meta.url);
  assert.ok(Deno.readTextFileSync(module) === vendorDataModule(), "run: deno task vendors");
});

Deno.test("Vendors finds each vendor of the registry, by the longest prefix", async () => {
  const vendors = await Vendors.load();
  const entries = new Map(Object.entries<string>(registry));
  const hasLonger = (digits: string, length: number) =>
    [7, 9].some((longer) => longer > length && entries.has(digits.slice(0, longer)));
  let found = 0;
  for (const [prefix, entry] of entries) {
    const digits = prefix.padEnd(12, "F");
    const hardware = digits.toLowerCase().match(/../g)!.join(":");
    // Some were given away before the bit had its meaning.
    if (isPrivateHardware(hardware) || hasLonger(digits, prefix.length)) continue;
    const name = printable(entry.split("\n")[0]).replace(/\s+/g, " ").trim();
    if (vendors.of(hardware) !== name) assert.equal(vendors.of(hardware), name, prefix);
    found++;
  }
  assert.ok(found > 50_000);
  assert.equal(vendors.of("02:00:00:00:00:01"), null);
});
