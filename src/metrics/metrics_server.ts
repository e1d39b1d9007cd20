import type { Log } from "../log.ts";
import type { HttpAddress } from "../model/http_address.ts";
import { VERSION } from "../version.ts";
import { Access } from "../web/access.ts";
import { HttpListener } from "../web/http_listener.ts";
import { hostText, isLoopback } from "../web/page_address.ts";
import { plainResponse } from "../web/plain_response.ts";
import type { Exposition } from "./exposition.ts";

/** Where metrics are served. */
export interface MetricsPlace {
  readonly address: HttpAddress;
  /** Where the user said so, for messages. */
  readonly place: string;
}

/** Serves metrics, and whether the program is alive and ready, for Prometheus and for probes. */
export class MetricsServer {
  readonly #exposition: Exposition;
  readonly #troubles: () => readonly string[];
  readonly #log: Log;
  readonly #access: Access;
  readonly #server: HttpListener;

  /**
   * Listens.
   *
   * @param troubles What keeps the program from being ready; nothing if it is.
   * @throws {UserError} when it can't listen there.
   */
  constructor(
    { address, place }: MetricsPlace,
    exposition: Exposition,
    troubles: () => readonly string[],
    log: Log,
  ) {
    this.#exposition = exposition;
    this.#troubles = troubles;
    this.#log = log;
    this.#access = new Access({
      address,
      token: null,
      // Whoever may reach another address than loopback may read it, by whatever name.
      hosts: isLoopback(address) ? [] : null,
      isTls: false,
    });
    this.#server = new HttpListener(place, address, null, {
      answer: (request) => this.#access.refusal(request) ?? this.#answer(request),
      onError: (error) => this.#failed(error),
    }, log);
    const host = hostText(address);
    log.info(`metrics: http://${host}/metrics`);
    if (isLoopback(address)) return;
    log.warn(`metrics: whoever reaches ${host} may read them: let a firewall decide who does`);
  }

  /** Ends connections, too. */
  close(): void {
    this.#server.shutdown().catch(() => {});
  }

  async #answer(request: Request): Promise<Response> {
    switch (new URL(request.url).pathname) {
      case "/":
        return plainResponse(200, `flosensor ${VERSION}\n\n/metrics\n/healthz\n/readyz`);
      case "/metrics":
        return new Response(await this.#exposition.text(), {
          headers: { "content-type": this.#exposition.contentType, "cache-control": "no-store" },
        });
      case "/healthz":
        return plainResponse(200, "ok");
      case "/readyz": {
        const troubles = this.#troubles();
        return troubles.length === 0
          ? plainResponse(200, "ok")
          : plainResponse(503, troubles.join("\n"));
      }
      default:
        return plainResponse(404, "There are /metrics, /healthz and /readyz.");
    }
  }

  #failed(error: unknown): Response {
    this.#log.warn(`metrics: ${error instanceof Error ? error.message : error}`);
    return plainResponse(500, "That did not work.");
  }
}
