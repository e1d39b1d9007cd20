import type { ConversationRecord, ServerName } from "../../src/model/conversation_record.ts";
import type { DeviceRecord } from "../../src/model/device_record.ts";
import type { StoreBatch, TimedName } from "../../src/store/store_batch.ts";
import { SeededRandom } from "../seeded_random.ts";

/** 2026-11-26 15:30:00 UTC, when the day of the network ends, in milliseconds. */
export const END = 1_795_707_000_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** The store is older than a day, so that what came on the last is new. */
const BEGIN = END - 40 * HOUR;

/** The own networks. */
export const LOCAL_NETWORKS = ["192.168.1.0/24", "2001:db8:1::/64"];

/** A service, and how it is used. */
interface Used {
  readonly server: string;
  readonly port: number;
  readonly protocol?: "tcp" | "udp";
  readonly names?: readonly string[];
  readonly origin?: ServerName["from"];
  readonly by?: string;
  /** Conversations in an hour, and bytes of one: from the client, from the server. */
  readonly rate: number;
  readonly bytes: readonly [number, number];
  readonly clients: readonly string[];
  readonly state?: ConversationRecord["state"];
  readonly why?: string;
  /** Hours before the end. */
  readonly since?: number;
}

const DESKS = Array.from({ length: 18 }, (_, i) => `192.168.1.${20 + i}`);
const PHONES = Array.from({ length: 9 }, (_, i) => `192.168.1.${120 + i}`);
const V6 = Array.from({ length: 8 }, (_, i) => `2001:db8:1::${(0x20 + i).toString(16)}`);
const OUTSIDE = Array.from({ length: 34 }, (_, i) => `203.0.113.${5 + 7 * i}`);
const PRINTER = "192.168.1.60";
const NAS = "192.168.1.10";
const WEB = "192.168.1.5";

const SERVICES: readonly Used[] = [
  {
    server: "192.0.2.10",
    port: 443,
    names: ["www.example.com"],
    rate: 34,
    bytes: [4_000, 90_000],
    clients: [...DESKS, ...PHONES],
  },
  {
    server: "192.0.2.11",
    port: 443,
    names: ["cdn.example.net"],
    rate: 60,
    bytes: [3_000, 640_000],
    clients: [...DESKS, ...PHONES],
  },
  {
    server: "198.51.100.20",
    port: 443,
    names: ["mail.example.org"],
    rate: 20,
    bytes: [9_000, 40_000],
    clients: DESKS,
  },
  {
    server: "198.51.100.20",
    port: 993,
    names: ["mail.example.org"],
    rate: 9,
    bytes: [2_000, 16_000],
    clients: PHONES,
  },
  {
    server: "198.51.100.77",
    port: 443,
    protocol: "udp",
    names: ["video.example.com"],
    origin: "quic-sni",
    by: "first-packet",
    rate: 7,
    bytes: [40_000, 9_000_000],
    clients: DESKS.slice(0, 9),
  },
  {
    server: "2001:db8:ff::443",
    port: 443,
    names: ["www.example.com"],
    rate: 18,
    bytes: [5_000, 120_000],
    clients: V6,
  },
  {
    server: "2001:db8:ff::80",
    port: 80,
    names: ["updates.example.net"],
    origin: "http-host",
    rate: 4,
    bytes: [1_200, 2_600_000],
    clients: V6,
  },
  {
    server: "198.51.100.123",
    port: 123,
    protocol: "udp",
    names: ["time.example.net"],
    by: "payload",
    rate: 8,
    bytes: [76, 76],
    clients: [...DESKS, PRINTER, NAS],
  },
  {
    server: WEB,
    port: 443,
    names: ["shop.example.com"],
    origin: "sni",
    rate: 30,
    bytes: [3_500, 70_000],
    clients: OUTSIDE,
  },
  { server: WEB, port: 80, rate: 6, bytes: [700, 1_400], clients: OUTSIDE.slice(0, 20) },
  {
    server: "2001:db8:1::5",
    port: 443,
    names: ["shop.example.com"],
    origin: "sni",
    rate: 9,
    bytes: [3_500, 70_000],
    clients: ["2001:db8:aa::7", "2001:db8:aa::9"],
  },
  {
    server: "192.168.1.25",
    port: 25,
    rate: 7,
    bytes: [22_000, 1_600],
    clients: OUTSIDE.slice(4, 16),
  },
  {
    server: "192.168.1.1",
    port: 53,
    protocol: "udp",
    by: "qr",
    rate: 90,
    bytes: [80, 190],
    clients: [...DESKS, ...PHONES, PRINTER, NAS],
  },
  {
    server: NAS,
    port: 445,
    by: "listening",
    rate: 12,
    bytes: [200_000, 1_900_000],
    clients: DESKS,
  },
  { server: NAS, port: 22, rate: 1, bytes: [30_000, 60_000], clients: DESKS.slice(0, 3) },
  {
    server: "192.168.1.12",
    port: 5432,
    by: "learned",
    rate: 16,
    bytes: [24_000, 180_000],
    clients: [WEB, DESKS[2]],
  },
  { server: PRINTER, port: 9100, rate: 2, bytes: [700_000, 900], clients: DESKS.slice(3, 12) },
  {
    server: "192.168.1.77",
    port: 8080,
    rate: 3,
    bytes: [2_000, 24_000],
    clients: DESKS.slice(6, 9),
    since: 3,
  },
  {
    server: "192.168.1.33",
    port: 32_400,
    by: "registered",
    rate: 2,
    bytes: [8_000, 4_400_000],
    clients: ["203.0.113.89"],
    since: 7,
  },
  {
    server: "9.9.9.9",
    port: 853,
    names: ["dns.quad9.net"],
    origin: "sni",
    rate: 5,
    bytes: [2_500, 5_200],
    clients: [PHONES[1], PHONES[4]],
  },
  {
    server: "192.0.2.53",
    port: 443,
    names: ["dns.google"],
    origin: "sni",
    rate: 6,
    bytes: [3_000, 6_000],
    clients: [DESKS[11], PHONES[2]],
  },
  {
    server: "198.51.100.201",
    port: 6_881,
    by: "lower-port",
    rate: 5,
    bytes: [90_000, 1_400_000],
    clients: [DESKS[14]],
    why: "nobody looked up an address of it",
  },
  {
    server: "203.0.113.240",
    port: 4_444,
    by: "ephemeral",
    rate: 2,
    bytes: [14_000, 3_000],
    clients: [PHONES[6]],
    why: "nobody looked up an address of it",
    since: 5,
  },
  {
    server: "198.51.100.14",
    port: 8_443,
    rate: 2,
    bytes: [6_000, 9_000],
    clients: [DESKS[4], DESKS[9]],
    names: ["api.example.org"],
    origin: "sni",
    why: "the name was not looked up where it can be seen",
  },
  {
    server: "192.168.1.99",
    port: 445,
    rate: 4,
    bytes: [180, 120],
    clients: [DESKS[7]],
    state: "refused",
  },
  {
    server: "198.51.100.9",
    port: 587,
    rate: 2,
    bytes: [180, 0],
    clients: [DESKS[1], DESKS[2]],
    state: "unanswered",
    names: ["old-mail.example.org"],
  },
];

