/** Lines of `--json`, beside their schema. */
import assert from "node:assert/strict";
import { communityId } from "../../src/model/community_id.ts";
import { Ajv2020 } from "ajv";
import { REASON_NAMES } from "../../src/model/reason.ts";
import { withFiles } from "../config/temporary_files.ts";
import {
  ACK,
  ethernet,
  FIN,
  icmp,
  ip,
  ipIcmp,
  ipUdp,
  pcap,
  PSH,
  RST,
  SYN,
  tcp,
  type Timed,
  udp,
} from "../packets.ts";
import { HAS_SHARED_CAPTURES, sharedCapture, WITHOUT_SHARED_CAPTURES } from "../shared_captures.ts";

const SCHEMA = JSON.parse(
  Deno.readTextFileSync(new URL("../../docs/json.schema.json", import.meta.url)),
);
const PROGRAM = new URL("../../mod.ts", import.meta.url).pathname;
const START = 1_800_000_000;
const TCP_HEADER = 20;
const IP_HEADER = 20;

type Event = Record<string, unknown>;

const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(SCHEMA);

/** The lines of a replay, all of which the schema has. */
async function eventsOf(path: string, ...networks: string[]): Promise<Event[]> {
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", PROGRAM, "replay", path, ...networks]
      .concat(["--no-redis", "--json"]),
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  return lines.filter((line) => line !== "").map((line) => {
    const event: Event = JSON.parse(line);
    assert.ok(validate(event), `${line}\n${JSON.stringify(validate.errors)}`);
    return event;
  });
}

function timed(...packets: Uint8Array[]): Timed[] {
  return packets.map((packet, i) => ({ packet: ethernet(packet, [7]), seconds: START + i / 4 }));
}

/** Runs a test with the events of a capture of some packets. */
async function withEvents(
  packets: Uint8Array[],
  test: (events: Event[]) => void,
  network = "10.0.0.0/8",
): Promise<void> {
  await withFiles({}, async (folder) => {
    Deno.writeFileSync(`${folder}/a.pcap`, pcap(timed(...packets)));
    test(await eventsOf(`${folder}/a.pcap`, network));
  });
}

const CLIENT = "10.0.0.1";
const SERVER = "192.0.2.1";
const there = (flags: number, text = "") => ip(CLIENT, SERVER, tcp(50_000, 443, flags, text));
const back = (flags: number, text = "") => ip(SERVER, CLIENT, tcp(443, 50_000, flags, text));

Deno.test("a line of --json of a flow has what is known up to then, that of its end has all", async () => {
  await withEvents([
    there(SYN),
    back(SYN | ACK),
    there(ACK),
    there(PSH | ACK, "request"),
    back(PSH | ACK, "a response"),
    back(FIN | ACK),
    there(FIN | ACK),
    back(ACK),
  ], (events) => {
    const ends = { client: CLIENT, client_port: 50_000, server: SERVER, port: 443 };
    const community_id = communityId({ ...ends, protocol: "tcp", clientPort: ends.client_port });
    const common = { ...ends, protocol: "tcp", by: "syn", id: 1, community_id, vlan: 7 };
    const bytesOf = (packets: number, text: string) =>
      packets * (IP_HEADER + TCP_HEADER) + text.length;
    const flow = events.find(({ type }) => type === "flow")!;
    assert.deepEqual(flow, {
      ...common,
      type: "flow",
      time: "2027-01-15T08:00:00.000Z",
      key: `${CLIENT};${SERVER};443;flow`,
      count: 1,
      state: "established",
      packets: [3, 1],
      bytes: [bytesOf(3, "request"), bytesOf(1, "")],
      first: "2027-01-15T08:00:00.000Z",
      last: "2027-01-15T08:00:00.750Z",
    });
    const end = events.find(({ type }) => type === "end")!;
    assert.deepEqual(end, {
      ...common,
      type: "end",
      time: "2027-01-15T08:00:01.750Z",
      key: `${CLIENT};${SERVER};443;end`,
      count: 0,
      state: "closed",
      packets: [4, 4],
      bytes: [bytesOf(4, "request"), bytesOf(4, "a response")],
      first: "2027-01-15T08:00:00.000Z",
      last: "2027-01-15T08:00:01.750Z",
      flags: [SYN | ACK | PSH | FIN, SYN | ACK | PSH | FIN],
    });
  });
});

Deno.test("--json has a refused connection as such and as no flow, wherever it is seen", async () => {
  for (const network of ["10.0.0.0/8", "192.0.2.0/24"]) {
    await withEvents([there(SYN), back(RST | ACK)], (events) => {
      assert.deepEqual(events.filter(({ type }) => type === "flow"), []);
      const ends = events.filter(({ type }) => type === "end");
      assert.deepEqual(ends.map(({ client, state }) => [client, state]), [[CLIENT, "refused"]]);
      const isToldToUs = network === "10.0.0.0/8";
      assert.equal(events.filter(({ type }) => type === "rst").length, isToldToUs ? 1 : 0);
    }, network);
  }
});

Deno.test("--json says of UDP whether it was answered, or could not be", async () => {
  const ask = (port: number) => ipUdp(CLIENT, SERVER, udp(port, 4000));
  await withEvents([
    ask(50_001),
    ask(50_002),
    ipUdp(SERVER, CLIENT, udp(4000, 50_002)),
    ask(50_003),
    ipIcmp(SERVER, CLIENT, icmp(3, 3, ask(50_003))),
  ], (events) => {
    const ends = events.filter(({ type }) => type === "end");
    assert.deepEqual(ends.map(({ client_port, state }) => [client_port, state]).sort(), [
      [50_001, "unanswered"],
      [50_002, "open"],
      [50_003, "unreachable"],
    ]);
    assert.equal(events.find(({ type }) => type === "icmp")!.code, 3);
  });
});

Deno.test("the schema of --json has all that decides who is client", () => {
  assert.deepEqual(
    [...SCHEMA.$defs.by.enum].sort(),
    REASON_NAMES.filter((name) => name as string !== "").sort(),
  );
});

Deno.test({
  name: `lines of --json of real captures are as their schema says${WITHOUT_SHARED_CAPTURES}`,
  ignore: !HAS_SHARED_CAPTURES,
  fn: async () => {
    const types = new Set<unknown>();
    const captures = ["android.pcap", "KakaoTalk_chat.pcap", "dns_ambiguous_names.pcap"];
    for (const name of [...captures, "quic_interop_V.pcapng", "telegram.pcap", "whatsapp.pcap"]) {
      const path = sharedCapture(`pcap/${name}`);
      const events = await eventsOf(path, "192.168.0.0/16", "10.0.0.0/8");
      for (const { type } of events) types.add(type);
    }
    assert.deepEqual(
      [...types].sort(),
      ["client", "cname", "device", "dns", "end", "flow", "icmp", "nx", "peer", "rst"],
    );
  },
});
