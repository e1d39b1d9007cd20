import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { parseCidr } from "../config/cidr.ts";
import { EXPORT_FORMAT_NAMES } from "../export/export_format_names.ts";
import { EXPORTED_TABLES } from "../export/exported_tables.ts";
import { parseAddress } from "../model/address.ts";
import { parsePageAddress } from "../web/page_address.ts";
import { GROUPS } from "../report/report_query.ts";
import { PasswordFile } from "../sink/password_file.ts";
import { UserError, WRONG_USAGE } from "../user_error.ts";
import { clickHousePasswordFileOption, clickHouseUrl, integerIn } from "./option_values.ts";
import { sandboxOption } from "./sandbox_option.ts";
import { durationValue, storeFile } from "./store_option_values.ts";
import type { Log, LogLevel } from "../log.ts";

/** What commands are made with. */
export interface CommandTools {
  /** Adds a command with the options that all have. */
  readonly command: (name: string, description: string) => Command;
  readonly configOption: () => Option;
  readonly addRedisOptions: (command: Command, purpose: string) => Command;
  readonly log: (options: { logLevel: LogLevel }) => Log;
  readonly finish: (status: number) => void;
}

const MOST_ROWS = 1_000_000;
const TOP = 20;

/** Adds the commands that read what a sensor has written. */
export function addStoreCommands(tools: CommandTools): void {
  const { command, configOption, addRedisOptions, log, finish } = tools;
  /** Has a command read a store, Redis, ClickHouse, or lines of JSON. */
  const reading = (what: Command, redis: string, clickHouse: string) =>
    addRedisOptions(what, redis)
      .usage("[options] [file] [our-net...]")
      .argument(
        "[file...]",
        'a store, lines of JSON ("-" is standard input), otherwise store, redis or clickhouse of ' +
          "the configuration; then own networks (otherwise those of the store or the configuration)",
      )
      .addOption(configOption())
      .option("--store <file>", "as <file>", storeFile)
      .option("--clickhouse <url>", clickHouse, clickHouseUrl)
      .addOption(clickHousePasswordFileOption());

  reading(
    command(
      "report",
      "Say who used whose service: from a store, Redis, ClickHouse, or what --json wrote.",
    ),
    "report from",
    "report from this ClickHouse, over all sensors",
  )
    .option("--since <time>", "only what was seen in that time, such as 1h or 30d", durationValue)
    .option("--client <address>", "only this client, or those of this prefix", addressOrPrefix)
    .option(
      "--server <address>",
      "only this server, prefix, or name with all below it",
      addressOrName,
    )
    .addOption(new Option("--by <what>", "one row for each of them").choices(GROUPS))
    .option("--top <rows>", "how many rows tables have", integerIn(1, MOST_ROWS), TOP)
    .option("--csv", "print CSV, all rows (who used whose service, or what --by says)")
    .option("--json", "print JSON, all rows")
    .option(
      "--diff <other>",
      "what is new or gone beside an older store, JSON file or Redis, or in the last 1d beside " +
        "the 1d before",
    )
    .action(async (names: string[], options) => {
      const { report } = await import("./report.ts");
      finish(await report(names, options, log(options)));
    });

  addPageOptions(
    reading(
      command(
        "serve",
        "Show a store as a page, until SIGINT or SIGTERM; or Redis, ClickHouse, JSON lines.",
      ),
      "show",
      "show the last day of this ClickHouse",
    ),
    "127.0.0.1:3047 if not said",
  )
    .addOption(sandboxOption())
    .action(async (names: string[], options) => {
      const { serve } = await import("./serve.ts");
      finish(await serve(names, options, log(options)));
    });

  reading(
    command(
      "expect",
      "Print the services of own networks as a setting for config.ts; what else is used is an alert.",
    ),
    "read",
    "read this ClickHouse, over all sensors",
  )
    .action(async (names: string[], options) => {
      const { expect } = await import("./expect.ts");
      finish(await expect(names, options, log(options)));
    });

  command(
    "export",
    "Write what a store has as Parquet, CSV, lines of JSON, or as other programs do.",
  )
    .usage("[options] <file>")
    .argument("[file...]", "the store")
    .option("--store <file>", "as <file>", storeFile)
    .option("--parquet <folder>", "write all tables to files in this folder, which is made")
    .option("--csv", "print a table as CSV")
    .option("--json", "print a table as lines of JSON")
    .addOption(
      new Option("--format <format>", "print conversations and DNS as another program does")
        .choices(EXPORT_FORMAT_NAMES),
    )
    .addOption(
      new Option("--table <name>", "the table that --csv or --json prints")
        .choices(EXPORTED_TABLES.map(({ name }) => name)).default(EXPORTED_TABLES[0].name),
    )
    .option("--since <time>", "only what was seen in that time, such as 1h or 30d", durationValue)
    .action(async (names: string[], options) => {
      const { exportStore } = await import("./export.ts");
      finish(await exportStore(names, options, log(options)));
    });
}

/** Adds the options of what shows a page. */
export function addPageOptions(command: Command, otherwise: string): Command {
  return command
    .option(
      "--listen <address>",
      `where the page is, as 127.0.0.1:3047 or [::1]:3047; ${otherwise}`,
      parsePageAddress,
    )
    .option(
      "--token <token>",
      "what visitors need to see it; beyond this host one is made and printed if not given",
      tokenValue,
    )
    .option("--token-file <file>", "its first line is the token; in --token, all see it", tokenFile)
    .option("--tls-cert <file>", "certificate for HTTPS, PEM", fileValue)
    .option("--tls-key <file>", "its private key, PEM", fileValue)
    .option(
      "--host <name>",
      "name by which the page is reached, as behind a proxy; may be given more than once",
      (name, before: string[] = []) => [...before, hostName(name)],
    );
}

/** A token is kept as a password is. */
function tokenFile(path: string): string {
  const place = "--token-file";
  const token = new PasswordFile(path, place).read();
  if (TOKEN.test(token)) return token;
  throw new UserError(`${place}: ${path}: its first line is no token: ${TOKEN_FORM}`);
}

const TOKEN_FORM = "8 or more letters, digits and any of -._~";
const TOKEN = /^[\w.~-]{8,200}$/;

/** Not even one that is none is printed: a letter of it may be wrong. */
function tokenValue(text: string): string {
  if (TOKEN.test(text)) return text;
  throw new UserError(`--token: this is no token: it is ${TOKEN_FORM}`, WRONG_USAGE);
}

/** A name as browsers send it, but for the port, which may be any. */
const HOST_NAME = /^[\w-]+(\.[\w-]+)*$/;

function hostName(text: string): string {
  if (HOST_NAME.test(text) || parseAddress(text) !== null) return text;
  throw new InvalidArgumentError(
    'It is a name such as "flows.example", without https:// and port; others than of ASCII as xn--….',
  );
}

function fileValue(text: string): string {
  if (text !== "") return text;
  throw new InvalidArgumentError("It is the path of a file.");
}

function addressOrPrefix(text: string): string {
  try {
    parseCidr(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

/** What is neither the form of an address nor of a prefix. */
const NAME = /^(?![\d.]+(\/.*)?$)[^\s:*]+$/;

/** A name has letters, and is asked for with all below it as it is. */
function addressOrName(text: string): string {
  const name = text.replace(/^\*?\.(?=.)/, "");
  return NAME.test(name) ? name : addressOrPrefix(text);
}
