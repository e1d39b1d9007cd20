import assert from "node:assert/strict";
import { join } from "node:path";
import { makeCertificates } from "../certificates.ts";
import { HAS_NAME_SERVER, WITHOUT_NAME_SERVER } from "../dns/name_server.ts";
import { isProgram } from "../installed.ts";
import {
  CAN_MAKE_NAMESPACES,
  type NamespacePair,
  until,
  withNamespaces,
  WITHOUT_NAMESPACES,
} from "../namespaces.ts";
import { flosensor, RunningProgram } from "./program.ts";

const HAS_KDIG = isProgram("kdig", "--version");
const HAS_OPENSSL = isProgram("openssl", "version");
const WITHOUT = WITHOUT_NAMESPACES || WITHOUT_NAME_SERVER ||
  (HAS_KDIG && HAS_OPENSSL ? "" : " (ignored: needs kdig, Debian's knot-dnsutils, and openssl)");

const CLIENT = "10.99.0.2";
const SERVER = "10.99.0.1";
/** Nothing says that this is DoH, but what the server announces. */
const CONFIG = `import { defineConfig } from "flosensor/config";
export default defineConfig({ flushInterval: 0.1 });
`;
const NAMED = (folder: string) =>
  `tls local { cert-file "${folder}/server.pem"; key-file "${folder}/server.key"; };
options {
  directory "${folder}";
  pid-file "${folder}/named.pid";
  listen-on { ${SERVER}; };
  listen-on port 853 tls local { ${SERVER}; };
  listen-on port 443 tls local http default { ${SERVER}; };
  listen-on-v6 { none; };
  recursion no;
  dnssec-validation no;
  empty-zones-enable no;
};
controls {};
zone "example.test" { type primary; file "example.test.zone"; };
zone "resolver.arpa" { type primary; file "resolver.arpa.zone"; };
`;
const ZONE = `$TTL 300
@ IN SOA ns.example.test. hostmaster.example.test. 1 3600 600 86400 60
@ IN NS ns.example.test.
`;
const ADDRESSES = `ns IN A ${SERVER}\nhost IN A 192.0.2.1\n`;
const DESIGNATION = `_dns IN SVCB 1 dns.example.test. alpn=h2,dot ipv4hint=${SERVER}\n`;

/** A BIND that takes plain DNS, DoT and DoH, in the sensor's namespace. */
async function withNameServer(
  pair: NamespacePair,
  folder: string,
  test: (kdig: (...args: string[]) => Promise<string>) => Promise<void>,
): Promise<void> {
  await makeCertificates(folder);
  await Deno.writeTextFile(join(folder, "named.conf"), NAMED(folder));
  await Deno.writeTextFile(join(folder, "example.test.zone"), ZONE + ADDRESSES);
  await Deno.writeTextFile(join(folder, "resolver.arpa.zone"), ZONE + DESIGNATION);
  const args = ["-f", "-c", join(folder, "named.conf")];
  const server = pair.command("named", args, { stdout: "null", stderr: "null" }).spawn();
  try {
    const kdig = async (...args: string[]) => {
      const { stdout } = await new Deno.Command("ip", {
        args: ["netns", "exec", pair.sender, "kdig", `@${SERVER}`, "+timeout=5", ...args],
      }).output();
      return new TextDecoder().decode(stdout);
    };
    await until(async () => (await kdig("host.example.test")).includes("192.0.2.1"));
    await test(kdig);
  } finally {
    server.kill("SIGTERM");
    await server.status;
  }
}

for (const source of ["libpcap", "af_packet"]) {
  Deno.test({
    name: "plain DNS, DoT and DoH of a real client to a real server are told apart, with " +
      source + WITHOUT,
    ignore: !CAN_MAKE_NAMESPACES || !HAS_NAME_SERVER || !HAS_KDIG || !HAS_OPENSSL,
    fn: () =>
      withNamespaces(async (pair) => {
        const folder = await Deno.makeTempDir({ prefix: "flosensor-encrypted-" });
        try {
          const config = join(folder, "config.ts");
          const store = join(folder, "flows.db");
          await Deno.writeTextFile(config, CONFIG);
          await pair.addSenderAddress(`${CLIENT}/24`);
          await withNameServer(pair, folder, async (kdig) => {
            const options = ["--source", source, "--no-redis", "--json", "-c", config];
            await using program = new RunningProgram(
              ["capture", "veth0", `${CLIENT}/32`, "--store", store, ...options],
              { command: (name, args, options) => pair.command(name, args, options) },
            );
            await program.says("capturing on");
            const designation = await kdig("_dns.resolver.arpa", "TYPE64");
            assert.match(designation, /dns\.example\.test|\\# /);
            await program.prints(`${SERVER};53;flow`);
            const answers = [
              await kdig("+tls", "host.example.test"),
              await kdig("+https=/dns-query", "host.example.test"),
            ];
            for (const answer of answers) assert.match(answer, /192\.0\.2\.1/);
            await program.prints(`${SERVER};853;flow`);
            await program.prints(`${SERVER};443;flow`);
            program.signal("SIGTERM");
            const { status, stdout, stderr } = await program.ended;
            assert.equal(status, 0, stderr);
            const flows = stdout.trim().split("\n").map((line) => JSON.parse(line))
              .filter(({ type }) => type === "flow")
              .map(({ client, port, dns }) => `${client} ${port} ${dns}`);
            assert.deepEqual([...new Set(flows)].sort(), [
              `${CLIENT} 443 DoH`,
              `${CLIENT} 53 DNS`,
              `${CLIENT} 853 DoT`,
            ]);
            assert.match(
              stderr,
              /clients that ask for names elsewhere: 1 by DoT, 1 by DoH, 1 by DNS to servers outside/,
            );
          });
          const report = await flosensor(["report", store, "--json"]);
          const rows = JSON.parse(report.stdout).encryptedDns as Record<string, unknown>[];
          assert.deepEqual(rows.map(({ client, kind }) => [client, kind]), [
            [CLIENT, "DoH"],
            [CLIENT, "DoT"],
            [CLIENT, "DNS"],
          ]);
          assert.ok(rows.every(({ first, last }) => first as number > 0 && first! <= last!));
          const flow = [CLIENT, "40000", SERVER, "853"];
          const explained = await flosensor(["explain", ...flow, `${CLIENT}/32`, "--no-redis"]);
          assert.match(explained.stdout, /This is DNS over TLS \(DoT\)/);
        } finally {
          await Deno.remove(folder, { recursive: true });
        }
      }),
  });
}
