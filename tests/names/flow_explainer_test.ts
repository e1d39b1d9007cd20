import assert from "node:assert/strict";
import { parseCidr } from "../../src/config/cidr.ts";
import { KnownNames } from "../../src/dns/known_names.ts";
import type { Lookup } from "../../src/dns/lookup.ts";
import { parseAddress } from "../../src/model/address.ts";
import { IPV6_BIT } from "../../src/model/observation_batch.ts";
import {
  IS_ANNOUNCED,
  IS_OVER,
  IS_UNOPENED,
  RECORD_CLIENT,
  RECORD_FIRST,
  RECORD_HEAD,
  RECORD_ID,
  RECORD_NAME,
  RECORD_PORTS,
  RECORD_PROTOCOL_SHIFT,
  RECORD_SERVER,
  RECORD_WORDS,
} from "../../src/model/record_batch.ts";
import { CarriedNameNumbers } from "../../src/names/carried_name_numbers.ts";
import type { CarriedBy } from "../../src/names/carried_names.ts";
import { FlowExplainer, type FlowExplainerOptions } from "../../src/names/flow_explainer.ts";

const CLIENT = "10.0.0.7";
const SERVER = "192.0.2.10";
const START = 1_700_000_000;
/** Long after the start. */
const NOW = START + 3600;
const TCP = 6;

/** What a test says of a conversation. */
interface Flow {
  id?: number;
  client?: string;
  server?: string;
  port?: number;
  at?: number;
  carried?: number;
  bits?: number;
}

class Sensor {
  readonly known: KnownNames;
  readonly carried = new CarriedNameNumbers();
  readonly explainer: FlowExplainer;

  constructor(options: Partial<FlowExplainerOptions> = {}) {
    this.known = options.known ?? new KnownNames();
    this.explainer = new FlowExplainer({
      ...{ known: this.known, carried: this.carried, start: START, dnsPorts: [53] },
      localNetworks: [parseCidr("10.0.0.0/8"), parseCidr("2001:db8:1::/48")],
      ...options,
    });
  }

  /** That a client looked up a name, and was answered an address. */
  lookup(name: string, more: Partial<Lookup> & { by?: string; is?: string } = {}): this {
    const { by = CLIENT, is = SERVER, ...rest } = more;
    const [client, address] = [parseAddress(by)!, parseAddress(is)!];
    this.known.learn({
      ...{ kind: "address", name, target: "", seconds: NOW - 10, ttl: 60 },
      ...{ isClientIpv6: client.family === 6, client: client.words },
      ...{ isIpv6: address.family === 6, address: address.words },
      ...rest,
    });
    return this;
  }

  carry(by: CarriedBy, name: string, encryptedHello: number | null = null): number {
    return this.carried.with(0, { by, name, protocols: [], encryptedHello });
  }

  record({ id = 1, client = CLIENT, server = SERVER, port = 443, at = NOW, ...rest }: Flow = {}) {
    const words = new Uint32Array(RECORD_WORDS);
    const [from, to] = [parseAddress(client)!, parseAddress(server)!];
    words[RECORD_HEAD] = (TCP << RECORD_PROTOCOL_SHIFT) | (from.family === 6 ? IPV6_BIT : 0) |
      (rest.bits ?? 0);
    words.set(from.words, RECORD_CLIENT);
    words.set(to.words, RECORD_SERVER);
    words[RECORD_PORTS] = (40_000 << 16) | port;
    words[RECORD_FIRST] = at;
    words[RECORD_ID] = id;
    words[RECORD_NAME] = rest.carried ?? 0;
    return words;
  }

  /** `explained: lookup www.example.com`, or why it is not. */
  says(flow: Flow = {}): string {
    const { names, isExplained, why } = this.explainer.of(this.record(flow), 0);
    const named = names.map(({ name, from, isOuter }) => `${from} ${name}${isOuter ? "*" : ""}`);
    const first = isExplained === null ? "not asked" : isExplained ? "explained" : "unexplained";
    return [`${first}: ${named.join(", ") || "none"}`, ...(why === null ? [] : [why])].join(" | ");
  }
}

Deno.test("FlowExplainer explains a flow by a lookup of its client before it", () => {
  assert.equal(new Sensor().lookup("www.example.com.").says(), "explained: lookup www.example.com");
});

Deno.test("FlowExplainer explains by a hint of an HTTPS record, which is weaker than an address", () => {
  const sensor = new Sensor().lookup("hint.example.", { kind: "hint" });
  assert.equal(sensor.says(), "explained: https-hint hint.example");
  sensor.lookup("www.example.com.");
  assert.equal(
    sensor.says({ id: 2 }),
    "explained: lookup www.example.com, https-hint hint.example",
  );
});

Deno.test("FlowExplainer has the name behind an HTTPS record's alias, and that of its target", () => {
  const sensor = new Sensor();
  sensor.lookup("www.example.com.", { kind: "alias", target: "svc.example.net." });
  sensor.lookup("svc.example.net.");
  assert.equal(sensor.says(), "explained: lookup www.example.com, lookup svc.example.net");
  const carried = sensor.carry("sni", "www.example.com");
  assert.equal(
    sensor.says({ id: 2, carried }),
    "explained: lookup www.example.com, sni www.example.com",
  );
});

