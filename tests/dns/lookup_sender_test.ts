import assert from "node:assert/strict";
import { Complaints } from "../../src/dns/complaints.ts";
import { readDnsMessage } from "../../src/dns/dns_message.ts";
import { type LookupFields, lookupsIn, readLookup } from "../../src/dns/lookup_datagram.ts";
import { LookupSender } from "../../src/dns/lookup_sender.ts";
import { parseSendAddress } from "../../src/dns/send_address.ts";
import { MemoryLog } from "../memory_log.ts";
import { until } from "../namespaces.ts";
import { address, alias, nameError, response } from "./dns_messages.ts";

const CLIENT = "10.0.0.7";

function sentOf(message: Uint8Array): LookupFields[] {
  return lookupsIn(readDnsMessage(message, 0, message.length), CLIENT);
}

const CHAIN = response("WWW.example", [
  alias("www.example", "middle.example"),
  alias("middle.example", "cdn.example"),
  address("cdn.example", "192.0.2.1"),
  address("cdn.example", "192.0.2.2"),
  address("cdn.example", "2001:db8::1"),
  address("other.example", "192.0.2.3"),
]);

Deno.test("lookupsIn() has one for each address that was asked for, with the chain from it back", () => {
  const chain = ["cdn.example.", "middle.example.", "www.example."];
  const said = { chain, bkf: 0, client: CLIENT, qtype: "A", status: "NOERROR" };
  assert.deepEqual(sentOf(CHAIN), [
    { ...said, address: "192.0.2.1" },
    { ...said, address: "192.0.2.2" },
  ]);
});

Deno.test("lookupsIn() has the name that was asked for and does not exist", () => {
  assert.deepEqual(sentOf(nameError("nothing.example", [alias("nothing.example", "x.example")])), [
    { chain: ["nothing.example."], bkf: 0, client: CLIENT, qtype: "A", status: "NXDOMAIN" },
  ]);
});

Deno.test("lookupsIn() has nothing of other questions and of answers without an address", () => {
  assert.deepEqual(sentOf(response("www.example", [])), []);
  assert.deepEqual(sentOf(response("www.example", [alias("www.example", "cdn.example")])), []);
  const text = response("www.example", [address("www.example", "192.0.2.1")]);
  // The type of the question, behind its name: TXT.
  text[12 + 13 + 1] = 16;
  assert.deepEqual(sentOf(text), []);
});

Deno.test("lookupsIn() ends where aliases go in a circle", () => {
  const circle = [alias("a.example", "b.example"), alias("b.example", "a.example")];
  assert.deepEqual(sentOf(response("a.example", circle)), []);
});

Deno.test("readLookup() reads what lookupsIn() has as the answer that it was", () => {
  for (const [id, fields] of sentOf(CHAIN).entries()) {
    const lookup = readLookup(JSON.stringify({ ...fields, id }))!;
    const { question, addresses, aliases } = lookup.reading.response!;
    assert.equal(lookup.id, id);
    assert.equal(question, "www.example.");
    assert.deepEqual(addresses.map((each) => [each.owner, each.address]), [
      ["cdn.example.", fields.address],
    ]);
    assert.deepEqual(aliases, [
      { owner: "middle.example.", target: "cdn.example." },
      { owner: "www.example.", target: "middle.example." },
    ]);
  }
});

/** A sender whose datagrams come to a socket of ours, and its clock. */
async function withSender(
  test: (sender: LookupSender, clock: { now: number }, lines: string[]) => Promise<void>,
): Promise<void> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { port } = socket.addr as Deno.NetAddr;
  const lines: string[] = [];
  const reading = (async () => {
    for await (const [datagram] of socket) lines.push(new TextDecoder().decode(datagram));
  })();
  const clock = { now: 0 };
  const sender = LookupSender.open(
    parseSendAddress(`udp:127.0.0.1:${port}`),
    { clock: () => clock.now },
    new Complaints(new MemoryLog()),
  );
  try {
    await test(sender, clock, lines);
  } finally {
    await sender.close();
    socket.close();
    await reading;
  }
}

const FIELDS: LookupFields = {
  chain: ["www.example."],
  bkf: 0,
  client: CLIENT,
  qtype: "A",
  status: "NOERROR",
  address: "192.0.2.1",
};

Deno.test("LookupSender numbers datagrams from 1 on, and ends each with a line feed", async () => {
  await withSender(async (sender, _, lines) => {
    for (const address of ["192.0.2.1", "192.0.2.2"]) sender.send({ ...FIELDS, address });
    await until(() => lines.length === 2);
    assert.deepEqual(lines, [
      JSON.stringify({ ...FIELDS, id: 1 }) + "\n",
      JSON.stringify({ ...FIELDS, address: "192.0.2.2", id: 2 }) + "\n",
    ]);
  });
});

Deno.test("LookupSender sends the same once within a second, of another client as well", async () => {
  await withSender(async (sender, clock, lines) => {
    for (const now of [0, 500, 999, 1000, 1001]) {
      clock.now = now;
      sender.send(FIELDS);
    }
    sender.send({ ...FIELDS, client: "10.0.0.8" });
    await until(() => lines.length === 3);
    const sent = lines.map((line) => JSON.parse(line));
    assert.deepEqual(sent.map(({ id, client }) => [id, client]), [
      [1, CLIENT],
      [2, CLIENT],
      [3, "10.0.0.8"],
    ]);
    assert.deepEqual(sender.counts, { sent: 3, repeated: 3, lost: 0 });
  });
});

Deno.test("LookupSender counts what the system does not take, and goes on", async () => {
  await withSender(async (sender, _, lines) => {
    // More than a datagram holds.
    sender.send({ ...FIELDS, chain: [".".repeat(70_000)] });
    sender.send(FIELDS);
    await until(() => lines.length === 1);
    assert.equal(JSON.parse(lines[0]).id, 2);
    await until(() => sender.counts.lost === 1);
  });
});

Deno.test("parseSendAddress() takes IP addresses by UDP, and says so otherwise", () => {
  assert.deepEqual(parseSendAddress("udp:[2001:db8::1]:3053"), {
    transport: "udp",
    hostname: "2001:db8::1",
    port: 3053,
  });
  for (const text of ["udp:localhost:3053", "tcp:127.0.0.1:1", "unix:/x", "127.0.0.1:3053", ""]) {
    assert.throws(() => parseSendAddress(text), {
      message: `--send ${text}: write udp:ADDRESS:PORT, with an IP address (IPv6 in brackets)`,
      exitStatus: 2,
    });
  }
});
