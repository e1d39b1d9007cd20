/** Who is the client of UDP conversations, by the fields that tshark reads in their messages. */
import { isGroup } from "../../src/model/group_address.ts";
import { parseAddress } from "../../src/model/address.ts";

/** Client, its port, server, its port, and the field that says so. */
export type UdpLabel = [string, number, string, number, string];

/** Whoever sent the message is the client, or the server. */
type Says = "client" | "server" | undefined;

/** What a protocol's fields say of who sent a message, by the values of the first one. */
interface Rule {
  readonly field: string;
  readonly client: readonly (number | string)[] | ((values: Values) => boolean);
  readonly server?: readonly (number | string)[] | ((values: Values) => boolean);
  /** Fields that the functions read besides. */
  readonly others?: readonly string[];
}

/** The first value of a field in a packet; undefined where it has none. */
type Values = (field: string) => string | undefined;

const isNumber = (values: Values, field: string, test: (number: number) => boolean) => {
  const value = values(field);
  return value !== undefined && test(Number(value));
};

/**
 * Fields of requests and responses. Documents are those that `src/payload/` names, and else as here:
 * DHCPv6 RFC 8415, 7.3. RPC RFC 5531. SNMP RFC 3416. RADIUS RFC 2865, 2866, 5176. LDAP RFC 4511.
 * GTPv1 3GPP 29.060, 7.1. L2TP RFC 2661, 3.2. SLP RFC 2608, 8. NAT-PMP RFC 6886. PCP RFC 6887.
 * BACnet ANSI/ASHRAE 135, 20.1. RIP RFC 2453. FINS OMRON W342. EtherNet/IP CIP volume 2. CAPWAP RFC 5415.
 */
