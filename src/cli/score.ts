import { filtered } from "../capture/filtered.ts";
import { SavefileSource } from "../capture/savefile_source.ts";
import { Action } from "../config/action.ts";
import type { Cidr } from "../config/cidr.ts";
import { loadConfig } from "../config/load.ts";
import { Mapping } from "../config/mapping.ts";
import { parseOwnNetworks } from "../config/own_networks.ts";
import { defineConfig, type FlowFunction, Initiator, LowerPort, Service } from "../config/mod.ts";
import type { ValidConfig } from "../config/valid_config.ts";
import { validate } from "../config/validate.ts";
import type { Log } from "../log.ts";
import { type Candidate, type Mistake, type Score, Scorer, type Tally } from "../score/score.ts";
import type { Label } from "../score/truth.ts";
import { UserError, WRONG_USAGE } from "../user_error.ts";
import { aligned } from "./aligned.ts";
import { partNamesAndNetworks, sayFilesAmong } from "./names_and_networks.ts";
import { printText } from "./print_text.ts";
import { Progress } from "./progress.ts";
import { refuseMistakenNames } from "./refuse_mistaken_names.ts";

/** Options of the command line. */
export interface ScoreOptions {
  config?: string;
  filter?: string;
  json?: boolean;
  /** Whether each conversation that was attributed wrongly is listed. */
  verbose?: boolean;
  maxConversations: number;
}

const DEFAULT_RULES = "the default rules";
const CONFIGURATION = "the configuration";

/**
 * The command `score`: measures rules on saved captures against the captures' own handshakes, as they
 * are and with all packets with SYN taken out.
 *
 * @param parameters Files and own networks.
 * @param print Takes the text. By default, it goes to standard output.
 * @returns The exit status: 1 if one of the files could not be read to its end.
 * @throws {UserError} for what is wrong at the start.
 */
export async function score(
  parameters: readonly string[],
  options: ScoreOptions,
  log: Log,
  print: (text: string) => unknown = printText,
): Promise<number> {
  const { names, networks } = partNamesAndNetworks(parameters);
  const ownNetworks = parseOwnNetworks(networks, log);
  if (names.length === 0) {
    throw new UserError(`score: ${parameters.join(" ")} names no file`, WRONG_USAGE);
  }
  sayFilesAmong(networks, log);
  refuseMistakenNames(parameters, names, "files", options.filter);
  const { config, description } = await loadConfig(options.config);
  log.info(`configuration: ${description}`);
  const candidates = candidatesOf(
    config,
    ownNetworks.length > 0 ? ownNetworks : config.ourNets,
    log,
  );
  const scorer = new Scorer(candidates, options.maxConversations);
  let status = 0;
  for (const name of names) {
    try {
      await addFile(scorer, name, options.filter);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      log.error(error.message);
      status = 1;
    }
  }
  const result = scorer.score();
  await print(options.json ? JSON.stringify(result) : text(result, candidates, options));
  return status;
}

/** Each action by itself, what is asked without rules, and the rules of the configuration. */
function candidatesOf(config: ValidConfig, ownNetworks: readonly Cidr[], log: Log): Candidate[] {
  const alone = (action: Action | FlowFunction) =>
    new Mapping(
      validate(defineConfig({ suppressOwnNetwork: false, flows: [[null, null, action]] })),
      [],
      log,
    );
  const own = new Mapping(config, ownNetworks, log);
  const actions: [string, Action | FlowFunction][] = [Initiator(), Service(), LowerPort()]
    .map((action) => [`${action}`, action]);
  config.rules.forEach(({ action }, i) => {
    const name = `${own.actions[i]}`;
    const isDropped = action instanceof Action && "drop" in action && action.drop === true;
    if (!isDropped && actions.every(([known]) => known !== name)) actions.push([name, action]);
  });
  const candidates = actions.map(([name, action]) => ({ name, mapping: alone(action) }));
  const none = validate(defineConfig({ suppressOwnNetwork: false }));
  const byDefault = new Mapping(none, [], log);
  candidates.push({ name: DEFAULT_RULES, mapping: byDefault });
  const isDefault = own.actions.join() === byDefault.actions.join() &&
    config.networks.length === 1 && ownNetworks.length === 0;
  return isDefault ? candidates : [...candidates, { name: CONFIGURATION, mapping: own }];
}

async function addFile(scorer: Scorer, name: string, filter: string | undefined): Promise<void> {
  const source = SavefileSource.open(name);
  const progress = new Progress();
  try {
    await scorer.add(await filtered(source, filter), async () => {
      if (!progress.isDue) return;
      progress.show(source);
      await new Promise((resolve) => setTimeout(resolve, 0));
    });
  } finally {
    progress.clear();
    source.close();
  }
}

function text(score: Score, candidates: readonly Candidate[], { verbose }: ScoreOptions): string {
  const { tcp, udp } = score.labels;
  const lines = [
    `TCP: ${tcp} connections with a handshake and at least one more packet`,
    ...tableOf(score, candidates, "tcp"),
    "",
    `UDP: ${udp} conversations with DNS, or whose first packet is QUIC's or DTLS's`,
    ...tableOf(score, candidates, "udp"),
  ];
  if (verbose) lines.push("", ...mistakeLines(score.mistakes));
  return lines.join("\n");
}

function tableOf(
  { tallies, labels }: Score,
  candidates: readonly Candidate[],
  protocol: Label["protocol"],
): string[] {
  if (labels[protocol] === 0) return [];
  // Without TCP's packets with SYN, UDP is the same.
  const variants = protocol === "tcp" ? [false, true] : [false];
  const head = [
    "",
    ...variants.flatMap((withoutSyn) => [
      withoutSyn ? "without SYN:" : "as they are:",
      "",
      "",
    ]),
  ];
  const titles = ["rules", ...variants.flatMap(() => ["right", "wrong", "not matched"])];
  const rows = candidates.map(({ name }) => [
    name,
    ...variants.flatMap((withoutSyn) =>
      cells(
        tallies.find((tally) =>
          tally.candidate === name && tally.protocol === protocol && tally.withoutSyn === withoutSyn
        )!,
      )
    ),
  ]);
  return aligned(rightAligned([head, titles, ...rows]));
}

function cells({ right, wrong, notMatched }: Tally): string[] {
  const all = right + wrong + notMatched;
  return [right, wrong, notMatched].map((count) =>
    `${count} (${(100 * count / all).toFixed(2)} %)`
  );
}

/** All columns but the first. */
function rightAligned(rows: readonly string[][]): string[][] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row.map((cell, column) => column === 0 ? cell : cell.padStart(widths[column]))
  );
}

/** Those of whole mappings: what an action by itself does wrong, the next one may do right. */
function mistakeLines(all: readonly Mistake[]): string[] {
  const mistakes = all.filter(({ candidate, withoutSyn, label }) =>
    (candidate === DEFAULT_RULES || candidate === CONFIGURATION) &&
    (label.protocol === "tcp" || !withoutSyn)
  );
  if (mistakes.length === 0) return ["Nothing was attributed wrongly."];
  return [
    "Attributed wrongly (client and server as they were, and what decided otherwise):",
    ...aligned(mistakes.map(({ candidate, withoutSyn, label, by }) => [
      candidate,
      withoutSyn ? "without SYN" : "as it is",
      label.protocol,
      `${endText(label.client, label.clientPort)} -> ${endText(label.server, label.serverPort)}`,
      by,
    ])),
  ];
}

function endText(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
