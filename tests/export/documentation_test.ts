import assert from "node:assert/strict";
import { Ecs } from "../../src/export/ecs.ts";
import { Eve } from "../../src/export/eve.ts";
import { IPV4_TEMPLATE, IPV6_TEMPLATE } from "../../src/export/ipfix/templates.ts";
import { ZEEK_CONN_FIELDS } from "../../src/export/zeek_conn_fields.ts";
import { ZEEK_DNS_FIELDS } from "../../src/export/zeek_dns_fields.ts";
import { record } from "../records.ts";
import { EXPORT_CONTEXT } from "./export_context.ts";

const PAGE = await Deno.readTextFile(new URL("../../docs/interchange.md", import.meta.url));
/** A record in which everything is set. */
const FULL = record({ vlan: 1, tunnel: "VXLAN 1", isExplained: false, why: "x", flags: [0xff, 0] });
const ANSWER = {
  time: 0,
  client: "10.0.0.1",
  name: "a.example",
  type: "A",
  data: "192.0.2.1",
} as const;

Deno.test("docs/interchange.md has each field of Zeek's logs", () => {
  const conn = section("### conn.log", "### dns.log");
  for (const { name } of ZEEK_CONN_FIELDS) assert.ok(conn.includes(`\`${name}\``), name);
  const dns = section("### dns.log", "## Suricata");
  for (const { name } of ZEEK_DNS_FIELDS) assert.ok(dns.includes(`\`${name}\``), name);
});

Deno.test("docs/interchange.md has each field of Suricata's events", () => {
  const page = section("## Suricata", "## Elastic Common Schema");
  const format = new Eve(EXPORT_CONTEXT);
  for (const line of [format.conversation(FULL), format.answer(ANSWER)]) {
    for (const path of paths(JSON.parse(line))) assert.ok(page.includes(`\`${path}\``), path);
  }
});

Deno.test("docs/interchange.md has each field of the Elastic Common Schema", () => {
  const page = section("## Elastic Common Schema", "## IPFIX");
  const format = new Ecs(EXPORT_CONTEXT);
  for (const line of [format.conversation(FULL), format.answer(ANSWER)]) {
    for (const path of paths(JSON.parse(line))) {
      // Those of the two ends are the same, and in one row.
      const shown = path.replace(/^(source|destination|client|server)\./, "");
      assert.ok(page.includes(`\`${shown}\``), path);
    }
  }
});

Deno.test("docs/interchange.md has each element of IPFIX", () => {
  const numbers = [...section("## IPFIX").matchAll(/^\| ([\d, or]+?) +\|/gm)]
    .flatMap(([, cell]) => cell.match(/\d+/g) ?? []);
  const used = [IPV4_TEMPLATE, IPV6_TEMPLATE].flatMap(({ elements }) => elements)
    .map(({ id }) => String(id));
  assert.deepEqual(new Set(numbers), new Set(used));
});

function section(from: string, to?: string): string {
  const start = PAGE.indexOf(from);
  const end = to === undefined ? PAGE.length : PAGE.indexOf(to, start);
  assert.ok(start >= 0 && end > start);
  return PAGE.slice(start, end);
}

/** The fields of a document, `flow.state`. A list is one field. */
function paths(document: Record<string, unknown>, prefix = ""): string[] {
  return Object.entries(document).flatMap(([name, value]) =>
    value !== null && typeof value === "object" && !Array.isArray(value) && name !== "grouped"
      ? paths(value as Record<string, unknown>, `${prefix}${name}.`)
      : [prefix + name]
  );
}
