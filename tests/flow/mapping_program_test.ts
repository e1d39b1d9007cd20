/** What a meter's program says of the mapping is what the mapping says. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { parseAddress } from "../../src/config/address.ts";
import { Assign, type Config, DST, Initiator, LowerPort } from "../../src/config/mod.ts";
import { PortMatch, Service, SRC } from "../../src/config/mod.ts";
import {
  DESTINATION_END,
  type EndEvidence,
  NEITHER,
  SOURCE_END,
} from "../../src/model/evidence.ts";
import { emptyFacts, type Facts } from "../../src/model/facts.ts";
import type { Mapping } from "../../src/config/mapping.ts";
import { DROP, NO_MATCH } from "../../src/model/outcome.ts";
import { BY_FIRST_PACKET, BY_QR, BY_SYN, BY_SYN_ACK } from "../../src/model/reason.ts";
import {
  FACT_DESTINATION,
  FACT_DESTINATION_END,
  FACT_DESTINATION_NETWORK,
  FACT_DESTINATION_PORT,
  FACT_FIRST_SENDER,
  FACT_IS_IPV6,
  FACT_OPENER,
  FACT_OPENER_BY,
  FACT_PAYLOAD_SERVER,
  FACT_PROTOCOL,
  FACT_SOURCE,
  FACT_SOURCE_END,
  FACT_SOURCE_NETWORK,
  FACT_SOURCE_PORT,
  FAN_IN_SHIFT,
  LISTENS,
  type MeterMemory,
  OPENED,
  SERVED,
} from "../../src/flow/meter_memory.ts";
import { mappingOf } from "../observed_keys.ts";
import { smallMemory } from "./small_memory.ts";

const ADDRESSES = {
  4: ["10.0.0.1", "10.1.2.3", "192.0.2.1", "224.0.0.251", "255.255.255.255", "0.0.0.10"],
  6: ["2001:db8::1", "2001:db8:1::1", "fe80::1", "ff02::fb", "::10.0.0.1", "::"],
};
const PREFIXES = [
  ...["10.0.0.0/8", "10.1.2.3/32", "192.0.2.0/24", "0.0.0.0/0", "224.0.0.0/4"],
  ...["2001:db8::/32", "2001:db8:1::/48", "fe80::/10", "::/0", "::1/128"],
];
const PORTS = [1, 22, 53, 80, 443, 1023, 1024, 5353, 32_768, 49_152, 65_535];

const port = fc.oneof(fc.constantFrom(...PORTS), fc.integer({ min: 0, max: 65_535 }));
const ports = fc.uniqueArray(fc.constantFrom(...PORTS), { minLength: 1, maxLength: 4 });
const configEnd = fc.constantFrom(SRC, DST);
const whichEnd = fc.constantFrom(NEITHER, SOURCE_END, DESTINATION_END);

const endEvidence: fc.Arbitrary<EndEvidence> = fc.record({
  listens: fc.boolean(),
  served: fc.boolean(),
  opened: fc.boolean(),
  fanIn: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 255 })),
});

const facts: fc.Arbitrary<Facts> = fc.constantFrom<4 | 6>(4, 6).chain((family) =>
  fc.record({
    family: fc.constant(family),
    protocol: fc.constantFrom(6, 17),
    source: fc.constantFrom(...ADDRESSES[family]).map((text) => parseAddress(text)!.words),
    destination: fc.constantFrom(...ADDRESSES[family]).map((text) => parseAddress(text)!.words),
    sourcePort: port,
    destinationPort: port,
    evidence: fc.record({
      opener: whichEnd,
      openerBy: fc.constantFrom(BY_SYN, BY_SYN_ACK, BY_QR, BY_FIRST_PACKET),
      payloadServer: whichEnd,
      firstSender: whichEnd,
      source: endEvidence,
      destination: endEvidence,
    }),
  })
).map((given) => ({ ...emptyFacts(), ...given }));

const action = fc.oneof(
  fc.constant(Initiator()),
  fc.constant(Service()),
  configEnd.map((tie) => LowerPort(tie)),
  fc.tuple(ports, configEnd, fc.boolean()).map(([list, precedence, drop]) =>
    PortMatch(list, { precedence, drop })
  ),
  fc.tuple(configEnd, configEnd, fc.option(ports), fc.boolean()).map(([client, end, list, drop]) =>
    Assign(client, end, list === null ? { drop } : { ports: list, drop })
  ),
);
const network = fc.constantFrom("one", "two", "three", null);

const mapping: fc.Arbitrary<Mapping> = fc.record({
  prefixes: fc.array(fc.subarray(PREFIXES, { minLength: 1 }), { minLength: 3, maxLength: 3 }),
  flows: fc.array(fc.tuple(network, network, action), { maxLength: 6 }),
  ignored: fc.uniqueArray(
    fc.tuple(fc.constantFrom(...ADDRESSES[4], ...ADDRESSES[6]), fc.constantFrom(...PORTS)),
    { maxLength: 6, selector: String },
  ),
  suppressOwnNetwork: fc.boolean(),
  ourNets: fc.subarray(["10.0.0.0/8", "2001:db8::/32"]),
}).map(({ prefixes, flows, ignored, suppressOwnNetwork, ourNets }) => {
  const names = ["one", "two", "three"];
  const config: Config<string> = {
    networks: prefixes.map(([first, ...more], i) => [names[i], first, ...more]),
    flows,
    ignoreFlows: ignored,
    suppressOwnNetwork,
  };
  return mappingOf(config, ourNets);
});

/** Writes facts to where the program has them. */
function tell(memory: MeterMemory, given: Facts): void {
  const words = memory.facts;
  const { evidence } = given;
  words[FACT_IS_IPV6] = given.family === 6 ? 1 : 0;
  words[FACT_PROTOCOL] = given.protocol;
  words.set(given.source, FACT_SOURCE);
  words.set(given.destination, FACT_DESTINATION);
  words[FACT_SOURCE_PORT] = given.sourcePort;
  words[FACT_DESTINATION_PORT] = given.destinationPort;
  words[FACT_OPENER] = evidence.opener;
  words[FACT_OPENER_BY] = evidence.openerBy;
  words[FACT_PAYLOAD_SERVER] = evidence.payloadServer;
  words[FACT_FIRST_SENDER] = evidence.firstSender;
  words[FACT_SOURCE_END] = endWord(evidence.source);
  words[FACT_DESTINATION_END] = endWord(evidence.destination);
}

