import { UserError, WRONG_USAGE } from "../user_error.ts";
import { isLoopback, type PageAddress } from "./page_address.ts";
import type { AccessOptions } from "./access.ts";

/** Options of the command line that are about the page. */
export interface PageCommandOptions {
  readonly listen?: PageAddress;
  readonly token?: string;
  /** What the first line of the file is. */
  readonly tokenFile?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** Names under which the page is reached besides that of the address. */
  readonly host?: readonly string[];
}

/** How a page is served, as its thread is told it. */
export interface PageSettings extends AccessOptions {
  /** Certificate and key as PEM; `null` for HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
}

const TOKEN_BYTES = 18;

/**
 * How the page is served. Beyond this host nobody sees it without a token: one is made where none is
 * given.
 *
 * @throws {UserError} when the options don't belong together, or certificate or key can't be read.
 */
export function pageSettings(options: PageCommandOptions, address: PageAddress): PageSettings {
  const tls = readTls(options);
  if (options.token !== undefined && options.tokenFile !== undefined) {
    throw new UserError("--token and --token-file exclude each other: leave one out", WRONG_USAGE);
  }
  return {
    address,
    token: givenToken(options) ?? (isLoopback(address) ? null : madeToken()),
    hosts: (options.host ?? []).map((it) => it.toLowerCase()),
    isTls: tls !== null,
    tls,
  };
}

/** The token that the user has chosen, if there is one. */
export function givenToken({ token, tokenFile }: PageCommandOptions): string | undefined {
  return token ?? tokenFile;
}

/** @throws {UserError} when an option is given that is about a page, and there is none. */
export function refuseWithoutListen(
  { listen, token, tokenFile, tlsCert, tlsKey, host }: PageCommandOptions,
): void {
  if (listen !== undefined) return;
  const given = Object.entries({
    "--token": token,
    "--token-file": tokenFile,
    "--tls-cert": tlsCert,
    "--tls-key": tlsKey,
    "--host": host,
  })
    .find(([, value]) => value !== undefined);
  if (given === undefined) return;
  throw new UserError(`${given[0]} is about the page: add --listen`, WRONG_USAGE);
}

function readTls({ tlsCert, tlsKey }: PageCommandOptions): PageSettings["tls"] {
  if (tlsCert === undefined && tlsKey === undefined) return null;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new UserError("--tls-cert and --tls-key belong together: give both", WRONG_USAGE);
  }
  return {
    cert: readPem("--tls-cert", tlsCert, /-----BEGIN CERTIFICATE-----/, "a certificate"),
    key: readPem("--tls-key", tlsKey, /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/, "a private key"),
  };
}

function readPem(option: string, path: string, form: RegExp, what: string): string {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    throw new UserError(`${option} ${path}: ${(error as Error).message}`, 1, { cause: error });
  }
  if (form.test(text)) return text;
  throw new UserError(
    `${option} ${path}: there is no ${what.replace(/^a /, "")} in it: name a file in PEM form`,
  );
}

function madeToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(TOKEN_BYTES));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}
