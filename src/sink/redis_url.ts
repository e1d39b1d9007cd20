import { UserError } from "../user_error.ts";

/** Where a Redis is, and how to log in there. */
export interface RedisAddress {
  /** Host name or address, without brackets. Empty for a Unix socket. */
  host: string;
  /** TCP port. 0 for a Unix socket. */
  port: number;
  /** Path of the Unix socket, or `undefined` for TCP. */
  socketPath?: string;
  tls: boolean;
  username?: string;
  password?: string;
  /** Number of the database. */
  database: number;
  /** PEM file of the certification authorities to trust in the place of the built-in ones. */
  caFile?: string;
  /** PEM file of the certificate that we show, where the server asks for one. */
  certificateFile?: string;
  /** PEM file of its private key. */
  keyFile?: string;
  /** The URL without what must not be seen in a log. */
  text: string;
}

const DEFAULT_PORT = 6379;
const TCP_SCHEMES = new Map([["redis:", false], ["rediss:", true]]);
/** What redis-py, node-redis and others call a Unix socket. */
const UNIX_SCHEMES = ["unix:", "redis+unix:", "redis+socket:", "redis-socket:"];
/** Query names, those of redis-cli's options first, then redis-py's for the same. */
const QUERY_NAMES = new Map<string, keyof RedisAddress>([
  ["db", "database"],
  ["username", "username"],
  ["password", "password"],
  ["cacert", "caFile"],
  ["ssl_ca_certs", "caFile"],
  ["cert", "certificateFile"],
  ["ssl_certfile", "certificateFile"],
  ["key", "keyFile"],
  ["ssl_keyfile", "keyFile"],
]);
const FORMS = "redis://[[user]:password@]host[:port][/db], rediss://… or unix:///path[?db=n]";

/**
 * Reads a Redis URL, in the forms that redis-cli, redis-py and node-redis take:
 *
 * - `redis://[[user]:password@]host[:port][/db]`, IPv6 addresses in brackets
 * - `rediss://…`, the same with TLS; `?cacert=FILE`, `&cert=FILE&key=FILE`
 * - `unix:///path[?db=n]`, also `redis+unix:`, `redis+socket:` and `redis-socket:`
 *
 * `db`, `username` and `password` may be given in the query as well. Names and passwords are
 * percent-encoded. A single word before the `@` is the password, as with redis-cli.
 *
 * @param url The URL.
 * @param place Where the user wrote it, such as `--redis` or `config.ts:3`, for the error message.
 * @throws {UserError} when it is none of these.
 */
export function parseRedisUrl(url: string, place: string): RedisAddress {
  const fail = (what: string): never => {
    const shown = url === "" ? '""' : withoutPassword(url);
    throw new UserError(`${place}: ${shown} ${what}: write ${FORMS}`);
  };
  const scheme = /^[a-z][a-z0-9+.-]*:(?=\/\/)/i.exec(url)?.[0].toLowerCase() ?? "";
  const isUnix = UNIX_SCHEMES.includes(scheme);
  if (!isUnix && !TCP_SCHEMES.has(scheme)) fail("is no Redis URL");
  const parsed = parseUrl(isUnix ? withHost(url, scheme, fail) : url, fail);
  const address: RedisAddress = {
    host: "",
    port: 0,
    tls: TCP_SCHEMES.get(scheme) ?? false,
    database: 0,
    text: withoutPassword(url),
  };
  if (isUnix) {
    address.socketPath = decode(parsed.pathname, fail);
  } else {
    setHost(address, parsed, fail);
  }
  setLogin(address, parsed, fail);
  setFromQuery(address, parsed, fail);
  return address;
}

type Fail = (what: string) => never;

function parseUrl(url: string, fail: Fail): URL {
  try {
    return new URL(url);
  } catch {
    return fail("can't be read (percent-encode what is special in names and passwords)");
  }
}

/** What stands before the path of a socket is a user; URLs can't have one without a host. */
function withHost(url: string, scheme: string, fail: Fail): string {
  const parts = /^[^:]*:\/\/([^/]*@)?(\/[^?#].*)$/.exec(url);
  return parts === null ? fail("names no socket") : `${scheme}//${parts[1] ?? ""}socket${parts[2]}`;
}

function setHost(address: RedisAddress, parsed: URL, fail: Fail): void {
  address.host = decode(parsed.hostname, fail).replace(/^\[(.*)\]$/, "$1") || "localhost";
  address.port = parsed.port === "" ? DEFAULT_PORT : Number(parsed.port);
  if (address.port === 0) fail("has port 0");
  const path = parsed.pathname.replace(/^\//, "");
  if (path !== "") address.database = databaseNumber(path, fail);
}

function setLogin(address: RedisAddress, parsed: URL, fail: Fail): void {
  const username = decode(parsed.username, fail);
  const password = decode(parsed.password, fail);
  const onlyWord = password === "" && !parsed.searchParams.has("password");
  if (username !== "" && onlyWord) {
    address.password = username;
  } else {
    if (username !== "") address.username = username;
    if (password !== "") address.password = password;
  }
}

function setFromQuery(address: RedisAddress, parsed: URL, fail: Fail): void {
  for (const [name, value] of parsed.searchParams) {
    const field = QUERY_NAMES.get(name);
    if (field === undefined) {
      fail(`has an unknown setting ${name} (known are ${[...QUERY_NAMES.keys()].join(", ")})`);
    } else if (field === "database") {
      address.database = databaseNumber(value, fail);
    } else {
      Object.assign(address, { [field]: value });
    }
  }
}

function databaseNumber(text: string, fail: Fail): number {
  if (!/^\d{1,9}$/.test(text)) fail(`has ${JSON.stringify(text)} where a database number goes`);
  return Number(text);
}

function decode(text: string, fail: Fail): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return fail("has a percent sign that begins no encoded byte (a percent sign itself is %25)");
  }
}

function withoutPassword(url: string): string {
  return url
    .replace(/^([^:]*:\/\/)([^/?#]*:)?.*@/, (_, scheme, user = "") => `${scheme}${user}***@`)
    .replace(/([?&]password=)[^&]*/g, "$1***");
}
