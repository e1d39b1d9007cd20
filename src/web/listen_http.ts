import type { HttpAddress } from "../model/http_address.ts";
import { UserError } from "../user_error.ts";
import { hostText } from "./page_address.ts";

/** How requests are answered. */
export interface HttpHandlers {
  readonly answer: (request: Request) => Response | Promise<Response>;
  /** What is answered where that throws. */
  readonly onError: (error: unknown) => Response | Promise<Response>;
}

/**
 * Listens for requests.
 *
 * @param place Where the user said so, for messages: an option, or a place in a file.
 * @param tls Certificate and key as PEM; `null` for HTTP.
 * @throws {UserError} when it can't listen there.
 */
export function listenHttp(
  place: string,
  address: HttpAddress,
  tls: { readonly cert: string; readonly key: string } | null,
  { answer, onError }: HttpHandlers,
): Deno.HttpServer<Deno.NetAddr> {
  const { hostname, port } = address;
  try {
    return Deno.serve({ hostname, port, onListen: () => {}, onError, ...tls }, answer);
  } catch (error) {
    throw listenError(`${place} ${hostText(address)}`, error);
  }
}

function listenError(what: string, error: unknown): unknown {
  if (error instanceof Deno.errors.AddrInUse) {
    return new UserError(`${what}: another program listens there: name another port`);
  }
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
    return new UserError(`${what}: no permission to listen there`);
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return new UserError(`${what}: this host has no such address`);
  }
  const message = error instanceof Error ? error.message : String(error);
  return new UserError(`${what}: ${message}`, 1, { cause: error });
}
