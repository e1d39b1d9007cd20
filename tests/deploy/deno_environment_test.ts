import assert from "node:assert/strict";
import { denoEnvironment } from "../../deploy/deno_environment.ts";

Deno.test("a Deno that downloads trusts what the system trusts, unless told otherwise", () => {
  const name = "DENO_TLS_CA_STORE";
  const before = Deno.env.get(name);
  try {
    Deno.env.delete(name);
    assert.equal(denoEnvironment()[name], "mozilla,system");
    Deno.env.set(name, "mozilla");
    assert.equal(denoEnvironment()[name], "mozilla");
  } finally {
    if (before === undefined) Deno.env.delete(name);
    else Deno.env.set(name, before);
  }
});
