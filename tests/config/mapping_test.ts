import assert from "node:assert/strict";
import {
  Assign,
  type Config,
  defineConfig,
  DST,
  type Flow,
  LowerPort,
  OUR_NETS,
  PortMatch,
  SRC,
} from "../../src/config/mod.ts";
import { Mapping } from "../../src/config/mapping.ts";
import {
  clientIsDestination,
  DROP,
  NO_MATCH,
  type Outcome,
  portOf,
  reasonOf,
} from "../../src/model/outcome.ts";
import { parseOwnNetworks } from "../../src/config/own_networks.ts";
import { validate } from "../../src/config/validate.ts";
import { REASON_NAMES } from "../../src/model/reason.ts";
import { MemoryLog } from "../memory_log.ts";
import { programOf } from "../engine/asked.ts";
import { factsOf } from "./facts_of.ts";

function mappingOf(
  config: Config<string>,
  ourNets: string[] = [],
  log: MemoryLog = new MemoryLog(),
): Mapping {
  return new Mapping(validate(defineConfig(config)), parseOwnNetworks(ourNets, log), log);
}

function said(mapping: Mapping, source: string, sport: number, destination: string, dport: number) {
  return text(programOf(mapping).decide(factsOf(source, sport, destination, dport)));
}

function text(outcome: Outcome): string {
  if (outcome === NO_MATCH) return "no match";
  if (outcome === DROP) return "drop";
  const client = clientIsDestination(outcome) ? "destination" : "source";
  return `client ${client}, port ${portOf(outcome)}, ${REASON_NAMES[reasonOf(outcome)]}`;
}

const EXAMPLE: Config<string> = {
  networks: [
    ["our_nets", OUR_NETS],
    ["bert", "10.33.0.1/32"],
    ["ernie", "10.33.0.2/32"],
    ["external", "0.0.0.0/0", "::/0"],
  ],
  flows: [
    [null, "our_nets", LowerPort(SRC)],
    ["our_nets", null, LowerPort(DST)],
    ["external", "bert", Assign(DST, SRC, { ports: [53], drop: true })],
    ["external", "bert", Assign(SRC, DST, { ports: [80, 443], drop: true })],
    [null, "bert", LowerPort()],
    [null, "ernie", LowerPort()],
  ],
};

Deno.test("Mapping asks the rules in order, for the networks of both ends", () => {
  const mapping = mappingOf(EXAMPLE, ["192.168.0.0/16", "2001:db8::/32"]);
  const cases: [string, number, string, number, string][] = [
    ["8.8.8.8", 53, "192.168.1.1", 4000, "client destination, port 53, lower-port"],
    ["8.8.8.8", 500, "192.168.1.1", 500, "client destination, port 500, lower-port"],
    ["192.168.1.1", 500, "8.8.8.8", 500, "client source, port 500, lower-port"],
    ["192.168.1.1", 500, "192.168.1.2", 500, "client destination, port 500, lower-port"],
    ["2001:db8::1", 500, "2001:4860::1", 500, "client source, port 500, lower-port"],
    ["8.8.8.8", 53, "10.33.0.1", 4000, "drop"],
    ["8.8.8.8", 4000, "10.33.0.1", 443, "drop"],
    ["8.8.8.8", 4000, "10.33.0.1", 22, "client source, port 22, lower-port"],
    ["10.33.0.1", 4000, "10.33.0.2", 22, "client source, port 22, lower-port"],
    ["10.33.0.1", 53, "8.8.8.8", 4000, "no match"],
    ["2001:4860::1", 53, "2001:4860::2", 4000, "no match"],
  ];
  for (const [source, sport, destination, dport, expected] of cases) {
    assert.equal(
      said(mapping, source, sport, destination, dport),
      expected,
      `${source} ${destination}`,
    );
  }
});

Deno.test("Mapping has the address in the first network that holds it, whatever comes later", () => {
  const mapping = mappingOf({
    networks: [["host", "10.0.0.1"], ["lan", "10.0.0.0/8", "fd00::/8"], ["host6", "fd00::1"]],
  });
  const networkOf = (address: string) => {
    const facts = factsOf(address, 1, address, 2);
    programOf(mapping).findNetworks(facts);
    return mapping.networkNames[facts.sourceNetwork];
  };
  assert.equal(networkOf("10.0.0.1"), "host");
  assert.equal(networkOf("10.0.0.2"), "lan");
  assert.equal(networkOf("fd00::1"), "lan");
  assert.equal(networkOf("11.0.0.1"), undefined);
  // The IPv4 address has the same last word; the family keeps them apart.
  assert.equal(networkOf("::10.0.0.1"), undefined);
});