Deno.test("FlowExplainer says all names, the strongest first, also those that disagree", () => {
  const sensor = new Sensor().lookup("www.example.com.");
  const carried = sensor.carry("sni", "other.example");
  assert.equal(
    sensor.says({ carried }),
    "explained: lookup www.example.com, sni other.example",
  );
});

Deno.test("FlowExplainer takes of many lookups of one address that which the conversation agrees with", () => {
  const sensor = new Sensor().lookup("a.example.").lookup("b.example.").lookup("c.example.");
  const carried = sensor.carry("quic-sni", "b.example");
  assert.equal(sensor.says({ carried }), "explained: lookup b.example, quic-sni b.example");
  assert.equal(
    sensor.says({ id: 2 }),
    "explained: lookup c.example, lookup b.example, lookup a.example",
  );
});

Deno.test("FlowExplainer says what is known in place of a lookup, and why that is none", () => {
  const sensor = new Sensor().lookup("other.example.", { is: "192.0.2.99" });
  const none = `${CLIENT} did not look up ${SERVER}`;
  assert.equal(sensor.says(), `unexplained: none | ${none}; nothing else names it`);
  const carried = sensor.carry("sni", "www.example.com");
  assert.equal(
    sensor.says({ id: 2, carried }),
    `unexplained: sni www.example.com | ${none}; TLS asks for www.example.com`,
  );
  sensor.lookup("www.example.com.", { by: "10.0.0.8" });
  assert.equal(
    sensor.says({ id: 3 }),
    `unexplained: other-client www.example.com | ${none}; 10.0.0.8 looked up www.example.com for it`,
  );
  sensor.lookup("host.example.", { kind: "reverse", is: "192.0.2.11" });
  assert.equal(
    sensor.says({ id: 4, server: "192.0.2.11" }),
    `unexplained: reverse host.example | ${CLIENT} did not look up 192.0.2.11; ` +
      "its address is called host.example in reverse lookups",
  );
});

Deno.test("FlowExplainer explains for the answer's time to live and a grace, and not before it", () => {
  const sensor = new Sensor().lookup("www.example.com.", { seconds: NOW, ttl: 60 });
  const explained = (at: number, id: number) => sensor.says({ at, id }).split(":")[0];
  assert.equal(explained(NOW, 1), "explained");
  assert.equal(explained(NOW + 60 + 600, 2), "explained");
  assert.equal(explained(NOW + 60 + 601, 3), "unexplained");
  assert.equal(
    sensor.says({ id: 4, at: NOW + 60 + 660 }),
    `unexplained: none | ${CLIENT} did not look up ${SERVER}; ${CLIENT} looked up ` +
      "www.example.com, whose time to live was over for 11:00",
  );
  assert.match(
    sensor.says({ id: 5, at: NOW - 60 }),
    /looked up www\.example\.com only 1:00 later$/,
  );
});

Deno.test("FlowExplainer lets a lookup that is made again in time explain all that is in between", () => {
  const sensor = new Sensor();
  for (let i = 0; i < 5; i++) {
    sensor.lookup("www.example.com.", { seconds: NOW + i * 600, ttl: 60 });
  }
  assert.equal(sensor.says({ at: NOW + 1500 }), "explained: lookup www.example.com");
  assert.equal(sensor.says({ at: NOW, id: 2 }), "explained: lookup www.example.com");
});

Deno.test("FlowExplainer keeps what it said of a conversation that goes on", () => {
  const sensor = new Sensor({ known: new KnownNames(100) }).lookup("www.example.com.");
  assert.match(sensor.says(), /^explained/);
  for (let i = 0; i < 200; i++) {
    const is = [11, i >>> 16, (i >>> 8) & 255, i & 255].join(".");
    sensor.lookup("x.example.", { by: "10.9.9.9", is });
  }
  const ends = Uint32Array.of(...parseAddress(CLIENT)!.words, ...parseAddress(SERVER)!.words);
  assert.equal(sensor.known.find(false, ends, 0, 4), null);
  const carried = sensor.carry("sni", "www.example.com");
  assert.equal(sensor.says(), "explained: lookup www.example.com");
  assert.equal(
    sensor.says({ carried, bits: IS_OVER }),
    "explained: lookup www.example.com, sni www.example.com",
  );
  assert.deepEqual(sensor.explainer.statistics(), { explained: 1, unexplained: 0 });
});

