import { isProgram } from "../../installed.ts";
import { bytes, ethernet, ip, ipUdp, pcap, tcp, u32, udp } from "../../packets.ts";

/** Whether tshark can be run. */
export const HAS_TSHARK = isProgram("tshark", "--version");

/** What to add to the name of a test that is skipped without tshark. */
export const WITHOUT_TSHARK = HAS_TSHARK ? "" : " (skipped: tshark is not installed)";

/** Where IANA has IPFIX. */
const PORT = 4739;
/** Where the sequence number is in a TCP header (RFC 9293, section 3.1). */
const SEQUENCE_AT = 4;

/** What tshark shows of a record, by its labels; those of the other direction end in ` (reverse)`. */
export type TsharkFlow = ReadonlyMap<string, string>;

/** What tshark reads in messages of IPFIX. */
export interface TsharkReading {
  /** Sequence numbers of the messages. */
  readonly sequence: readonly number[];
  readonly flows: readonly TsharkFlow[];
  /** What it finds wrong. */
  readonly complaints: readonly string[];
}

/** Has tshark read messages that came as datagrams, or one after the other over TCP. */
export async function tsharkReading(
  messages: readonly Uint8Array[],
  transport: "udp" | "tcp",
): Promise<TsharkReading> {
  let sequence = 1;
  const packets = messages.map((message) => {
    if (transport === "udp") return ipUdp("10.0.0.1", "10.0.0.2", udp(PORT, PORT, message));
    const segment = bytes(tcp(PORT, PORT, undefined, message));
    segment.set(u32(sequence), SEQUENCE_AT);
    sequence += message.length;
    return ip("10.0.0.1", "10.0.0.2", segment);
  });
  const capture = pcap(packets.map((packet) => ({ packet: ethernet(packet), seconds: 1 })));
  const tshark = new Deno.Command("tshark", {
    args: ["-r", "-", "-d", `${transport}.port==${PORT},cflow`, "-V"],
    env: { TZ: "UTC" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  // Read while it is written: else both wait when much is to be shown.
  const output = tshark.output();
  const writer = tshark.stdin.getWriter();
  await writer.write(capture);
  await writer.close();
  return readText(new TextDecoder().decode((await output).stdout));
}

function readText(text: string): TsharkReading {
  const sequence: number[] = [];
  const complaints: string[] = [];
  const flows: Map<string, string>[] = [];
  for (const line of text.split("\n")) {
    const number = /^ {4}FlowSequence: (\d+)/.exec(line)?.[1];
    if (number !== undefined) sequence.push(Number(number));
    if (/^ {8}Flow \d+$/.test(line)) flows.push(new Map());
    if (/Malformed|Expert Info|No template/i.test(line)) complaints.push(line.trim());
    // Indented deeper than "Flow 1", and not so deep as the single bits of flags.
    const [, label, value, reverse] =
      /^ {12,16}([A-Z][^:]*): (.*?)( \(Reverse Type [^)]*\))?$/.exec(line) ?? [];
    // The length of a text is not a field.
    if (label !== undefined && label !== "String_len_short" && flows.length > 0) {
      flows.at(-1)!.set(reverse === undefined ? label : `${label} (reverse)`, value);
    }
  }
  return { sequence, flows, complaints };
}