Deno.test("Mapping makes no flow of an address that is in no network", () => {
  const mapping = mappingOf({
    networks: [["lan", "10.0.0.0/8"]],
    flows: [[null, null, LowerPort()]],
  });
  assert.equal(said(mapping, "10.0.0.1", 1, "8.8.8.8", 2), "no match");
  assert.equal(said(mapping, "8.8.8.8", 1, "10.0.0.1", 2), "no match");
  assert.equal(
    said(mapping, "10.0.0.1", 1, "10.0.0.2", 2),
    "client destination, port 1, lower-port",
  );
});

Deno.test("Mapping without a configuration asks Initiator(), Service(), LowerPort()", () => {
  const mapping = mappingOf({});
  assert.deepEqual(mapping.actions.map(String), ["Initiator()", "Service()", "LowerPort(SRC)"]);
  assert.equal(
    said(mapping, "8.8.8.8", 53, "9.9.9.9", 4000),
    "client destination, port 53, registered",
  );
  assert.equal(
    said(mapping, "2001:db8::1", 9, "2001:db8::2", 9),
    "client destination, port 9, lower-port",
  );
  assert.deepEqual(
    [mapping.ttl, mapping.flushInterval, mapping.suppressOwnNetwork, mapping.redis],
    [900, 1, true, null],
  );
});

Deno.test("Mapping goes on to the next rule when an action does not match", () => {
  const mapping = mappingOf({
    flows: [[null, null, PortMatch([443])], [null, null, () => {}], [null, null, Assign(DST, DST)]],
  });
  assert.equal(said(mapping, "1.1.1.1", 7, "2.2.2.2", 443), "client source, port 443, port-match");
  assert.equal(said(mapping, "1.1.1.1", 7, "2.2.2.2", 8), "client destination, port 8, assign");
});

Deno.test("Mapping tells own addresses of both families, and ignored services", () => {
  const mapping = mappingOf(
    { ignoreFlows: [["10.0.11.23", 53], ["10.0.11.23", 54], ["2001:db8::5", 53]] },
    ["10.0.0.0/8", "2001:db8::/32"],
  );
  const program = programOf(mapping);
  const isOurs = (text: string) => program.areLocal(factsOf(text, 1, text, 2))[1];
  assert.deepEqual(["10.9.9.9", "11.0.0.0", "2001:db8::9", "2001:db9::"].map(isOurs), [
    true,
    false,
    true,
    false,
  ]);
  const ignores = (text: string, port: number) => {
    const other = text.includes(":") ? "2001:db8::99" : "10.0.0.99";
    const there = program.isIgnored(factsOf(text, port, other, 9));
    assert.equal(program.isIgnored(factsOf(other, 9, text, port)), there);
    return there;
  };
  assert.ok(ignores("10.0.11.23", 53));
  assert.ok(ignores("10.0.11.23", 54));
  assert.ok(!ignores("10.0.11.23", 55));
  assert.ok(!ignores("10.0.11.24", 53));
  assert.ok(ignores("2001:db8::5", 53));
  assert.ok(!ignores("2001:db8::5", 54));
});

Deno.test("a function as an action is told of the flow in the words of the keys", () => {
  const flows: Flow[] = [];
  const mapping = mappingOf({
    networks: [["lan", "2001:DB8::/32"], ["all", "0.0.0.0/0", "::/0"]],
    flows: [["lan", null, (flow) => void flows.push(flow)]],
  });
  assert.equal(said(mapping, "2001:db8:0:0::1", 1, "2001:4860::1", 2), "no match");
  assert.deepEqual(flows, [{
    src: "2001:db8::1",
    dst: "2001:4860::1",
    sport: 1,
    dport: 2,
    protocol: "tcp",
    srcNetwork: "lan",
    dstNetwork: "all",
  }]);
});

Deno.test("a function as an action names the ends by address or by SRC and DST, or drops", () => {
  const mapping = mappingOf({
    flows: [[null, null, ({ src, dst, sport }) => {
      if (sport === 1) return { client: src, server: dst, port: 443 };
      if (sport === 2) return { client: dst, server: src, port: 0 };
      if (sport === 3) return { client: SRC, server: DST, port: 65535 };
      if (sport === 4) return { client: DST, server: src, port: 5 };
      return "drop";
    }]],
  });
  const answers = [1, 2, 3, 4, 5].map((sport) => said(mapping, "1.1.1.1", sport, "2.2.2.2", 9));
  assert.deepEqual(answers, [
    "client source, port 443, function",
    "client destination, port 0, function",
    "client source, port 65535, function",
    "client destination, port 5, function",
    "drop",
  ]);
});

