import assert from "node:assert/strict";
import { lockedPackages } from "../../deploy/locked_packages.ts";
import { unusedPort } from "../redis_server.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
/** What a registry says of acorn, as https://registry.npmjs.org/-/npm/v1/security/advisories/bulk does. */
const ADVISORY = {
  acorn: [{
    id: 1,
    url: "https://github.com/advisories/GHSA-xxxx-xxxx-xxxx",
    title: "It stops at no end",
    severity: "high",
    vulnerable_versions: "<1000.0.0",
    cwe: [],
    cvss: { score: 7.5, vectorString: null },
  }],
};

const { tasks } = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));

/**
 * What the task's command says where that is the registry. `deno task` would fetch all packages from there
 * first.
 */
async function audit(registry: string) {
  const [program, ...args] = tasks.audit.split(" ");
  assert.equal(program, "deno");
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { NPM_CONFIG_REGISTRY: registry, NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A registry that knows these weaknesses, and notes what it was asked about. */
function registryOf(answer: unknown, status = 200) {
  const asked: Record<string, string[]>[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      asked.push(await request.json());
      return Response.json(answer, { status });
    },
  );
  return {
    asked,
    url: `http://127.0.0.1:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("audit asks about each package of both lock files, and says that nothing is known", async () => {
  await using registry = registryOf({});
  const { code, stdout, stderr } = await audit(registry.url);
  const lines = [];
  for (const [i, file] of ["deno.lock", "tools/deno.lock"].entries()) {
    const packages = await lockedPackages(`${ROOT}${file}`);
    lines.push(`${file}: ${packages.length} packages, no known weakness\n`);
    for (const { name, version } of packages) {
      assert.ok(registry.asked[i][name]?.includes(version), `${name}@${version}`);
    }
  }
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: lines.join(""), stderr: "" });
});

Deno.test("audit prints a known weakness, and ends with status 1", async () => {
  await using registry = registryOf(ADVISORY);
  const { code, stdout, stderr } = await audit(registry.url);
  assert.equal(code, 1, stderr);
  assert.match(stdout, /^deno\.lock: \d+ packages, with known weaknesses$/m);
  assert.match(stdout, /It stops at no end[^]*high[^]*acorn/);
  assert.equal(stderr, "");
});

for (
  const [what, registry] of [
    ["can't be reached", async () => ({ url: `http://127.0.0.1:${await unusedPort()}/` })],
    ["has no such thing", () => Promise.resolve(registryOf({ error: "method not allowed" }, 405))],
  ] as const
) {
  Deno.test(`audit says in one line that a registry ${what}: status 2`, async () => {
    const place: { url: string; [Symbol.asyncDispose]?: () => Promise<void> } = await registry();
    const { code, stdout, stderr } = await audit(place.url);
    await place[Symbol.asyncDispose]?.();
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /^deno\.lock: the registry was not asked about \d+ packages: .+\n$/);
  });
}
