import { timingSafeEqual } from "node:crypto";
import { parseAddress } from "../model/address.ts";
import { hostText, isLoopback, type PageAddress } from "./page_address.ts";
import { plainResponse } from "./plain_response.ts";

/** Who may see the page. */
export interface AccessOptions {
  readonly address: PageAddress;
  /** What visitors have to show once; `null` for nothing. */
  readonly token: string | null;
  /**
   * Names besides that of the address under which the page is reached, as through a proxy; `null` for any
   * name.
   */
  readonly hosts: readonly string[] | null;
  readonly isTls: boolean;
}

/** A year, in seconds: a token that was made at a start does not live that long. */
const COOKIE_AGE = 31_536_000;

/**
 * Decides who may see the page. A page of another site must not, though it runs in a browser that can
 * reach this host: neither by a request from it (Origin, Sec-Fetch-Site), nor by a name of its own that
 * it has resolve to this host's address (Host).
 */
export class Access {
  readonly #options: AccessOptions;
  readonly #cookie: string;

  constructor(options: AccessOptions) {
    this.#options = options;
    // Cookies are those of a host, whatever the port.
    this.#cookie = `flosensor_${options.address.port}`;
  }

  /** @returns What a request gets in the place of what it asked for; `null` when it may have that. */
  refusal(request: Request): Response | null {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return plainResponse(405, "flosensor only shows: GET and HEAD are all there is.", {
        "allow": "GET, HEAD",
      });
    }
    // HTTP/2 has it in a place of its own (RFC 9113, section 8.3.1).
    const host = request.headers.get("host") ?? new URL(request.url).host;
    if (!this.#isOurs(host)) {
      return plainResponse(
        421,
        `Nothing is served here for ${host || "no host"}. ` +
          "Reach it by its address; the page also by a name that --host gives it.",
      );
    }
    const origin = request.headers.get("origin");
    const site = request.headers.get("sec-fetch-site");
    const isNavigation = request.headers.get("sec-fetch-mode") === "navigate";
    const isForeign = (origin !== null && origin !== `${this.#scheme}://${host}` &&
      origin !== `https://${host}`) ||
      (site !== null && site !== "same-origin" && site !== "none" && !isNavigation);
    if (isForeign) return plainResponse(403, "Pages of other sites get nothing here.");
    return this.#tokenRefusal(request);
  }

  get #scheme(): string {
    return this.#options.isTls ? "https" : "http";
  }

  #tokenRefusal(request: Request): Response | null {
    const { token } = this.#options;
    if (token === null) return null;
    const url = new URL(request.url);
    const shown = url.searchParams.get("token");
    if (shown !== null && isSame(shown, token)) {
      url.searchParams.delete("token");
      return new Response(null, {
        status: 303,
        headers: {
          // Relative: a proxy may have another scheme and port.
          "location": `${url.pathname}${url.search}`,
          "set-cookie": `${this.#cookie}=${token}; Path=/; Max-Age=${COOKIE_AGE}; HttpOnly; ` +
            `SameSite=Lax${this.#options.isTls ? "; Secure" : ""}`,
          "cache-control": "no-store",
        },
      });
    }
    const bearer = /^Bearer (\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
    const cookies = (request.headers.get("cookie") ?? "").split(";").map((it) => it.trim());
    const cookie = cookies.find((it) => it.startsWith(`${this.#cookie}=`))
      ?.slice(this.#cookie.length + 1);
    if ([bearer, cookie].some((it) => it !== undefined && isSame(it, token))) return null;
    return plainResponse(
      401,
      "This page wants a token. Open it once with ?token=… at the end of its address, as flosensor " +
        "printed it when it started.",
      { "www-authenticate": 'Bearer realm="flosensor"' },
    );
  }

  #isOurs(host: string): boolean {
    const { address, hosts, token } = this.#options;
    if (hosts === null) return true;
    const name = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/.exec(host.toLowerCase());
    const bare = name?.[1] ?? name?.[2];
    if (bare === undefined) return false;
    if (host === hostText(address) || bare === address.hostname.toLowerCase()) return true;
    if (bare === "localhost" || hosts.includes(bare)) return true;
    // No name can be made to resolve to an address in the place of a name. But a page that only this
    // host can reach is not reached by another's address.
    return parseAddress(bare) !== null &&
      (token !== null || isLoopback({ hostname: bare, port: address.port }));
  }
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => new TextEncoder().encode(text));
  return a.length === b.length && timingSafeEqual(a, b);
}