function endWord({ listens, served, opened, fanIn }: EndEvidence): number {
  return (listens ? LISTENS : 0) | (served ? SERVED : 0) | (opened ? OPENED : 0) |
    (fanIn << FAN_IN_SHIFT);
}

Deno.test("a meter's program decides, suppresses and ignores as the mapping does", () => {
  const memory = smallMemory();
  const { program } = memory;
  let decided = 0;
  fc.assert(
    fc.property(mapping, fc.array(facts, { minLength: 20, maxLength: 20 }), (asked, all) => {
      memory.setMapping(asked.image);
      for (const given of all) {
        const isIpv6 = given.family === 6;
        const { source, destination, sourcePort, destinationPort } = given;
        given.sourceNetwork = asked.networkOf(source, 0, isIpv6);
        given.destinationNetwork = asked.networkOf(destination, 0, isIpv6);
        tell(memory, given);
        const outcome = asked.decide(given);
        if (outcome !== NO_MATCH && outcome !== DROP) decided++;
        assert.equal(program.decide(false), outcome);
        assert.equal(memory.facts[FACT_SOURCE_NETWORK], given.sourceNetwork);
        assert.equal(memory.facts[FACT_DESTINATION_NETWORK], given.destinationNetwork);
        assert.equal(
          Boolean(program.isIgnored()),
          asked.ignoresFlow(source, 0, isIpv6, sourcePort) ||
            asked.ignoresFlow(destination, 0, isIpv6, destinationPort),
        );
        assert.equal(
          Boolean(program.isSuppressed()),
          asked.suppressOwnNetwork && asked.isOurs(source, 0, isIpv6) &&
            asked.isOurs(destination, 0, isIpv6),
        );
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(decided > 1000, `${decided} flows`);
});

Deno.test("a meter's program weighs each port as Service() does", () => {
  const memory = smallMemory();
  const asked = mappingOf(
    { networks: [["all", "0.0.0.0/0"]], flows: [[null, null, Service()]] },
    [],
  );
  memory.setMapping(asked.image);
  const given = { ...emptyFacts(), sourceNetwork: 0, destinationNetwork: 0 };
  for (const protocol of [6, 17]) {
    for (let port = 0; port < 65_536; port++) {
      given.protocol = protocol;
      given.sourcePort = port;
      given.destinationPort = 40_000;
      tell(memory, given);
      assert.equal(memory.program.decide(false), asked.decide(given), `port ${port}`);
    }
  }
});