Deno.test("FlowExplainer asks of no flow what needs no lookup", () => {
  const sensor = new Sensor({ encryptedDns: (port) => port === 4433 ? "DoX" : null });
  const asked = (flow: Flow) => sensor.says({ id: Math.random() * 1e9, ...flow }).split(" | ")[1];
  assert.equal(asked({}), "no lookup was seen yet, of any client");
  sensor.lookup("other.example.", { is: "192.0.2.99" });
  assert.match(asked({}), /did not look up/);
  assert.match(asked({ client: "192.0.2.1" }), /its client is in no own network/);
  assert.match(asked({ server: "10.1.1.1" }), /its server is in an own network/);
  for (const server of ["192.168.1.1", "172.31.0.1", "169.254.1.1", "100.64.0.1", "224.0.0.251"]) {
    assert.match(asked({ server }), /private, link-local or multicast/, server);
  }
  for (const server of ["fe80::1", "fd00::1", "ff02::fb", "::1"]) {
    assert.match(asked({ client: "2001:db8:1::7", server }), /private, link-local/, server);
  }
  assert.match(asked({ port: 53 }), /it is a lookup itself/);
  assert.match(asked({ port: 4433 }), /it is a lookup itself/);
  assert.match(asked({ bits: IS_ANNOUNCED }), /announced in another connection/);
  assert.match(asked({ bits: IS_UNOPENED }), /nothing but SYN, FIN and RST/);
});

Deno.test("FlowExplainer asks in the first 15 minutes of clients only that were seen to look something up", () => {
  const sensor = new Sensor().lookup("x.example.", {
    ...{ by: "10.0.0.8", is: "192.0.2.98", seconds: START + 5 },
  });
  assert.equal(
    sensor.says({ at: START + 60 }),
    "not asked: none | the sensor had run for 1:00 only, and had seen no lookup of its client: " +
      "that may have been before",
  );
  assert.match(sensor.says({ id: 2, at: START + 899 }), /^not asked/);
  assert.match(sensor.says({ id: 3, at: START + 900 }), /^unexplained/);
  sensor.lookup("y.example.", { is: "192.0.2.99", seconds: START + 70 });
  assert.match(sensor.says({ id: 4, at: START + 71 }), /^unexplained/);
  assert.match(sensor.says({ id: 5, at: START + 60 }), /^not asked/);
});

Deno.test("FlowExplainer knows of a client with encrypted DNS why nobody has seen its lookups", () => {
  const sensor = new Sensor({ encryptedDns: (port) => port === 4433 ? "DoX" : null });
  sensor.lookup("x.example.", { by: "10.0.0.8", is: "192.0.2.98", seconds: START + 5 });
  assert.match(sensor.says({ at: START + 60 }), /^not asked/);
  assert.match(sensor.says({ id: 2, at: START + 61, port: 4433 }), /it is a lookup itself$/);
  assert.equal(
    sensor.says({ id: 3, at: START + 62 }),
    `unexplained: none | ${CLIENT} did not look up ${SERVER}; nothing else names it; ` +
      `${CLIENT} looks names up over DoX at ${SERVER}`,
  );
});

Deno.test("FlowExplainer takes no name that stands in place of an encrypted one for a proof", () => {
  const sensor = new Sensor().lookup("secret.example.").lookup("cover.example.");
  const grease = sensor.carry("sni", "cover.example", 42);
  assert.equal(
    sensor.says({ carried: grease }),
    "explained: lookup cover.example, sni cover.example",
  );
  sensor.lookup("cover.example.", { kind: "encrypted-hello", ttl: 42 });
  assert.equal(
    sensor.says({ id: 2, carried: grease }),
    "explained: lookup cover.example, lookup secret.example, sni cover.example*",
  );
  const other = sensor.carry("sni", "cover.example", 43);
  assert.equal(
    sensor.says({ id: 3, carried: other }),
    "explained: lookup cover.example, sni cover.example",
  );
  const known = sensor.carry("quic-sni", "cloudflare-ech.com", 7);
  assert.match(
    sensor.says({ id: 4, server: "192.0.2.77", carried: known }),
    /quic-sni cloudflare-ech\.com\* .*QUIC asks for cloudflare-ech\.com, in place of a name that is encrypted$/,
  );
});

Deno.test("FlowExplainer takes no address for a name", () => {
  const sensor = new Sensor().lookup("www.example.com.");
  const carried = sensor.carry("http-host", SERVER);
  assert.equal(sensor.says({ carried }), "explained: lookup www.example.com");
});

Deno.test("FlowExplainer explains a flow over IPv6 by a lookup over IPv4 of the same device", () => {
  const other = parseAddress(CLIENT)!;
  const sensor = new Sensor({
    addressesOf: (address) =>
      address === "2001:db8:1::7" ? [{ isIpv6: false, words: other.words }] : [],
  });
  sensor.lookup("www.example.com.", { is: "2001:db8:ffff::80" });
  const flow = { client: "2001:db8:1::7", server: "2001:db8:ffff::80" };
  assert.equal(sensor.says(flow), "explained: lookup www.example.com");
  assert.match(
    sensor.says({ ...flow, id: 2, client: "2001:db8:1::8" }),
    /^unexplained: other-client www\.example\.com \| .*10\.0\.0\.7 looked up www\.example\.com for it$/,
  );
});

Deno.test("FlowExplainer counts each conversation once", () => {
  const sensor = new Sensor().lookup("www.example.com.");
  for (const id of [1, 2, 2, 3, 3]) {
    sensor.says({ id, server: id === 3 ? "192.0.2.33" : SERVER });
  }
  assert.deepEqual(sensor.explainer.statistics(), { explained: 2, unexplained: 1 });
});
