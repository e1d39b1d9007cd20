import assert from "node:assert/strict";
import { join } from "node:path";
import { PCAP_FILE_HEADER } from "../../src/capture/pcap_format.ts";
import { address, response, withLength } from "../dns/dns_messages.ts";
import { HAS_TCPDUMP, WITHOUT_TCPDUMP } from "../installed.ts";
import { LINK_LAYERS } from "../link_layers.ts";
import {
  CAN_MAKE_NAMESPACES,
  type NamespacePair,
  until,
  WITHOUT_NAMESPACES,
} from "../namespaces.ts";
import { type Bytes, bytes, ip, pcap, udp } from "../packets.ts";
import { captureTest, startCapture } from "./capture_setting.ts";
import { flosensor } from "./program.ts";

const CLIENT = "10.99.0.7";
const CLIENT_V6 = "2001:db8:99::7";
/** An answer with so many addresses is longer than what is taken of other packets. */
const ADDRESSES = Array.from({ length: 36 }, (_, i) => `198.51.100.${i + 1}`);
const DESTINATION_OPTIONS = 60;

/** The names in lines of JSON, each once, with its key, sorted. */
function namesIn(lines: string): string[] {
  const writes = lines.trim().split("\n").map((line) => JSON.parse(line));
  return [
    ...new Set(
      writes.filter(({ key }) => key.endsWith(";dns")).map(({ key, name }) => `${key} ${name}`),
    ),
  ].sort();
}

/**
 * Of these, Linux tells the type of what is in the inner tag and gives the tag itself as the packet,
 * where packets come without the header of their link layer; tcpdump -i any finds no IP there either.
 */
const NOT_FROM_ANY = [
  "stacked VLAN tags, IEEE 802.1ad",
  "stacked VLAN tags of the same type",
  "three VLAN tags",
];

/** A long answer of each kind of IP packet, in each kind of Ethernet frame that a device gives right. */
function longAnswers(device: string): Bytes[] {
  const answer = (name: string) =>
    udp(53, 40_000, response(name, ADDRESSES.map((it) => address(name, it))));
  const protocol = 17;
  const extensions = [[DESTINATION_OPTIONS, Array(24).fill(0).with(1, 2)]] as const;
  const kinds: ((name: string) => Bytes)[] = [
    (name) => ip("10.99.0.53", CLIENT, answer(name), { protocol }),
    (name) => ip("10.99.0.53", CLIENT, answer(name), { protocol, options: [1, 1, 1, 0] }),
    (name) => ip("2001:db8:99::53", CLIENT_V6, answer(name), { protocol }),
    (name) => ip("2001:db8:99::53", CLIENT_V6, answer(name), { protocol, extensions }),
  ];
  const frames = LINK_LAYERS.filter(({ linkType, name }) =>
    linkType === 1 && (device !== "any" || !NOT_FROM_ANY.includes(name))
  );
  return frames.flatMap(({ wrap }, frame) =>
    kinds.map((packet, kind) => wrap(packet(`f${frame}-k${kind}.example`)))
  );
}

function sizeOf(file: string): number {
  try {
    return Deno.statSync(file).size;
  } catch {
    return 0;
  }
}

/** Sends a file from port 53 over one connection, at once, and reads it in the sensor's namespace. */
async function exchangeOverTcp(pair: NamespacePair, file: string): Promise<string> {
  const serve = `
    const listener = Deno.listen({ hostname: "10.99.0.53", port: 53 });
    console.log("listening");
    const connection = await listener.accept();
    const bytes = Deno.readFileSync(${JSON.stringify(file)});
    for (let done = 0; done < bytes.length;) done += await connection.write(bytes.subarray(done));
    connection.close();
    listener.close();`;
  const ask = `
    const connection = await Deno.connect({ hostname: "10.99.0.53", port: 53 });
    let received = 0;
    for await (const chunk of connection.readable) received += chunk.length;
    console.log(received);`;
  const server = new Deno.Command("ip", {
    args: ["netns", "exec", pair.sender, Deno.execPath(), "eval", serve],
    stdout: "piped",
  }).spawn();
  const output = server.stdout.getReader();
  await output.read();
  const { stdout } = await pair.command(Deno.execPath(), ["eval", ask]).output();
  await output.cancel();
  await server.status;
  return new TextDecoder().decode(stdout).trim();
}

for (const source of ["libpcap", "af_packet"]) {
  for (const device of ["veth0", "any"]) {
    captureTest(
      `capture reads long answers in every encapsulation, from ${device} with ${source}`,
      async (setting) => {
        const packets = longAnswers(device);
        const file = join(setting.directory, "long.pcap");
        await Deno.writeFile(file, pcap(packets.map((packet) => ({ packet, seconds: 1 }))));
        const sinks = ["--json", "--no-redis"];
        const replayed = await flosensor(["replay", file, ...sinks, "-c", setting.config]);
        assert.equal(namesIn(replayed.stdout).length, packets.length * ADDRESSES.length);
        await using program = await startCapture(setting, [device, ...sinks, "--source", source]);
        await setting.pair.replay(file);
        program.signal("SIGTERM");
        const { status, stdout, stderr } = await program.ended;
        assert.equal(status, 0, stderr);
        assert.deepEqual(namesIn(stdout), namesIn(replayed.stdout), stderr);
      },
    );
  }

  captureTest(
    `capture reads 400 pipelined answers as a replay of tcpdump's file does, with ${source}` +
      WITHOUT_TCPDUMP,
    async (setting) => {
      const { pair, directory } = setting;
      await pair.addSenderAddress("10.99.0.53/24");
      const answers = Array.from({ length: 400 }, (_, i) => {
        const name = `n${i}.example`;
        return withLength(response(name, ADDRESSES.slice(0, 12).map((it) => address(name, it))));
      });
      const stream = join(directory, "answers");
      await Deno.writeFile(stream, bytes(...answers));
      const file = join(directory, "tcpdump.pcap");
      const dump = pair.command("tcpdump", ["-i", "veth0", "-U", "-w", file, "tcp port 53"], {
        stderr: "piped",
      }).spawn();
      const sinks = ["--json", "--no-redis"];
      await using program = await startCapture(setting, ["veth0", ...sinks, "--source", source]);
      await until(() => sizeOf(file) === PCAP_FILE_HEADER);
      const received = await exchangeOverTcp(pair, stream);
      const sent = answers.reduce((sum, { length }) => sum + length, 0);
      assert.equal(received, String(sent));
      await until(() => sizeOf(file) > sent);
      program.signal("SIGTERM");
      const { status, stdout, stderr } = await program.ended;
      dump.kill("SIGTERM");
      await dump.stderr.cancel();
      await dump.status;
      assert.equal(status, 0, stderr);
      const replayed = await flosensor(["replay", file, ...sinks, "-c", setting.config]);
      assert.equal(namesIn(replayed.stdout).length, 400 * 12);
      assert.deepEqual(namesIn(stdout), namesIn(replayed.stdout));
      assert.match(stderr, /DNS: 400 messages, 400 with addresses, 0 NXDOMAIN, 4800 names written/);
    },
    {
      ignore: !CAN_MAKE_NAMESPACES || !HAS_TCPDUMP,
      reason: WITHOUT_NAMESPACES,
    },
  );
}
