import assert from "node:assert/strict";
import { checkConfig } from "../../src/config/check.ts";
import {
  Assign,
  type Config,
  defineConfig,
  DST,
  LowerPort,
  OUR_NETS,
  PortMatch,
  SRC,
} from "../../src/config/mod.ts";
import { parseOwnNetworks } from "../../src/config/own_networks.ts";
import { validate } from "../../src/config/validate.ts";
import { MemoryLog } from "../memory_log.ts";

function findings(config: Config<string>, ourNets: string[] = []): string[] {
  const own = parseOwnNetworks(ourNets, new MemoryLog());
  return checkConfig(validate(defineConfig(config)), own)
    .map(({ severity, place, message }) => `${severity} ${place}: ${message}`);
}

const ALL = ["0.0.0.0/0", "::/0"] as const;

Deno.test("checkConfig() finds nothing in the built-in default", () => {
  assert.deepEqual(findings({}), []);
  assert.deepEqual(findings({}, ["10.0.0.0/8"]), []);
});

Deno.test("checkConfig() finds a network after one that covers it, and the rules that name it", () => {
  assert.deepEqual(
    findings({
      networks: [["lan", "10.0.0.0/8"], ["host", "10.0.0.1"], ["all", ...ALL]],
      flows: [["host", null, LowerPort()], [null, null, LowerPort()]],
    }),
    [
      'warning networks[1]: network "host" can never match: "lan" before it has all its addresses',
      'warning flows[0]: this rule can never match: no address is in network "host"',
    ],
  );
});

Deno.test("checkConfig() finds a network that several others cover together", () => {
  assert.deepEqual(
    findings({
      networks: [["low", "0.0.0.0/1"], ["high", "128.0.0.0/1", "::/0"], ["rest", "10.0.0.0/7"], [
        "all",
        "0.0.0.0/0",
      ]],
    }),
    [
      'warning networks[2]: network "rest" can never match: "low" before it has all its addresses',
      'warning networks[3]: network "all" can never match: "low", "high" before it has all its addresses',
    ],
  );
});

Deno.test("checkConfig() finds single prefixes that are covered, or there twice", () => {
  assert.deepEqual(
    findings({
      networks: [["lan", "10.0.0.0/8", "10.1.0.0/16"], ["b", "10.2.0.0/16", "192.0.2.0/24"], [
        "all",
        ...ALL,
      ]],
    }),
    [
      'warning networks[0]: 10.1.0.0/16 of network "lan" is in its 10.0.0.0/8 already',
      'warning networks[1]: 10.2.0.0/16 of network "b" can never match: "lan" before it has all its addresses',
    ],
  );
});

Deno.test("checkConfig() knows what OUR_NETS is when the own networks are known", () => {
  const config: Config<string> = {
    networks: [["our_nets", OUR_NETS], ["bert", "10.33.0.1"], ["all", ...ALL]],
  };
  assert.deepEqual(findings(config), []);
  assert.deepEqual(findings(config, ["192.168.0.0/16"]), []);
  assert.deepEqual(findings(config, ["10.0.0.0/8"]), [
    'warning networks[1]: network "bert" can never match: "our_nets" before it has all its addresses',
  ]);
});

Deno.test("checkConfig() finds a rule after one that always matches", () => {
  assert.deepEqual(
    findings({
      networks: [["a", "10.0.0.0/8"], ["all", ...ALL]],
      flows: [
        ["a", "all", PortMatch([53])],
        ["a", null, Assign(SRC, DST)],
        [null, null, LowerPort()],
        ["a", "all", PortMatch([80])],
        [null, "all", LowerPort()],
      ],
    }),
    [
      "warning flows[3]: this rule is never asked: flows[1] before it decides about every flow",
      "warning flows[4]: this rule is never asked: flows[1], flows[2] before it decides about every flow",
    ],
  );
});

Deno.test("checkConfig() finds a rule that repeats an earlier one", () => {
  const custom = () => {};
  assert.deepEqual(
    findings({
      flows: [
        [null, null, PortMatch([53, 80])],
        [null, null, custom],
        ["all", null, PortMatch([80, 53])],
        ["all", "all", custom],
        [null, null, () => {}],
        [null, null, LowerPort()],
      ],
    }),
    [
      "warning flows[2]: this rule never decides: flows[0] before it does the same",
      "warning flows[3]: this rule never decides: flows[1] before it does the same",
    ],
  );
});

Deno.test("checkConfig() finds a rule between networks of different families", () => {
  assert.deepEqual(
    findings({
      networks: [["v4", "0.0.0.0/0"], ["v6", "::/0"]],
      flows: [["v4", "v6", PortMatch([1])], [null, null, LowerPort()]],
    }),
    ["warning flows[0]: this rule can never match: its two networks have no address family in common"],
  );
});

Deno.test("checkConfig() finds a rule within the own networks while those flows are left out", () => {
  const config: Config<string> = {
    networks: [["our_nets", OUR_NETS], ["all", ...ALL]],
    flows: [["our_nets", "our_nets", PortMatch([53])], [null, null, LowerPort()]],
  };
  const expected = [
    "warning flows[0]: this rule is never asked: flows within the own networks are left out unless suppressOwnNetwork is false",
  ];
  assert.deepEqual(findings(config), expected);
  assert.deepEqual(findings(config, ["10.0.0.0/8"]), expected);
  assert.deepEqual(findings({ ...config, suppressOwnNetwork: false }), []);
});

Deno.test("checkConfig() finds a missing catch-all of either family", () => {
  assert.deepEqual(findings({ networks: [["all", "0.0.0.0/0"]] }), [
    'warning networks: there is no IPv6 catch-all, so flows with IPv6 addresses are not attributed; if they should be, add "::/0" to the last network',
  ]);
  assert.deepEqual(findings({ networks: [["all", "::/0", "10.0.0.0/8"]] }), [
    'warning networks: there is no IPv4 catch-all, so flows with other IPv4 addresses are not attributed; if they should be, add "0.0.0.0/0" to the last network',
  ]);
});

Deno.test("checkConfig() finds ignoreFlows that can't match, or twice", () => {
  assert.deepEqual(
    findings({
      networks: [["lan", "10.0.0.0/8"], ["all", "::/0"], ["rest", "0.0.0.0/1", "128.0.0.0/2"]],
      ignoreFlows: [["10.0.0.1", 53], ["224.0.0.1", 53], ["10.0.0.1", 54], ["10.0.0.1", 53]],
    }).filter((finding) => finding.includes("ignoreFlows")),
    [
      "warning ignoreFlows[1]: 224.0.0.1 port 53 can never match: its address is in no network",
      "warning ignoreFlows[3]: 10.0.0.1 port 53 is ignoreFlows[0] already",
    ],
  );
});

Deno.test("checkConfig() finds that there are no rules, or no networks", () => {
  assert.deepEqual(findings({ flows: [] }), [
    "warning flows: there are no rules, so no flow is attributed",
  ]);
  assert.deepEqual(
    findings({ networks: [], flows: [[null, null, LowerPort()]] })[0],
    "warning networks: there are no networks, so no flow is attributed",
  );
});

Deno.test("checkConfig() notes pairs of networks that no rule is for", () => {
  assert.deepEqual(
    findings({
      networks: [["a", "10.0.0.0/8"], ["all", ...ALL]],
      flows: [["a", null, PortMatch([53])], [null, "a", LowerPort(DST)]],
    }),
    ["note flows: no rule is for all -> all: no flow is written for them"],
  );
});