const BAD_ANSWERS: [string, answer: () => unknown, problem: string][] = [
  [
    "throws",
    () => {
      throw new TypeError("no");
    },
    'the function threw "TypeError: no"',
  ],
  [
    "throws what has no text",
    () => {
      const error = new Error();
      error.toString = () => {
        throw error;
      };
      throw error;
    },
    "the function threw what has no text",
  ],
  [
    "returns a port beyond 65535",
    () => ({ client: SRC, server: DST, port: 70000 }),
    "the function returned port 70000, not 0 to 65535",
  ],
  [
    "returns no port",
    () => ({ client: SRC, server: DST }),
    "the function returned port undefined, not 0 to 65535",
  ],
  [
    "returns an address that is neither end",
    () => ({ client: "3.3.3.3", server: DST, port: 1 }),
    'the function returned client "3.3.3.3" and server "dst", which are not the two ends of the flow',
  ],
  [
    "returns one end twice",
    () => ({ client: SRC, server: SRC, port: 1 }),
    'the function returned client "src" and server "src", which are not the two ends of the flow',
  ],
  [
    "returns a word",
    () => "dorp",
    'the function returned "dorp", not { client, server, port }, "drop" or nothing',
  ],
  [
    "is async",
    () => Promise.reject(new Error("no")),
    "the function is async, and a rule can't wait",
  ],
];

for (const [what, answer, problem] of BAD_ANSWERS) {
  Deno.test(`a function as an action that ${what} is reported once, and does not match`, () => {
    const log = new MemoryLog();
    const flows = [[null, null, answer], [null, null, LowerPort()]] as unknown as Config["flows"];
    const mapping = mappingOf({ flows }, [], log);
    for (let i = 0; i < 3; i++) {
      assert.equal(
        said(mapping, "1.1.1.1", 1, "2.2.2.2", 2),
        "client destination, port 1, lower-port",
      );
    }
    assert.deepEqual(log.lines, [
      `warn: flows[0]: ${problem}; this counts as no match and is said once`,
    ]);
  });
}

Deno.test("Mapping explains each rule up to the one that decided", () => {
  const mapping = mappingOf(EXAMPLE, ["192.168.0.0/16"]);
  const story = programOf(mapping).explain(factsOf("8.8.8.8", 53, "10.33.0.1", 4000));
  assert.equal(story.sourceNetwork, "external");
  assert.equal(story.destinationNetwork, "bert");
  assert.equal(story.outcome, DROP);
  assert.deepEqual(story.rules.map(({ matched, reason }) => `${matched}: ${reason}`), [
    "false: the destination is in bert, not in our_nets",
    "false: the source is in external, not in our_nets",
    "true: source port 53 is in [53]: dropped",
  ]);
});

Deno.test("a mapping that has no room in an engine's memory is refused, with the way out", () => {
  const flows: Config["flows"] = Array.from(
    { length: 8200 },
    (_, i) => [null, null, PortMatch([i + 1])],
  );
  assert.throws(() => mappingOf({ flows }), {
    name: "ConfigError",
    message: "flows: networks, flows and ignoreFlows take 65 MiB: they may take 64; give larger " +
      "prefixes, or fewer lists of ports",
  });
});

Deno.test("any number of rules may have the same ports", () => {
  const flows: Config["flows"] = Array.from(
    { length: 9000 },
    (_, i) => [null, null, PortMatch(i % 2 === 0 ? [80, 443] : [443, 80])],
  );
  const mapping = mappingOf({ flows });
  assert.equal(
    said(mapping, "1.1.1.1", 4000, "2.2.2.2", 443),
    "client source, port 443, port-match",
  );
});

/** Bytes that a call takes of the heap: the median of many runs, too short for most to be collected. */
function bytesOfCall(call: (i: number) => void): number {
  const calls = 1000;
  const run = () => {
    const before = Deno.memoryUsage().heapUsed;
    for (let i = 0; i < calls; i++) call(i);
    return (Deno.memoryUsage().heapUsed - before) / calls;
  };
  for (let i = 0; i < 500; i++) run(); // Compiled code, not the interpreter's, is what is measured.
  const runs = Array.from({ length: 101 }, run).sort((a, b) => a - b);
  return runs[50];
}

Deno.test("Mapping decides built-in actions without allocating", () => {
  const mapping = mappingOf(EXAMPLE, ["192.168.0.0/16"]);
  const program = programOf(mapping);
  const facts = factsOf("8.8.8.8", 50000, "10.33.0.1", 40000);
  let sum = 0;
  const bytes = bytesOfCall((i) => {
    facts.sourcePort = i & 0xffff;
    program.findNetworks(facts);
    sum += program.decide(facts) & 3;
    if (program.isIgnored(facts)) sum++;
  });
  assert.ok(sum > 0);
  // The smallest object has 12 bytes.
  assert.ok(bytes < 6, `${bytes} bytes a call`);

  const custom = mappingOf({ flows: [[null, null, () => "drop"]] });
  const customProgram = programOf(custom);
  const bytesOfCustom = bytesOfCall(() => sum += customProgram.decide(facts));
  assert.ok(
    bytesOfCustom > 12,
    `the measure finds what is allocated: ${bytesOfCustom} bytes a call`,
  );
});
