import { join } from "node:path";
import { makeCertificates } from "../certificates.ts";
import { isProgram } from "../installed.ts";
import { type NamespacePair, until } from "../namespaces.ts";

/** Whether the programs are installed. */
export const HAS_RESOLVER: boolean = isProgram("unbound", "-V") && isProgram("kdig", "-V") &&
  isProgram("curl", "-V") && isProgram("openssl", "version") && isProgram("dig", "-v");

/** Added to the name of a test that is ignored for want of {@linkcode HAS_RESOLVER}. */
export const WITHOUT_RESOLVER = HAS_RESOLVER
  ? ""
  : " (ignored: needs unbound, kdig, dig, curl and openssl)";

/** The resolver's address: plain DNS at port 53, DNS over TLS at 853. */
export const RESOLVER = "192.0.2.53";

/**
 * In the sensor's namespace unbound, which knows some names, and a server of HTTPS at each of their
 * addresses; in the sender's a way to them.
 */
export class Resolver implements AsyncDisposable {
  readonly #processes: Deno.ChildProcess[] = [];
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * @param clients Addresses of the sender's, in 10.99.0.0/24.
   * @param names Names and their addresses.
   */
  static async start(
    pair: NamespacePair,
    clients: readonly string[],
    names: Readonly<Record<string, string>>,
  ): Promise<Resolver> {
    const folder = await Deno.makeTempDir();
    const resolver = new Resolver(folder);
    await makeCertificates(folder);
    for (const address of [RESOLVER, ...Object.values(names)]) {
      await pair.ip("addr", "add", `${address}/32`, "dev", "lo");
    }
    for (const client of clients) await pair.addSenderAddress(`${client}/24`);
    await execute(pair.sender, "ip", "route", "add", "default", "via", "10.99.0.1");
    const file = join(folder, "unbound.conf");
    await Deno.writeTextFile(file, configuration(folder, names));
    const read = { stdout: "null", stderr: "null" } as const;
    resolver.#processes.push(pair.command("unbound", ["-d", "-c", file], read).spawn());
    for (const address of Object.values(names)) {
      const args = ["s_server", "-accept", `${address}:443`, "-www", "-quiet"];
      const files = ["-cert", join(folder, "server.pem"), "-key", join(folder, "server.key")];
      resolver.#processes.push(pair.command("openssl", [...args, ...files], read).spawn());
    }
    const [client] = clients;
    const [[name, address]] = Object.entries(names);
    await until(async () =>
      await isDone(pair.sender, "dig", "-b", client, `@${RESOLVER}`, "+time=1", "+tries=1", name) &&
      await isDone(pair.sender, "curl", "-sk", "-m", "1", `https://${address}/`)
    );
    return resolver;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes) {
      process.kill("SIGKILL");
      await process.status;
    }
    await Deno.remove(this.#folder, { recursive: true });
  }
}

function configuration(folder: string, names: Readonly<Record<string, string>>): string {
  const records = Object.entries(names).map(([name, address]) =>
    `  local-data: "${name}. 60 IN A ${address}"`
  );
  return `server:
  interface: ${RESOLVER}@53
  interface: ${RESOLVER}@853
  tls-service-key: "${join(folder, "server.key")}"
  tls-service-pem: "${join(folder, "server.pem")}"
  access-control: 0.0.0.0/0 allow
  do-daemonize: no
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  local-zone: "test." static
${records.join("\n")}
`;
}

async function isDone(namespace: string, ...command: string[]): Promise<boolean> {
  const args = ["netns", "exec", namespace, ...command];
  return (await new Deno.Command("ip", { args, stdout: "null", stderr: "null" }).output()).success;
}

/** Runs a program of a client. */
export async function execute(namespace: string, ...command: string[]): Promise<void> {
  const args = ["netns", "exec", namespace, ...command];
  const { success, stderr } = await new Deno.Command("ip", { args, stdout: "null" }).output();
  if (!success) throw new Error(`${command.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
