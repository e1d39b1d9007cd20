import { Argument, Command, CommanderError, Option } from "commander";
import { DEFAULT_LIVE_OPTIONS } from "../capture/live_options.ts";
import { SOURCE_CHOICES } from "../capture/source_choices.ts";
import { DEFAULT_MAX_CONVERSATIONS } from "../model/default_max_conversations.ts";
import { LineLog, LOG_LEVELS, type LogLevel } from "../log.ts";
import { UserError, WRONG_USAGE } from "../user_error.ts";
import { VERSION } from "../version.ts";
import { complain } from "./complain.ts";
import { exitStatusLines } from "./exit_statuses.ts";
import { withImpliedCommand } from "./implied_command.ts";
import {
  clickHousePasswordFileOption,
  clickHouseUrl,
  configFile,
  integerIn,
  ipfixAddress,
  metricsAddress,
  modeValue,
  redisPasswordFile,
  redisUrl,
  secondsValue,
} from "./option_values.ts";
import { EXPORT_FORMAT_NAMES } from "../export/export_format_names.ts";
import { partedEnds } from "./parted_ends.ts";
import { sandboxOption } from "./sandbox_option.ts";
import { SHELLS } from "./shells.ts";
import { addPageOptions, addStoreCommands } from "./store_commands.ts";
import { usageMessage } from "./usage_message.ts";
import { byteSizeValue, durationValue, storeFile } from "./store_option_values.ts";

const MOST_SNAPLEN = 262_144;
const MOST_BUFFER_MEBIBYTES = 2047;
/** A quarter of what the kernel lets share packets. */
const MOST_WORKERS = 64;
const MOST_CONVERSATIONS = 16_000_000;
/** Each of some ten meters remembers so many, and all are made again for each capture. */
const SCORED_CONVERSATIONS = 200_000;

/**
 * Runs the command that the parameters name.
 *
 * @returns The exit status: 0, 1 for an error, 2 for wrong usage.
 */
export async function runCommand(
  parameters: readonly string[],
): Promise<number> {
  let status = 0;
  const program = commandTable((outcome) => status = outcome);
  const names = new Set(program.commands.map((command) => command.name()));
  const implied = withImpliedCommand(parameters, names);
  const words = implied[0] === "explain" ? partedEnds(implied) : implied;
  try {
    await program.parseAsync(words, { from: "user" });
    return status;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version were printed. Wrong usage was not yet: it is one line, as all errors are.
    if (error.exitCode === 0) return 0;
    if (error.code !== "commander.help") {
      complain(usageMessage(error, program, words));
    }
    return WRONG_USAGE;
  }
}

/**
 * All commands with their options: what `--help`, the manual page and completion are made of.
 *
 * @param finish Told the exit status of the command that ran.
 */
