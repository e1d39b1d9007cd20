import { parseAddress } from "../../src/model/address.ts";
import { domainName } from "../../src/model/domain_name.ts";
import { addressText } from "../../src/model/address_text.ts";

/** A layer as `tshark -T json` has it: fields and deeper layers by their names. */
interface Layer {
  readonly [name: string]: string | string[] | Layer | Layer[];
}

const TYPE_A = "1";
const TYPE_CNAME = "5";
const TYPE_AAAA = "28";
const CLASS_IN = 1;
const NAME_ERROR = "3";
/** The class without mDNS's bit. */
const CLASS_MASK = 0x7fff;

/**
 * The keys with names that `tshark` reads out of a capture: those of responses from some ports, in
 * packets that are in no tunnel. As `FoundNames.writes`.
 *
 * @param sections Names of the sections in which records count.
 */
export async function tsharkNames(
  path: string,
  ports: readonly number[],
  sections: readonly string[],
): Promise<string[]> {
  const from = ports.map((port) => `udp.srcport==${port} || tcp.srcport==${port}`).join(" || ");
  const { success, stdout, stderr } = await new Deno.Command("tshark", {
    args: ["-n", "-r", path, "-Y", `(${from}) && dns.flags.response==1`]
      .concat("-T", "json", "--no-duplicate-keys"),
  }).output();
  // A capture that is cut in the middle gives what comes before.
  const text = new TextDecoder().decode(stdout);
  if (!success && text === "") throw new Error(new TextDecoder().decode(stderr));
  const packets: { _source: { layers: Layer } }[] = JSON.parse(text === "" ? "[]" : text);
  const found = new Set<string>();
  for (const { _source: { layers } } of packets) {
    const protocols = (layers.frame as Layer)["frame.protocols"] as string;
    if (protocols.split(":").filter((name) => name === "ip" || name === "ipv6").length > 1) {
      continue;
    }
    const client = clientOf(layers);
    for (const dns of [layers.dns ?? layers.mdns].flat() as Layer[]) {
      for (const write of writesOf(dns, client, sections)) found.add(write);
    }
  }
  return [...found].sort();
}

function clientOf({ ip, ipv6 }: Layer): string {
  const text = (ip as Layer)?.["ip.dst"] ?? (ipv6 as Layer)["ipv6.dst"];
  return canonical(text as string);
}

function canonical(address: string): string {
  const { words, family } = parseAddress(address)!;
  return addressText(words, 0, family === 6);
}

function writesOf(dns: Layer, client: string, sections: readonly string[]): string[] {
  const flags = dns["dns.flags_tree"] as Layer;
  const code = (flags["dns.flags.rcode"] as string) ?? "0";
  if (flags["dns.flags.opcode"] !== "0" || (code !== "0" && code !== NAME_ERROR)) return [];
  const writes: string[] = [];
  if (code === NAME_ERROR) {
    const [question] = recordsIn(dns, "Queries");
    writes.push(`${client};${nameOf(question["dns.qry.name"])};nx`);
  }
  for (const record of sections.flatMap((section) => recordsIn(dns, section))) {
    if ((Number(record["dns.resp.class"]) & CLASS_MASK) !== CLASS_IN) continue;
    const type = record["dns.resp.type"];
    const owner = () => nameOf(record["dns.resp.name"]);
    if (type === TYPE_CNAME) {
      writes.push(`${client};${nameOf(record["dns.cname"])};cname ${owner()}`);
    } else if (code === "0" && (type === TYPE_A || type === TYPE_AAAA)) {
      const address = canonical((record["dns.a"] ?? record["dns.aaaa"]) as string);
      writes.push(`${client};${address};dns ${owner()}`);
    }
  }
  return writes;
}

/** Records that are alike are a list. */
function recordsIn(dns: Layer, section: string): Layer[] {
  return Object.values(dns[section] as Layer ?? {}).flat() as Layer[];
}

function nameOf(text: unknown): string {
  return text === "<Root>" ? "." : domainName(text as string)!;
}