/** Names that are aliases of names. */
const ALIASES: readonly (readonly [string, string])[] = [
  ["static.example.com", "cdn.example.net"],
  ["img.example.com", "static.example.com"],
  ["imap.example.org", "mail.example.org"],
];

/**
 * What a small office and its servers do in a day and a half: conversations, names, refusals. It is the
 * same each time.
 */
export function officeNetwork(): Partial<StoreBatch> {
  const random = new SeededRandom(26);
  const records: ConversationRecord[] = [];
  const names: TimedName[] = [];
  for (const used of SERVICES) {
    const begin = used.since === undefined ? BEGIN : END - used.since * HOUR;
    for (let hour = begin; hour < END; hour += HOUR) {
      const count = Math.round(used.rate * busyness(hour) * (0.6 + 0.8 * portion(random)));
      for (let i = 0; i < count; i++) {
        const first = Math.min(END - 1_000, hour + Math.floor(portion(random) * HOUR));
        records.push(
          conversation(records.length + 1, used, random.of(used.clients), first, random),
        );
      }
    }
  }
  for (const { client, server, names: [name], last } of records) {
    if (name?.from !== "lookup") continue;
    names.push({ key: `${client};${server};dns`, name: `${name.name}.`, time: last - 900 });
    const alias = ALIASES.find(([, target]) => target === name.name);
    if (alias === undefined) continue;
    names.push({ key: `${client};${alias[1]}.;cname`, name: `${alias[0]}.`, time: last - 900 });
  }
  names.push({
    key: `${DESKS[0]};static.example.com.;cname`,
    name: "img.example.com.",
    time: END - HOUR,
  });
  for (
    const [client, name] of [[PRINTER, "wpad.example.com."], [DESKS[5], "intranett.example.com."], [
      DESKS[14],
      "tracker.example.invalid.",
    ]]
  ) {
    for (let i = 0; i < 9; i++) {
      names.push({ key: `${client};${name};nx`, name: null, time: END - i * HOUR });
    }
  }
  records.push(...scan(records.length));
  records.sort((one, other) => one.last - other.last);
  return { records, names, devices: devices() };
}

