import { carriedText } from "./carried_names_of.ts";

/** A port at the end of HTTP's Host. */
const PORT = /:\d+$/;

const FIELDS = [
  ...["ip.src", "ipv6.src", "tcp.srcport", "udp.srcport"],
  ...["ip.dst", "ipv6.dst", "tcp.dstport", "udp.dstport"],
  ...["frame.protocols", "tls.handshake.extensions_server_name", "http.host"],
];

/**
 * The names that `tshark` reads in the connections of a capture, as `carriedNamesOf` has them; QUIC
 * is decrypted by tshark itself. Of packets in tunnels the ends are the innermost ones.
 */
export async function tsharkCarriedNames(path: string): Promise<Set<string>> {
  const { stdout } = await new Deno.Command("tshark", {
    args: ["-n", "-r", path, "-Y", "tls.handshake.extensions_server_name || http.host"]
      .concat("-T", "fields", "-E", "aggregator=|", FIELDS.flatMap((field) => ["-e", field])),
    stderr: "null",
  }).output();
  const names = new Set<string>();
  for (const line of new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "")) {
    const fields = line.split("\t").map((field) => field.split("|").filter((part) => part !== ""));
    const [ip4, ip6, tcp, udp, toIp4, toIp6, toTcp, toUdp, protocols, servers, hosts] = fields;
    const isQuic = protocols[0].includes(":quic");
    const isTcp = protocols[0].includes(":tcp");
    const from = `${end(protocols[0], ip4, ip6)} ${isTcp ? tcp.at(-1) : udp.at(-1)}`;
    const to = `${end(protocols[0], toIp4, toIp6)} ${isTcp ? toTcp.at(-1) : toUdp.at(-1)}`;
    for (const name of servers) {
      names.add(carriedText(isQuic ? "quic-sni" : "sni", from, to, name.toLowerCase()));
    }
    for (const name of hosts) {
      names.add(carriedText("http-host", from, to, name.toLowerCase().replace(PORT, "")));
    }
  }
  return names;
}

/** The innermost address. */
function end(protocols: string, ip4: string[], ip6: string[]): string {
  return protocols.lastIndexOf(":ipv6") > protocols.lastIndexOf(":ip:") ? ip6.at(-1)! : ip4.at(-1)!;
}