const RULES: readonly Rule[] = [
  { field: "dns.flags.response", client: [0], server: [1] },
  { field: "nbns.flags.response", client: [0], server: [1] },
  { field: "dhcp.type", client: [1], server: [2] },
  { field: "dhcpv6.msgtype", client: [1, 3, 4, 5, 6, 8, 9, 11, 12], server: [2, 7, 10, 13] },
  { field: "ntp.flags.mode", client: [3], server: [4] },
  { field: "ntp.ctrl.flags2.r", client: [0], server: [1] },
  { field: "ntp.priv.flags.r", client: [0], server: [1] },
  { field: "rpc.msgtyp", client: [0], server: [1] },
  { field: "snmp.data", client: [0, 1, 3, 4, 5, 6, 7], server: [2, 8] },
  { field: "radius.code", client: [1, 4, 12, 40, 43], server: [2, 3, 5, 11, 41, 42, 44, 45] },
  { field: "stun.type.class", client: [0], server: [0x100, 0x110] },
  { field: "dtls.handshake.type", client: [1], server: [2, 3] },
  {
    field: "tls.handshake.type",
    client: (values) =>
      values("quic.header_form") !== undefined && values("tls.handshake.type") === "1",
    server: (values) =>
      values("quic.header_form") !== undefined && values("tls.handshake.type") === "2",
    others: ["quic.header_form"],
  },
  { field: "sip.Method", client: (values) => /^[A-Z]{3,}$/.test(values("sip.Method")!) },
  { field: "sip.Status-Code", client: [], server: (values) => values("sip.Status-Code") !== "" },
  { field: "tftp.opcode", client: [1, 2] },
  {
    field: "coap.code",
    client: (values) => isNumber(values, "coap.code", (code) => code > 0 && code < 32),
    server: (values) => isNumber(values, "coap.code", (code) => code >= 64 && code < 192),
  },
  { field: "kerberos.msg_type", client: [10, 12, 14], server: [11, 13, 15, 30] },
  {
    field: "isakmp.flag_i",
    client: (values) => values("isakmp.version") === "0x20" && isTrue(values("isakmp.flag_i")),
    server: (values) => values("isakmp.version") === "0x20" && !isTrue(values("isakmp.flag_i")),
    others: ["isakmp.version"],
  },
  {
    field: "isakmp.rspi",
    client: (values) =>
      values("isakmp.version") === "0x10" && values("isakmp.exchangetype") === "2" &&
      /^0+$/.test(values("isakmp.rspi")!),
    others: ["isakmp.version", "isakmp.exchangetype"],
  },
  { field: "http.request.method", client: (values) => values("http.request.method") !== "" },
  {
    field: "http.response.code",
    client: [],
    server: (values) => values("http.response.code") !== "",
  },
  { field: "syslog.level", client: (values) => values("syslog.level") !== "" },
  {
    field: "enip.command",
    client: (values) => isListing(values) && values("enip.length") === "0",
    server: (values) => isListing(values) && values("enip.length") !== "0",
    others: ["enip.length"],
  },
  {
    field: "ldap.protocolOp",
    client: [0, 3, 6, 8, 10, 12, 14, 16, 23],
    server: [1, 4, 5, 7, 9, 11, 13, 15, 19, 24, 25],
  },
  { field: "memcache.magic", client: [0x80], server: [0x81] },
  { field: "dcerpc.pkt_type", client: [0, 1], server: [2, 3, 4, 6] },
  { field: "bacapp.type", client: [0], server: [2, 3, 5, 6, 7] },
  { field: "rip.command", client: [1] },
  { field: "wg.type", client: [1], server: [2] },
  { field: "openvpn.opcode", client: [1, 7, 10], server: [2, 8] },
  { field: "gtp.message", client: [1, 16, 18, 20], server: [2, 17, 19, 21] },
  { field: "gtpv2.message_type", client: [1, 32, 34, 36], server: [2, 33, 35, 37] },
  { field: "l2tp.avp.message_type", client: [1, 3, 10, 12], server: [2, 11] },
  { field: "srvloc.function", client: [1, 3, 4, 6, 9], server: [2, 5, 7, 8, 10] },
  { field: "omron.icf.dtb", client: [0], server: [1] },
  { field: "mqttsn.msg.type", client: [1, 4], server: [0, 2, 5] },
  {
    field: "nat-pmp.opcode",
    client: (values) => isNumber(values, "nat-pmp.opcode", (it) => it < 128),
    server: (values) => isNumber(values, "nat-pmp.opcode", (it) => it >= 128),
  },
  { field: "portcontrol.r", client: [0], server: [1] },
  { field: "rx.flags.client_init", client: [1], server: [0] },
  { field: "hart_ip.message_type", client: [0], server: [1] },
  { field: "dnp3.ctl.dir", client: [1], server: [0] },
  {
    field: "bjnp.type",
    client: (values) => isNumber(values, "bjnp.type", (it) => it < 128),
    server: (values) => isNumber(values, "bjnp.type", (it) => it >= 128),
  },
  { field: "xdmcp.opcode", client: [1, 2, 3, 7, 10, 13], server: [5, 6, 8, 9, 11, 12, 14] },
  { field: "nbdgm.type", client: (values) => values("nbdgm.type") !== "" },
  { field: "cflow.version", client: (values) => values("cflow.version") !== "" },
  { field: "sflow_245.version", client: (values) => values("sflow_245.version") !== "" },
];

/** With these STUN is between peers (ICE): each of them asks, and each answers. */
const ICE_ATTRIBUTES = [0x24, 0x25, 0x8029, 0x802a];

/** What asks and answers in groups of names: with either bit it is a use of the group. */
const NAMES = ["dns.flags.response", "nbns.flags.response"];

const ENDS = [
  "ip.src",
  "ip.dst",
  "ipv6.src",
  "ipv6.dst",
  "udp.srcport",
  "udp.dstport",
  "icmp.type",
  "icmpv6.type",
  "_ws.malformed",
  "stun.att.type",
  "tcp.srcport",
];
const FIELDS = [
  ...new Set([...ENDS, ...RULES.flatMap(({ field, others = [] }) => [field, ...others])]),
];

function isTrue(value: string | undefined): boolean {
  return value === "1" || value === "True";
}

/** ListServices, ListIdentity and ListInterfaces, which are asked without data. */
function isListing(values: Values): boolean {
  return isNumber(values, "enip.command", (it) => it === 0x04 || it === 0x63 || it === 0x64);
}

function isIn(values: Values, { field }: Rule, wanted: Rule["client"]): boolean {
  if (typeof wanted === "function") return wanted(values);
  const value = values(field)!;
  const number = value === "True" ? 1 : value === "False" ? 0 : Number(value);
  return wanted.includes(number);
}

