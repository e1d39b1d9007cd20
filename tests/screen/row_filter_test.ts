import assert from "node:assert/strict";
import { DnsServices } from "../../src/names/encrypted_dns/dns_services.ts";
import { LocalAddresses } from "../../src/store/local_addresses.ts";
import { rowFilter } from "../../src/screen/row_filter.ts";
import { FilterError, parseFilter } from "../../src/web/filter.ts";
import type { FlowRow } from "../../src/web/page_data.ts";
import { StorePageData } from "../../src/web/store_page_data.ts";
import { officeStore } from "../web/office_store.ts";

const NOTHING_KNOWN = { isLocal: () => false, dnsKinds: () => null };

Deno.test("rowFilter() chooses the flows that the page chooses", () => {
  using store = officeStore();
  const data = new StorePageData(store.database);
  const flowsOf = (filter: string) =>
    data.flows(
      { filter: parseFilter(filter), span: null },
      { by: "first", isDescending: false },
      { offset: 0, limit: 100_000, snapshot: null },
    ).rows;
  const all = flowsOf("");
  const local = new Set(all.filter(({ isLocal }) => isLocal).map(({ server }) => server));
  const dnsKinds = new DnsServices();
  const knowledge = {
    isLocal: (address: string) => local.has(address),
    dnsKinds: () => dnsKinds,
  };
  const isRefused = ({ conversations, answered }: FlowRow) => conversations > 0 && answered === 0;
  const filters = [
    ...["client:192.168.1.20", "client:192.168.1.17/28", "server:2001:DB8:ff:0::443"],
    ...["server:2001:db8:ff::/48", "host:192.168.1.5,192.168.1.10", "port:80,5000-6000"],
    ...["proto:UDP", "name:EXAMPLE.com", "-name:example", "by:lower-port,ephemeral", "refused"],
    ...["local", "-local", "encrypted", "-encrypted", "1.60", '"video.example"', "-by:syn 192"],
    "client:192.168.1.0/24 port:443 name:example -by:first-packet",
  ];
  for (const text of filters) {
    const filter = parseFilter(text);
    const chosen = all.filter((row) =>
      rowFilter(filter, knowledge, isRefused(row))({ ...row, name: row.name ?? undefined })
    );
    assert.deepEqual(chosen.map(({ id }) => id), flowsOf(text).map(({ id }) => id), text);
    assert.ok(text.startsWith("refused") || chosen.length > 0, `${text} chooses something`);
  }
});

Deno.test("rowFilter() takes names with the dot at their end, and in any case", () => {
  const row = { client: "10.0.0.1", server: "192.0.2.1", port: 443, name: "WWW.Example.com." };
  const takes = (text: string) => rowFilter(parseFilter(text), NOTHING_KNOWN, false)(row);
  assert.ok(takes("name:example.com"));
  assert.ok(takes("www.EXAMPLE"));
  assert.ok(!takes("name:com."));
});

Deno.test("rowFilter() says what it does not know", () => {
  for (const flag of ["unexplained", "new"]) {
    assert.throws(
      () => rowFilter(parseFilter(flag), NOTHING_KNOWN, false),
      new FilterError(`${flag} is not known here; a store and its page know it`),
    );
  }
});

Deno.test("rowFilter() knows prefixes of both families", () => {
  const addresses = ["10.1.2.3", "10.2.0.1", "2001:db8::1", "2001:db9::1"];
  const networks = new LocalAddresses(["10.1.0.0/16"]);
  const chosen = (text: string) =>
    addresses.filter((server) =>
      rowFilter(
        parseFilter(text),
        { ...NOTHING_KNOWN, isLocal: (it) => networks.has(it) },
        false,
      )(
        { client: "::", server, port: 1 },
      )
    );
  assert.deepEqual(chosen("server:10.1.2.9/24"), ["10.1.2.3"]);
  assert.deepEqual(chosen("server:2001:db8::/32"), ["2001:db8::1"]);
  assert.deepEqual(chosen("server:2001:0db8::1"), ["2001:db8::1"]);
  assert.deepEqual(chosen("local"), ["10.1.2.3"]);
});
