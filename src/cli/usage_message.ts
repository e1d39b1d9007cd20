import type { Command, CommanderError } from "commander";
import { isCaptureName } from "./is_capture_name.ts";
import { isFile } from "./is_file.ts";
import { isInterface } from "./is_interface.ts";

/** Options of tcpdump, tshark and other sensors that are none here, and what to do in their place. */
const FOREIGN_OPTIONS: readonly (readonly [options: string, advice: string])[] = [
  [
    "-w -C -G -W -b --write --ring-buffer",
    "packets are not stored: tcpdump -w FILE does that, and flosensor replay FILE reads it",
  ],
  ["-i --interface", "flosensor capture INTERFACE captures"],
  ["-r --read-file --read --file --input", "flosensor replay FILE reads a capture"],
  ["-D -L --list-interfaces --list", "flosensor interfaces lists what can be captured on"],
  ["-v --verbose --debug", "--log-level debug says more"],
  ["-q --quiet --silent", "--log-level warn says less"],
  ["-B --buffer-size --buffersize", "the kernel's buffer is --buffer, in MiB"],
  ["-e -x -X -A -t -S -K", "packets are not shown: tcpdump does that"],
  [
    "-l -U --immediate-mode --line-buffered",
    "lines are written at each flush anyhow: leave it out",
  ],
  ["-Y -R --display-filter", "--filter takes the language of pcap-filter(7)"],
  ["-F", 'a filter in a file is given by --filter "$(cat FILE)"'],
  [
    "-a --duration --autostop --timeout --count",
    "timeout(1) ends a capture: timeout 60 flosensor ...",
  ],
  ["-T --format", "--json writes lines of JSON; without it and Redis there is a table"],
  ["-o --output --out", "what is written goes to standard output: ... > FILE"],
  ["-d --daemon --background", "the service flosensor@INTERFACE runs in the background"],
  ["--port --host --net --proto", 'for a filter write --filter "port 53"'],
  [
    "--network --own-network --our-net --our-nets --home-net --local-net",
    "own networks stand behind interfaces or files as they are, 10.0.0.0/8",
  ],
  ["--dry-run --test --check --validate", "flosensor check looks at the configuration"],
  ["--rules --conf --configuration", "the configuration is named with --config FILE"],
  ["--snapshot-length --snap", "how much is taken of a packet is --snaplen"],
  ["--threads --thread", "threads that share packets are --workers, of capture"],
];

/** Commands of other programs, and what does the same here. */
const FOREIGN_COMMANDS: readonly (readonly [commands: string, advice: string])[] = [
  ["version", "flosensor --version"],
  ["list devices ifaces interface ifconfig", "flosensor interfaces"],
  ["live sniff listen monitor run start watch", "flosensor capture INTERFACE"],
  ["read file analyze analyse import", "flosensor replay FILE"],
  ["test validate lint config verify", "flosensor check"],
  ["why trace", "flosensor explain"],
  ["dns", "flosensor dnstap"],
];

/**
 * What is wrong with a command line, in one line, and what to write in its place, or else where to
 * look for it.
 *
 * @param error What commander says.
 * @param words The command line.
 */
export function usageMessage(
  error: CommanderError,
  program: Command,
  words: readonly string[],
): string {
  const message = error.message.replace(/^error: /, "").replace(/\.$/, "")
    // What was given to an option that is mistyped may be a password.
    .replace(/^(unknown option '[^'=]*)=.*'/s, "$1'");
  if (error.code === "commander.invalidArgument") return message;
  const name = words.find((word) => word !== "help" && commandNamed(program, word) !== undefined);
  const advice = adviceOn(error, words);
  const [what] = advice === undefined ? [message] : message.split(" (Did you mean");
  const help = `see flosensor ${name === undefined ? "" : name + " "}--help`;
  return advice === undefined ? `${what}; ${help}` : `${what}: ${advice}`;
}

function commandNamed(program: Command, name: string): Command | undefined {
  return program.commands.find((command) => command.name() === name);
}

function adviceOn(error: CommanderError, words: readonly string[]): string | undefined {
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? "";
  if (error.code === "commander.unknownOption") return adviceOnOption(quoted);
  if (error.code === "commander.unknownCommand") return adviceOnCommand(quoted);
  if (error.code === "commander.excessArguments" && quoted === "interfaces") {
    return "it lists them all; write flosensor capture INTERFACE to capture on one";
  }
  const isSwallowed = error.code === "commander.missingArgument" &&
    words.some((word) => /^--from(=|$)/.test(word));
  return isSwallowed ? "--from takes all words behind it: write it last" : undefined;
}

function adviceOnOption(option: string): string | undefined {
  const [name] = option.split("=");
  // The value of a short one may be in the same word.
  const short = /^-[a-zA-Z]/.test(name) ? name.slice(0, 2) : name;
  const isAmong = (options: string[]) => options.includes(name) || options.includes(short);
  return FOREIGN_OPTIONS.find(([options]) => isAmong(options.split(" ")))?.[1];
}

function adviceOnCommand(word: string): string | undefined {
  const known = FOREIGN_COMMANDS.find(([commands]) => commands.split(" ").includes(word));
  if (known !== undefined) return `write ${known[1]}`;
  if (/\.ts$/.test(word)) return `write flosensor check --config ${word}`;
  if (isInterface(word)) return `it is an interface: write flosensor capture ${word}`;
  if (word === "-" || isFile(word) || isCaptureName(word)) {
    return `for a saved capture write flosensor replay ${word}`;
  }
  return undefined;
}
