import assert from "node:assert/strict";
import { join } from "node:path";
import { CAN_MAKE_NAMESPACES, withNamespaces, WITHOUT_NAMESPACES } from "../namespaces.ts";
import { flosensor, RunningProgram } from "./program.ts";

const HOST = ["10.99.0.2", "2001:db8:99::2"];
/** What it talks to is on no own network, else its flows would be left out. */
const OWN = [`${HOST[0]}/32`, `${HOST[1]}/128`];
const CONFIG = `import { defineConfig } from "flosensor/config";
export default defineConfig({ flushInterval: 0.1 });
`;

for (const [source, workers] of [["libpcap", "1"], ["af_packet", "1"], ["af_packet", "2"]]) {
  Deno.test({
    name:
      "the addresses that a real host's ARP and neighbour discovery tell are one device, with " +
      `${source} and ${workers} workers${WITHOUT_NAMESPACES}`,
    ignore: !CAN_MAKE_NAMESPACES,
    fn: () =>
      withNamespaces(async (pair) => {
        const folder = await Deno.makeTempDir({ prefix: "flosensor-devices-" });
        try {
          const config = join(folder, "config.ts");
          const store = join(folder, "flows.db");
          await Deno.writeTextFile(config, CONFIG);
          for (const address of [`${HOST[0]}/24`, `${HOST[1]}/64`]) {
            await pair.addSenderAddress(address);
          }
          const options = ["--source", source, "--workers", workers, "--no-redis", "--json"];
          await using program = new RunningProgram(
            ["capture", "veth0", ...OWN, ...options, "-c", config, "--store", store],
            { command: (name, args, options) => pair.command(name, args, options) },
          );
          await program.says("capturing on");
          const server = pair.command("python3", ["-c", SERVER], { stdout: "piped" }).spawn();
          const reader = server.stdout.getReader();
          await reader.read();
          for (const address of ["10.99.0.1", "2001:db8:99::1"]) {
            const { success } = await new Deno.Command("ip", {
              args: ["netns", "exec", pair.sender, "python3", "-c", CLIENT, address],
            }).output();
            assert.ok(success, address);
          }
          reader.releaseLock();
          await server.stdout.cancel();
          server.kill("SIGTERM");
          await server.status;
          await program.prints(`"address":"${HOST[1]}"`);
          program.signal("SIGTERM");
          const { status, stdout, stderr } = await program.ended;
          assert.equal(status, 0, stderr);
          const devices = stdout.trim().split("\n").map((line) => JSON.parse(line))
            .filter(({ type }) => type === "device");
          const last = devices.findLast(({ addresses }) =>
            addresses.some(({ address }: { address: string }) => address === HOST[0])
          );
          const addresses = last.addresses.map(({ address }: { address: string }) => address);
          assert.ok(HOST.every((address) => addresses.includes(address)), JSON.stringify(last));
          // Linux makes the addresses of a veth pair up.
          assert.equal(last.private, true);
          assert.equal(last.vendor, undefined);
          assert.match(stderr, /devices: 1, 0 with a name/);
          const report = await flosensor([
            ...["report", store, "--by", "device", "--json", "--client", "10.99.0.0/24"],
          ]);
          const groups = JSON.parse(report.stdout);
          assert.ok(report.stdout.includes(last.hardware), JSON.stringify(groups));
          assert.ok(report.stdout.includes("(private address)"), JSON.stringify(groups));
        } finally {
          await Deno.remove(folder, { recursive: true });
        }
      }),
  });
}

const SERVER = `
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
s.bind(("::", 5000))
print("ready", flush=True)
while True:
    data, sender = s.recvfrom(100)
    s.sendto(data, sender)
`;
const CLIENT = `
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
s = socket.socket(family, socket.SOCK_DGRAM)
s.settimeout(10)
s.sendto(b"hello", (sys.argv[1], 5000))
s.recvfrom(100)
`;