export function commandTable(finish: (status: number) => void = () => {}): Command {
  const program = new Command("flosensor")
    .description(
      "Says who used whose service: packets in, attributed flows to Redis, to JSON lines or to the " +
        "terminal.",
    )
    .version(VERSION, "-V, --version", "print the version")
    .helpCommand(false)
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .addHelpText("after", `\nExit status:\n${exitStatusLines("  ").join("\n")}`)
    .exitOverride()
    .configureOutput({
      outputError: () => {},
      // Asking commander's own would read the environment, for which there is no permission.
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  const command = (name: string, description: string) =>
    program.command(name).description(description)
      .addOption(
        new Option("--log-level <level>", "least urgent messages to show on standard error")
          .choices(LOG_LEVELS).default("info"),
      );
  const configOption = () =>
    new Option(
      "-c, --config <file>",
      "configuration; otherwise ./config.ts, /etc/flosensor/config.ts, a built-in default",
    ).argParser(configFile);

  const capturing = addRunOptions(
    command(
      "capture",
      "Capture on interfaces until SIGINT or SIGTERM; SIGHUP loads the configuration again.",
    )
      .usage("[options] <interface...> [our-net...]")
      .argument(
        "[interface...]",
        '"any", or names as "flosensor interfaces" shows them; then ' +
          ourNets("the interfaces' own prefixes"),
      )
      .addOption(configOption()),
  )
    .option("-i, --interface <interface>", "as <interface>; may be given more than once", collected)
    .option(
      "-s, --snaplen <bytes>",
      "bytes taken of a packet, 0 for all",
      (text) => integerIn(0, MOST_SNAPLEN)(text) || MOST_SNAPLEN,
      DEFAULT_LIVE_OPTIONS.snaplen,
    )
    .option(
      "--buffer <MiB>",
      "size of the kernel's buffer",
      integerIn(1, MOST_BUFFER_MEBIBYTES),
      DEFAULT_LIVE_OPTIONS.bufferMebibytes,
    )
    .option("-p, --no-promisc", "leave the interface out of promiscuous mode")
    .addOption(
      new Option("-Q, --direction <direction>", "seen from the interface")
        .choices(["in", "out", "inout"]).default("inout"),
    )
    .addOption(
      new Option(
        "--source <source>",
        "what takes the packets: libpcap, the kernel's ring without it, or the first that is there",
      ).choices(SOURCE_CHOICES).default("auto"),
    )
    .option(
      "--workers <number>",
      "threads that share the packets, each with a buffer of the kernel's of its own",
      integerIn(1, MOST_WORKERS),
      1,
    )
    .option("-Z, --user <user>", "as root: become this user once capture is open, for good")
    .addOption(sandboxOption())
    .option(
      "--metrics <address>",
      "serve metrics for Prometheus, /healthz and /readyz there, as 127.0.0.1:3048",
      metricsAddress,
    );
  addPageOptions(capturing, "without it there is no page")
    .action(async (names: string[], options) => {
      const { capture } = await import("./capture.ts");
      finish(await capture([...options.interface ?? [], ...names], options, log(options)));
    });

  addRunOptions(
    command(
      "replay",
      'Read saved captures, pcap or pcapng, also compressed with gzip or zstd; "-" is standard input.',
    )
      .usage("[options] <file...> [our-net...]")
      .argument(
        "[file...]",
        "saved captures; then " + ourNets("none: no rst and icmp keys, nothing suppressed"),
      )
      .addOption(configOption()),
  )
    .option("-r, --read-file <file>", "as <file>; may be given more than once", collected)
    .action(async (names: string[], options) => {
      const { replay } = await import("./replay.ts");
      const files = [...options.readFile ?? [], ...names];
      finish(await replay(files, options, log(options)));
    });

  addRedisOptions(
    command(
      "dnstap",
      "Take names from name servers, or from ShoDoHFlo's dnstap agents, until SIGINT or SIGTERM.",
    )
      .argument(
        "<listen...>",
        "unix:/path or tcp:host:port for dnstap; udp:host:port for datagrams, also of a group",
      )
      .addOption(configOption()),
    "write to",
  )
    .option("--json", "print dnstap as lines of JSON (without it and Redis: keys as lines of JSON)")
    .addOption(
      new Option("--socket-mode <mode>", "who may write to a Unix socket, see chmod(1)")
        .argParser(modeValue).default(0o660, "660"),
    )
    .option(
      "--send <place>",
      "send lookups on as ShoDoHFlo's dnstap agent does: udp:address:port, also of a group",
      collected,
    )
    .option(
      "--multicast-interface <address>",
      "where to join a group, or to send to it: an address of the interface",
    )
    .addOption(sandboxOption())
    .option("--stats <seconds>", "log statistics at this interval", secondsValue)
    .action(async (places: string[], options) => {
      const { dnstap } = await import("./dnstap.ts");
      finish(await dnstap(places, options, log(options)));
    });

  command("check", "Load the configuration; print networks, rules, and what is suspicious.")
    .argument("[our-net...]", ourNets("none"))
    .addOption(configOption())
    .action(async (networks: string[], options) => {
      const { check } = await import("./check.ts");
      finish(await check({ config: options.config, ourNets: networks }, log(options)));
    });

  addRedisOptions(
    command(
      "explain",
      "Say which networks two addresses are in, what each rule does, and which keys are written.",
    )
      .argument("<src>", "source address")
      .argument("<sport>", "source port; or both as 192.0.2.1:50000 or [2001:db8::1]:50000")
      .argument("<dst>", "destination address")
      .argument("<dport>", "destination port, or both")
      .argument("[our-net...]", ourNets("none"))
      .addOption(new Option("--protocol <protocol>").choices(["tcp", "udp"]).default("tcp"))
      .addOption(configOption()),
    "look for names in",
  )
    .option("--from <file...>", "replay saved captures, and say what they have of the conversation")
    .action(async (src, sport, dst, dport, networks: string[], options) => {
      const { explain } = await import("./explain.ts");
      const flow = { src, sport, dst, dport, protocol: options.protocol };
      const { config, redis, redisPasswordFile, from } = options;
      const settings = { config, ourNets: networks, redis, redisPasswordFile, from };
      finish(await explain(flow, settings, log(options)));
    });

  command(
    "score",
    "Measure rules on saved captures against the captures' own handshakes, also without these.",
  )
    .usage("[options] <file...> [our-net...]")
    .argument("<file...>", "saved captures, each by itself; then " + ourNets("none"))
    .addOption(configOption())
    .option("-f, --filter <bpf>", "take only these packets, see pcap-filter(7)")
    .option("--json", "print one line of JSON")
    .option("--verbose", "list what was attributed wrongly, and by what")
    .addOption(maxConversationsOption().default(SCORED_CONVERSATIONS))
    .action(async (names: string[], options) => {
      const { score } = await import("./score.ts");
      finish(await score(names, options, log(options)));
    });

  addStoreCommands({ command, configOption, addRedisOptions, log, finish });
  command("interfaces", "List what can be captured on, with addresses and link types.")
    .action(async (options) => {
      const { interfaces } = await import("./interfaces.ts");
      finish(await interfaces(log(options)));
    });
  addRedisOptions(
    command("sensors", "List the sensors that write to a Redis, and say which are not heard of."),
    "ask",
  )
    .addOption(configOption())
    .option("--json", "print JSON")
    .action(async (options) => {
      const { sensors } = await import("./sensors.ts");
      finish(await sensors(options, log(options)));
    });
  refuseBoth(command(
    "init",
    "Write a config.ts to begin with, its types, and what editors and tsc need to find them.",
  ))
    .usage("[options] [folder] [our-net...]")
    .argument("[folder...]", "where, otherwise the current folder; then own networks for config.ts")
    .option(
      "--redis <url>",
      "the Redis that config.ts names, otherwise that of this host",
      redisUrl,
    )
    .option("--no-redis", "name no Redis in config.ts")
    .option("--force", "replace files that are there")
    .option("--types", "write only what editors need, beside a config.ts that is there")
    .option("--print [file]", "print config.ts, or the file named, and write nothing")
    .action(async (parameters: string[], options) => {
      const { init } = await import("./init.ts");
      finish(await init(parameters, options, log(options)));
    });
  program.command("completion").description(
    "Print what makes a shell complete commands and options.",
  )
    .addArgument(new Argument("<shell>", "the shell that it is for").choices(SHELLS))
    .action(async (shell) => {
      const { completionScript } = await import("./completion/completion_script.ts");
      console.log(completionScript(program, shell).trimEnd());
    });
  program.command("help").description("Explain a command.")
    .argument("[command]")
    .action((name: string | undefined) => {
      const explained = name === undefined
        ? program
        : program.commands.find((command) => command.name() === name);
      if (explained === undefined) program.error(`error: unknown command '${name}'`);
      else explained.outputHelp();
    });
  return program;
}

function ourNets(otherwise: string): string {
  return `own networks, as 10.0.0.0/8 or 2001:db8::/32 (otherwise ourNets of the configuration, ` +
    `otherwise ${otherwise})`;
}

function addRunOptions(command: Command): Command {
  return addRedisOptions(command, "write to")
    .option("--json", "write each key as a line of JSON on standard output")
    .addOption(
      new Option("--format <format>", "write conversations and DNS on standard output as others do")
        .choices(EXPORT_FORMAT_NAMES),
    )
    .option("--ipfix <url>", "send conversations there as IPFIX, as udp://host:4739", ipfixAddress)
    .option("--store <file>", "keep what is seen in this file, see report and export", storeFile)
    .option(
      "--retain <time>",
      "how long the store keeps conversations, 30d if not said",
      durationValue,
    )
    .option("--store-size <size>", "how large its file may get, 2GiB if not said", byteSizeValue)
    .option("--clickhouse <url>", "insert what is seen into this ClickHouse", clickHouseUrl)
    .addOption(clickHousePasswordFileOption())
    .option(
      "--clickhouse-spool <folder>",
      "where what a capture can't insert waits, /var/lib/flosensor/clickhouse if not said",
      storeFile,
    )
    .option(
      "--clickhouse-spool-size <size>",
      "how much may wait there, 1GiB if not said",
      byteSizeValue,
    )
    .option("-n", "addresses stay numbers; they always do")
    .option("-f, --filter <bpf>", "take only these packets, see pcap-filter(7)")
    .option("--stats <seconds>", "log statistics at this interval", secondsValue)
    .addOption(maxConversationsOption());
}

/** @param purpose What is done with it, as in "write to". */
function addRedisOptions(command: Command, purpose: string): Command {
  return refuseBoth(command)
    .option("--redis <url>", `${purpose} this Redis, whatever the configuration says`, redisUrl)
    .option("--no-redis", `${purpose} no Redis, whatever the configuration says`)
    .addOption(redisPasswordFileOption());
}

function redisPasswordFileOption(): Option {
  return new Option(
    "--redis-password-file <file>",
    "its first line is the password: in --redis, all who may list processes see it",
  ).argParser(redisPasswordFile);
}

/** Has the command refuse --redis together with --no-redis, of which the last would win. */
function refuseBoth(command: Command): Command {
  const given = new Set<string>();
  for (const option of ["--redis", "--no-redis"]) {
    command.on(`option:${option.slice(2)}`, () => {
      if (given.add(option).size < 2) return;
      throw new UserError("--redis and --no-redis exclude each other: leave one out", WRONG_USAGE);
    });
  }
  return command;
}

/** For an option that may be given more than once. */
function collected(text: string, before: string[] = []): string[] {
  return [...before, text];
}

function maxConversationsOption(): Option {
  return new Option(
    "--max-conversations <number>",
    "conversations remembered, for each address family; then the longest idle are forgotten",
  ).argParser(integerIn(1, MOST_CONVERSATIONS)).default(DEFAULT_MAX_CONVERSATIONS);
}

function log(options: { logLevel: LogLevel }): LineLog {
  return new LineLog(options.logLevel);
}
