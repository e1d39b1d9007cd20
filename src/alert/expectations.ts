import { LocalAddresses } from "../store/local_addresses.ts";
import type { Alert } from "./alert.ts";
import type { ExpectedService } from "../config/expected_service.ts";

/** How often one alert comes at most, in milliseconds. */
const PAUSE = 3_600_000;
/** Alerts that are remembered: a scan from outside may make many, where its ports are open. */
const MOST = 10_000;

/** A use of a service. */
export interface Use {
  readonly client: string;
  readonly server: string;
  readonly port: number;
  readonly protocol: string;
  readonly by: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly time: number;
}

/** Compares what is used with what is expected, and says each difference once an hour at most. */
export class Expectations {
  #services: Map<string, LocalAddresses | null> | null = null;
  #local = new LocalAddresses([]);
  readonly #said = new Map<string, number>();

  constructor(expected: readonly ExpectedService[], localNetworks: readonly string[]) {
    this.set(expected, localNetworks);
  }

  /**
   * Has something else be expected. What was said within the last hour is not said again for that.
   *
   * @param expected `null` where nothing is an alert any more.
   * @param localNetworks The own networks, as `cidrText` writes them: services elsewhere are others'.
   */
  set(expected: readonly ExpectedService[] | null, localNetworks: readonly string[]): void {
    this.#local = new LocalAddresses(localNetworks);
    this.#services = expected === null ? null : new Map(
      expected.map(({ server, port, protocol, clients }) => [
        keyOf(server, port, protocol),
        clients.length === 0 ? null : new LocalAddresses(clients),
      ]),
    );
  }

  /** The alert that a use is, if it is one and was not said within the last hour. */
  alertOf(use: Use): Alert | null {
    const { client, server, port, protocol, by, time } = use;
    if (this.#services === null || !this.#local.has(server)) return null;
    const service = keyOf(server, port, protocol);
    const clients = this.#services.get(service);
    if (clients === null || clients?.has(client)) return null;
    const said = clients === undefined ? service : `${service} ${client}`;
    const before = this.#said.get(said);
    if (before !== undefined && time < before + PAUSE) return null;
    if (this.#said.size >= MOST) this.#said.clear();
    this.#said.set(said, time);
    return {
      alert: clients === undefined ? "unexpected-service" : "unexpected-client",
      time: new Date(time).toISOString(),
      client,
      server,
      port,
      protocol,
      by,
    };
  }
}

function keyOf(server: string, port: number, protocol: string): string {
  return `${server} ${port} ${protocol}`;
}
