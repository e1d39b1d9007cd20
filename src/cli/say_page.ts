import type { Log } from "../log.ts";
import { isLoopback } from "../web/page_address.ts";
import type { PageSettings } from "../web/page_options.ts";

/** Says where the page is, and the token that was made for it. This is the only time it is shown. */
export function sayPage(url: string, { address, token, tls }: PageSettings, log: Log): void {
  log.info(`page: ${url}${token === null ? "" : `?token=${token}`}`);
  if (tls === null && !isLoopback(address)) {
    log.warn("the page goes over the network as it is: --tls-cert and --tls-key encrypt it");
  }
}