/** Hosts that told of themselves: a desk has an address of both families, a phone hides its vendor. */
function devices(): DeviceRecord[] {
  const device = (
    hardware: string | null,
    vendor: string | null,
    addresses: readonly string[],
    names: DeviceRecord["names"],
    first = BEGIN,
  ): DeviceRecord => ({
    ...{ hardware, vendor, names, first, last: END, hasNews: true },
    isPrivate: /^.[26ae]/.test(hardware ?? ""),
    addresses: addresses.map((address) => ({ address, first, last: END })),
  });
  const octet = (number: number) => number.toString(16).padStart(2, "0");
  return [
    device("00:11:32:a1:04:0a", "Synology Incorporated", [NAS], [{ name: "nas", from: "dhcp" }]),
    device("3c:d9:2b:60:1e:77", "Hewlett Packard", [PRINTER], [
      { name: "NPI601E77.local", from: "mdns" },
    ]),
    device(null, null, [WEB], [{ name: "intranet.local", from: "mdns" }]),
    ...DESKS.map((address, i) =>
      device(`b8:27:eb:00:53:${octet(i)}`, "Raspberry Pi Foundation", [
        address,
        ...V6.slice(i, i + 1),
      ], [{ name: `desk-${i + 1}`, from: "dhcp" }])
    ),
    ...PHONES.map((address, i) =>
      device(
        `da:a1:19:00:7e:${octet(i)}`,
        null,
        [address],
        i % 3 === 0 ? [] : [{ name: `phone-${i + 1}`, from: "dhcp" }],
        END - (i + 2) * HOUR,
      )
    ),
  ];
}

/** A host that tries all ports of one of ours, and one that tries one port of all of ours. */
function scan(before: number): ConversationRecord[] {
  const ports = [
    21,
    22,
    23,
    25,
    80,
    110,
    135,
    139,
    143,
    443,
    445,
    1433,
    1521,
    2375,
    3306,
    3389,
    5432,
    5900,
    6379,
    8080,
    8443,
    9200,
    11211,
    27017,
  ];
  const tries = [
    ...ports.map((port) => ({ client: "198.51.100.250", server: "192.168.1.5", port })),
    ...Array.from(
      { length: 60 },
      (_, i) => ({ client: "203.0.113.199", server: `192.168.1.${i + 1}`, port: 23 }),
    ),
  ].filter(({ server, port }) => server !== WEB || ![80, 443].includes(port));
  return tries.map(({ client, server, port }, i) => {
    const first = END - 2 * HOUR + 700 * i;
    return {
      ...common(before + i + 1),
      ...{ client, clientPort: 40_000 + i, server, port, by: "syn", protocol: "tcp" as const },
      state: i % 3 === 0 ? "unanswered" : "refused",
      ...{ packets: [1, i % 3 === 0 ? 0 : 1], bytes: [60, i % 3 === 0 ? 0 : 40] },
      ...{ first, last: first + 40, names: [], isExplained: null, why: null },
    };
  });
}

function conversation(
  id: number,
  used: Used,
  client: string,
  first: number,
  random: SeededRandom,
): ConversationRecord {
  const size = 0.3 + 1.4 * portion(random);
  const bytes = used.bytes.map((it) => Math.round(it * size)) as [number, number];
  const names = (used.names ?? []).map((name) => ({
    name,
    from: used.origin ?? "lookup" as const,
  }));
  const isUdp = used.protocol === "udp";
  return {
    ...common(id),
    ...{ client, clientPort: 32_768 + Math.floor(portion(random) * 28_000) },
    ...{
      server: used.server,
      port: used.port,
      protocol: used.protocol ?? "tcp",
      by: used.by ?? "syn",
    },
    state: used.state ?? (isUdp ? "open" : portion(random) < 0.06 ? "reset" : "closed"),
    packets: bytes.map((it) => Math.ceil(it / 900)) as [number, number],
    ...{ bytes, first, last: Math.min(END, first + Math.round(size * 40_000)), names },
    flags: isUdp ? [0, 0] : [0x1b, 0x1b],
    isExplained: used.why === undefined ? names.length > 0 ? true : null : false,
    why: used.why ?? null,
  };
}

function common(id: number) {
  return {
    id,
    isOver: true,
    interface: "eth0",
    vlan: null,
    tunnel: null,
    flags: [0, 0] as [number, number],
  };
}

/** A number from 0 up to 1. */
function portion(random: SeededRandom): number {
  return random.below(1_000_000) / 1_000_000;
}

/** More at day than at night. */
function busyness(time: number): number {
  const hour = time % DAY / HOUR;
  return 0.25 + Math.max(0, Math.sin((hour - 5) / 14 * Math.PI));
}
