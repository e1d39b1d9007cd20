import assert from "node:assert/strict";
import { registeredPortsModule } from "../../tools/registered_ports.ts";

Deno.test("the registered ports are those that tools/registered_ports.ts makes of the registry", () => {
  const module = new URL("../../src/config/registered_ports.ts", import.meta.url);
  assert.equal(
    Deno.readTextFileSync(module),
    registeredPortsModule(),
    "run: deno run --allow-write=src/config tools/registered_ports.ts",
  );
});
