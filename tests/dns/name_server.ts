import { join } from "node:path";
import { type NamespacePair, until } from "../namespaces.ts";
import { isProgram } from "../installed.ts";

/** Whether BIND and dig are installed. */
export const HAS_NAME_SERVER = isProgram("named", "-v") && isProgram("dig", "-v");

/** Added to the name of a test that is ignored for want of {@linkcode HAS_NAME_SERVER}. */
export const WITHOUT_NAME_SERVER = HAS_NAME_SERVER
  ? ""
  : " (ignored: needs named and dig, Debian's bind9 and bind9-dnsutils)";

/** Addresses of the name that has many: more than a packet's first 512 bytes hold. */
export const MANY_ADDRESSES: readonly string[] = Array.from(
  { length: 60 },
  (_, i) => `198.51.100.${i + 1}`,
);

const ZONE = `
$TTL 300
@ IN SOA ns hostmaster 1 3600 600 86400 60
@ IN NS ns
ns IN A 127.0.0.1
host IN A 192.0.2.1
host IN AAAA 2001:db8::1
www IN CNAME middle
middle IN CNAME host
broken IN CNAME missing
semi\\;colon IN A 192.0.2.2
MixedCase IN A 192.0.2.3
${MANY_ADDRESSES.map((address) => `many IN A ${address}`).join("\n")}
`;

/**
 * A BIND of a test's own on port 53 of a namespace, with the zone example.test and dnstap. It would
 * recurse if it could: what a server that never does says are other types of message.
 */
export class NameServer implements AsyncDisposable {
  readonly #pair: NamespacePair;
  readonly #process: Deno.ChildProcess;

  private constructor(pair: NamespacePair, process: Deno.ChildProcess) {
    this.#pair = pair;
    this.#process = process;
  }

  /**
   * Starts it and waits until it answers.
   *
   * @param directory For its files.
   * @param dnstapSocket Where it connects to.
   */
  static async start(
    pair: NamespacePair,
    directory: string,
    dnstapSocket: string,
  ): Promise<NameServer> {
    const config = join(directory, "named.conf");
    await Deno.writeTextFile(join(directory, "example.test.zone"), ZONE);
    await Deno.writeTextFile(
      config,
      `options {
        directory "${directory}";
        pid-file "${directory}/named.pid";
        listen-on { 127.0.0.1; };
        listen-on-v6 { ::1; };
        recursion yes;
        allow-recursion { any; };
        dnssec-validation no;
        check-names primary ignore;
        dnstap { client; };
        dnstap-output unix "${dnstapSocket}";
        dnstap-identity "test-server";
      };
      controls {};
      zone "example.test" { type primary; file "example.test.zone"; };`,
    );
    const process = pair.command("named", ["-f", "-c", config], {
      stdout: "null",
      stderr: "null",
    }).spawn();
    const server = new NameServer(pair, process);
    await until(async () => (await server.dig("ns.example.test")).includes("status: NOERROR"));
    return server;
  }

  /**
   * Asks it, and gives what dig(1) prints.
   *
   * @param question What dig takes; `@::1` in front of it asks over IPv6.
   */
  async dig(...question: string[]): Promise<string> {
    const server = question[0].startsWith("@") ? [] : ["@127.0.0.1"];
    const args = [...server, ...question, "+tries=1", "+time=5"];
    const { stdout } = await this.#pair.command("dig", args).output();
    return new TextDecoder().decode(stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.status;
  }
}