interface Conversation {
  /** The first end is that of the lower text. */
  readonly ends: readonly [string, string];
  clients: Set<string>;
  field: string;
  isBetweenPeers: boolean;
}

/**
 * Reads a capture.
 *
 * Where fields name both ends as the client of a conversation, it has no label, nor where STUN is that
 * of ICE. Packets in tunnels, in ICMP errors, and what tshark calls malformed are left out.
 */
export async function udpLabelsOf(path: string): Promise<UdpLabel[]> {
  const { stdout, success } = await new Deno.Command("tshark", {
    args: [
      ...[
        "-n",
        "-r",
        path,
        "-Y",
        "udp",
        "-T",
        "fields",
        "-E",
        "occurrence=a",
        "-E",
        "aggregator=;",
      ],
      ...FIELDS.flatMap((field) => ["-e", field]),
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).output();
  if (!success && stdout.length === 0) throw new Error(`tshark could not read ${path}`);
  const conversations = new Map<string, Conversation>();
  /** Ends that asked a TFTP server for a file, which answers from another port. */
  const askedFiles = new Set<string>();
  for (const line of new TextDecoder().decode(stdout).split("\n")) {
    if (line === "") continue;
    const cells = line.split("\t");
    const all = (field: string) => {
      const cell = cells[FIELDS.indexOf(field)];
      return cell === undefined || cell === "" ? [] : cell.split(";");
    };
    const values = (field: string): string | undefined => all(field)[0];
    const sources = [...all("ip.src"), ...all("ipv6.src")];
    const destinations = [...all("ip.dst"), ...all("ipv6.dst")];
    const isPlain = sources.length === 1 && all("udp.srcport").length === 1 &&
      all("icmp.type").length === 0 && all("icmpv6.type").length === 0 &&
      all("tcp.srcport").length === 0 && all("_ws.malformed").length === 0;
    if (!isPlain) continue;
    const source = `${sources[0]} ${values("udp.srcport")}`;
    const destination = `${destinations[0]} ${values("udp.dstport")}`;
    if (source === destination) continue;
    const ends = source < destination
      ? [source, destination] as const
      : [destination, source] as const;
    const name = ends.join(" ");
    let conversation = conversations.get(name);
    if (conversation === undefined) {
      conversation = { ends, clients: new Set(), field: "", isBetweenPeers: false };
      conversations.set(name, conversation);
    }
    if (all("stun.att.type").some((type) => ICE_ATTRIBUTES.includes(Number(type)))) {
      conversation.isBetweenPeers = true;
    }
    if (values("tftp.opcode") !== undefined) {
      const opcode = Number(values("tftp.opcode"));
      if (opcode === 1 || opcode === 2) askedFiles.add(`${source} ${destinations[0]}`);
      const asked = askedFiles.has(`${source} ${destinations[0]}`)
        ? source
        : askedFiles.has(`${destination} ${sources[0]}`)
        ? destination
        : undefined;
      if (asked !== undefined) {
        conversation.clients.add(asked);
        conversation.field ||= "tftp.opcode";
      }
      continue;
    }
    for (const rule of RULES) {
      if (values(rule.field) === undefined) continue;
      let says: Says = undefined;
      if (isIn(values, rule, rule.client)) says = "client";
      else if (rule.server !== undefined && isIn(values, rule, rule.server)) says = "server";
      if (says === undefined) continue;
      if (NAMES.includes(rule.field) && isToGroup(destinations[0])) says = "client";
      conversation.clients.add(says === "client" ? source : destination);
      conversation.field ||= rule.field;
    }
  }
  const labels: UdpLabel[] = [];
  for (const { ends, clients, field, isBetweenPeers } of conversations.values()) {
    if (clients.size !== 1 || isBetweenPeers) continue;
    const [client] = clients;
    const server = ends[0] === client ? ends[1] : ends[0];
    const [clientAddress, clientPort] = client.split(" ");
    const [serverAddress, serverPort] = server.split(" ");
    labels.push([clientAddress, Number(clientPort), serverAddress, Number(serverPort), field]);
  }
  return labels;
}

function isToGroup(text: string): boolean {
  const address = parseAddress(text);
  return address !== null &&
    isGroup(address.family === 4 ? 1 : 4, address.words[address.family === 4 ? 3 : 0]);
}
