import assert from "node:assert/strict";
import { Complaints } from "../../src/dns/complaints.ts";
import { parseListenAddress } from "../../src/dns/listen_address.ts";
import { type Lookup, readLookup } from "../../src/dns/lookup_datagram.ts";
import { LookupListener } from "../../src/dns/lookup_listener.ts";
import { MemoryLog } from "../memory_log.ts";
import { isProgram } from "../installed.ts";
import { until } from "../namespaces.ts";
import { unusedPort } from "../redis_server.ts";

/** What ShoDoHFlo's agent sends for a chain of two aliases. */
const LOOKUP = {
  chain: ["cdn.example.net.", "middle.example.com.", "WWW.example.com."],
  address: "192.0.2.1",
  client: "10.0.0.7",
  qtype: "A",
  status: "NOERROR",
  id: 7,
};

function read(lookup: unknown): Lookup | null {
  return readLookup(JSON.stringify(lookup));
}

Deno.test("readLookup() reads a chain from the name that has the address to the one asked for", () => {
  const { response } = read(LOOKUP)!.reading;
  assert.equal(response?.question, "www.example.com.");
  assert.deepEqual(
    response?.addresses.map(({ owner, address }) => [owner, address]),
    [["cdn.example.net.", "192.0.2.1"]],
  );
  assert.deepEqual(response?.aliases, [
    { owner: "middle.example.com.", target: "cdn.example.net." },
    { owner: "www.example.com.", target: "middle.example.com." },
  ]);
});

Deno.test("readLookup() reads names as dnspython escapes them, and both address families", () => {
  const lookup = read({ ...LOOKUP, chain: ["a\\;b\\.c\\032.example."], address: "2001:DB8::0:1" })!;
  const [{ owner, address }] = lookup.reading.response!.addresses;
  assert.equal(owner, "a\\059b\\.c\\032.example.");
  assert.equal(address, "2001:db8::1");
  assert.ok(read({ ...LOOKUP, client: "2001:db8::7" })?.isIpv6);
});

Deno.test("readLookup() takes a client with an IPv4-mapped address for the IPv4 client that it is", () => {
  for (const client of ["::ffff:10.0.0.7", "::FFFF:a00:7", "10.0.0.7"]) {
    const lookup = read({ ...LOOKUP, client })!;
    assert.deepEqual([lookup.isIpv6, [...lookup.client]], [false, [0, 0, 0, 0x0a00_0007]], client);
  }
  for (const client of ["::10.0.0.7", "::fffe:a00:7", "64:ff9b::a00:7", "1::ffff:a00:7"]) {
    assert.ok(read({ ...LOOKUP, client })!.isIpv6, client);
  }
});

Deno.test("readLookup() reads NXDOMAIN of the name that was asked for, whatever came before it", () => {
  const { address: _, ...lookup } = { ...LOOKUP, status: "NXDOMAIN" };
  assert.equal(read(lookup)?.reading.response?.question, "www.example.com.");
  assert.equal(read({ ...lookup, bkf: 1 })?.reading.response?.question, "middle.example.com.");
});

Deno.test("readLookup() refuses what is no lookup", () => {
  for (const line of ["", "no JSON", "[]", "null", "7", "{}"]) assert.equal(readLookup(line), null);
  const wrong = [
    { chain: [] },
    { chain: "www.example.com." },
    { chain: ["www.example.com"] },
    { chain: ["a..b."] },
    { chain: [7] },
    { chain: Array(65).fill("a.") },
    { client: "somebody" },
    { client: undefined },
    { address: "somewhere" },
    { address: 7 },
    { status: undefined },
    { bkf: -1 },
    { bkf: 3 },
  ];
  for (const part of wrong) assert.equal(read({ ...LOOKUP, ...part }), null, JSON.stringify(part));
});

Deno.test("parseListenAddress() reads the three forms and refuses others", () => {
  assert.deepEqual(parseListenAddress("unix:/run/dnstap.sock"), {
    transport: "unix",
    path: "/run/dnstap.sock",
  });
  assert.deepEqual(parseListenAddress("tcp:[::1]:6000"), {
    transport: "tcp",
    hostname: "::1",
    port: 6000,
  });
  assert.deepEqual(parseListenAddress("udp:239.1.2.3:3053"), {
    transport: "udp",
    hostname: "239.1.2.3",
    port: 3053,
  });
  for (const text of ["/run/x", "unix:", "tcp:host", "tcp:host:0", "udp:host:65536", "tcp:::1:5"]) {
    assert.throws(() => parseListenAddress(text), { exitStatus: 2 }, text);
  }
});

Deno.test("parseListenAddress() says what is missing in a path, a host or a port", () => {
  const cases = {
    "/run/dnstap.sock": "unix:/run/dnstap.sock",
    "./dnstap.sock": "unix:./dnstap.sock",
    "127.0.0.1:6000": "tcp:127.0.0.1:6000",
    "[::1]:6000": "tcp:[::1]:6000",
    "tcp://127.0.0.1:6000": "tcp:127.0.0.1:6000",
    "tcp:6000": "tcp:127.0.0.1:6000",
    "udp::3053": "udp:127.0.0.1:3053",
    "6000": "tcp:127.0.0.1:6000",
    "tcp:localhost": "tcp:localhost:PORT",
    "tcp:localhost:66000": "a port from 1 to 65535 after it",
  };
  for (const [text, meant] of Object.entries(cases)) {
    assert.throws(() => parseListenAddress(text), {
      message: `"${text}" is not where to listen: write ${meant}`,
      exitStatus: 2,
    });
  }
});

/** A sender of its own, as the agent is: in Deno, or for a group in Python if that is there. */
async function withListener(
  hostname: string,
  test: (found: Lookup[], port: number, log: MemoryLog, listener: LookupListener) => Promise<void>,
): Promise<void> {
  const log = new MemoryLog();
  const found: Lookup[] = [];
  const port = await unusedPort();
  const listener = await LookupListener.open(
    { transport: "udp", hostname, port },
    { onLookup: (lookup) => found.push(lookup), multicastInterface: "127.0.0.1" },
    new Complaints(log),
  );
  try {
    await test(found, port, log, listener);
  } finally {
    listener.close();
  }
}

Deno.test("LookupListener takes datagrams, also of several lines, and leaves noise out", async () => {
  await withListener("127.0.0.1", async (found, port, log, listener) => {
    const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    const line = JSON.stringify(LOOKUP);
    for (const text of [`${line}\n`, "noise", `${line}\n${line}\n`, "more noise"]) {
      const to = { transport: "udp", hostname: "127.0.0.1", port } as const;
      await socket.send(new TextEncoder().encode(text), to);
    }
    await until(() => listener.counts.datagrams === 4);
    socket.close();
    assert.equal(found.length, 3);
    assert.equal(listener.counts.noise, 2);
    assert.equal(log.lines.length, 1);
  });
});

const HAS_PYTHON = isProgram("python3", "--version");

Deno.test({
  name: "LookupListener joins a multicast group" +
    (HAS_PYTHON ? "" : " (ignored: python3 is not installed)"),
  ignore: !HAS_PYTHON,
  fn: async () => {
    await withListener("239.192.7.53", async (found, port) => {
      const program = `import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
s.sendto(sys.argv[1].encode(), ("239.192.7.53", ${port}))`;
      await new Deno.Command("python3", { args: ["-c", program, JSON.stringify(LOOKUP)] }).output();
      await until(() => found.length === 1);
    });
  },
});
