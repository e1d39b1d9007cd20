import type { PasswordSource } from "../sink/password_source.ts";
import { UserError } from "../user_error.ts";

/** Where a ClickHouse is, and how to log in there. */
export interface ClickHouseAddress {
  /** Host name or address, without brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly user: string;
  readonly password?: string;
  /** Holds the password, in the place of `password`. */
  readonly passwordFile?: PasswordSource;
  readonly database: string;
  /** PEM file of the certification authorities to trust in the place of the built-in ones. */
  readonly caFile?: string;
  /** The URL without what must not be seen in a log. */
  readonly text: string;
}

const FORM = "write https://[[user][:password]@]host[:port][/database][?cacert=FILE]";
/** Ports of ClickHouse's HTTP interface. */
const HTTP_PORT = 8123;
const HTTPS_PORT = 8443;
/** Where the URL names no database. */
const DEFAULT_DATABASE = "flosensor";
/** What may stand in statements as it is. */
const DATABASE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/**
 * Reads the URL of a ClickHouse's HTTP interface, `https://[[user][:password]@]host[:port][/database]`.
 * Names and passwords are percent-encoded.
 *
 * @param place Where the user wrote it, such as `--clickhouse` or `config.ts:3`.
 * @param passwordFile Holds the password, if the URL has none.
 * @throws {UserError} when it is none. The message has no part of the URL, as any may be a password.
 */
export function parseClickHouseUrl(
  url: string,
  place: string,
  passwordFile?: PasswordSource,
): ClickHouseAddress {
  const fail = (what: string, remedy = FORM): never => {
    throw new UserError(`${place}: the URL ${what}: ${remedy}`);
  };
  if (!/^https?:\/\//i.test(url)) return fail("is none of a ClickHouse");
  if (!URL.canParse(url)) {
    return fail("can't be read (percent-encode what is special in names and passwords)");
  }
  const parsed = new URL(url);
  if (parsed.hash !== "") fail("has a # (in a name or password it is %23)");
  // What stands before it may be a piece of a password.
  if (`${parsed.pathname}${parsed.search}`.includes("@")) {
    fail("has an @ behind the host (in a name or password it is %40)");
  }
  const database = parsed.pathname.replace(/^\/|\/$/g, "") || DEFAULT_DATABASE;
  if (!DATABASE_NAME.test(database)) {
    fail("has no name of a database behind the host", "it is of letters, digits and _");
  }
  for (const name of parsed.searchParams.keys()) {
    if (name !== "cacert") fail("has an unknown setting (known is cacert)");
  }
  const decoded = (text: string): string => {
    try {
      return decodeURIComponent(text);
    } catch {
      return fail("has a percent sign that begins no encoded byte (itself it is %25)");
    }
  };
  const password = decoded(parsed.password);
  const isRefused = passwordFile !== undefined && !passwordFile.isFallback && password !== "";
  if (isRefused) {
    fail(
      `has a password, and ${passwordFile!.place} names a file with one`,
      "leave one of them out",
    );
  }
  const tls = parsed.protocol === "https:";
  const caFile = parsed.searchParams.get("cacert");
  if (caFile !== null && !tls) fail("has cacert and no TLS", "begin it with https://");
  const port = portOf(url, parsed);
  if (port === 0) fail("has port 0");
  const host = decoded(parsed.hostname).replace(/^\[(.*)\]$/, "$1");
  const user = decoded(parsed.username) || "default";
  const login = parsed.username === "" ? "" : `${parsed.username}${password === "" ? "" : ":***"}@`;
  return {
    host,
    port,
    tls,
    user,
    ...(password === "" ? { passwordFile } : { password }),
    database,
    ...(caFile === null ? {} : { caFile }),
    text: `${parsed.protocol}//${login}${parsed.hostname}:${port}/${database}`,
  };
}

/** That of ClickHouse where none is written; `URL` leaves those of the web out. */
function portOf(url: string, { port, protocol }: URL): number {
  if (port !== "") return Number(port);
  const isHttps = protocol === "https:";
  const [, written] = /^[a-z]+:\/\/[^/?]*:(\d+)(?:[/?]|$)/i.exec(url) ?? [];
  if (written !== undefined && Number(written) === (isHttps ? 443 : 80)) return Number(written);
  return isHttps ? HTTPS_PORT : HTTP_PORT;
}
