import type { Log } from "../log.ts";
import { warnOfVisible } from "../visible_secret.ts";
import { isLoopback } from "../web/page_address.ts";
import { givenToken, type PageCommandOptions, type PageSettings } from "../web/page_options.ts";

/**
 * Says where the page is, and the token if it was made for it. This is the only time that it is shown;
 * one that was given is not.
 */
export function sayPage(
  url: string,
  { address, token, tls }: PageSettings,
  options: PageCommandOptions,
  log: Log,
): void {
  const isShown = token !== null && givenToken(options) === undefined;
  log.info(`page: ${url}${isShown ? `?token=${token}` : ""}`);
  if (options.token !== undefined) warnOfVisible("--token", "it", "--token-file", log);
  if (tls === null && !isLoopback(address)) {
    log.warn("the page goes over the network as it is: --tls-cert and --tls-key encrypt it");
  }
}
