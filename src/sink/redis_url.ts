import { UserError } from "../user_error.ts";
import type { PasswordSource } from "./password_source.ts";

/** A host and a port that it listens on. */
export interface RedisHost {
  /** Host name or address, without brackets. */
  host: string;
  port: number;
}

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
  /** Holds the password, in the place of `password`. */
  passwordFile?: PasswordSource;
  /** Number of the database. */
  database: number;
  /** PEM file of the certification authorities to trust in the place of the built-in ones. */
  caFile?: string;
  /** PEM file of the certificate that we show, where the server asks for one. */
  certificateFile?: string;
  /** PEM file of its private key. */
  keyFile?: string;
  /** Nodes of a Redis Cluster, from which the others are learned; the first is `host` and `port`. */
  nodes?: readonly RedisHost[];
  /** The Sentinels that say where the Redis is; the first is `host` and `port`. */
  sentinels?: readonly RedisHost[];
  /** What these call the Redis. */
  master?: string;
  /** The URL without what must not be seen in a log. */
  text: string;
}

const DEFAULT_PORT = 6379;
const SENTINEL_PORT = 26379;
/** Those of TCP, and whether they are over TLS. */
const TCP_SCHEMES = new Map([
  ["redis:", false],
  ["rediss:", true],
  ["redis-cluster:", false],
  ["rediss-cluster:", true],
  ["redis-sentinel:", false],
  ["rediss-sentinel:", true],
]);
/** Those in which several hosts may be named. */
const CLUSTER_SCHEME = /^rediss?-cluster:$/;
const SENTINEL_SCHEME = /^rediss?-sentinel:$/;
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
const CLUSTER_FORM = "redis-cluster://[[user]:password@]host[:port][,host[:port]]…";
const SENTINEL_FORM = "redis-sentinel://[[user]:password@]host[:port][,host[:port]]…/name[/db]";
/** What the Redis of a Sentinel may be called, and the database. */
const MASTER_PATH = /^\/([\w.-]+)(?:\/(\d{1,9}))?$/;
/** A list of hosts, behind a login if there is one. */
const HOST_LIST = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*@)?([^/?#@]*)/i;

/** A URL of another kind, or a host with a port, in which there is no place for a password. */
const WITHOUT_LOGIN =
  /^([a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+(:\d{1,5})?(,[a-z0-9.-]+(:\d{1,5})?)*|[a-z0-9.-]+:\d{1,5})?$/i;
/** One with a login and nothing behind the host; its password has what one may have, RFC 3986, 3.2.1. */
const WITH_LOGIN =
  /^([a-z][a-z0-9+.-]*:\/\/)([\w.~%-]*):[\w.~%!$&'()*+,;=-]+@([a-z0-9.-]+(?::\d{1,5})?)$/i;
/** Files are named, and not put into the URL. */
const FILE_CONTENT = "-----BEGIN";

/**
 * Reads a Redis URL, in the forms that redis-cli, redis-py and node-redis take:
 *
 * - `redis://[[user]:password@]host[:port][/db]`, IPv6 addresses in brackets
 * - `rediss://…`, the same with TLS; `?cacert=FILE`, `&cert=FILE&key=FILE`
 * - `unix:///path[?db=n]`, also `redis+unix:`, `redis+socket:` and `redis-socket:`
 * - `redis-cluster://host,host:port`, some nodes of a Redis Cluster, and `rediss-cluster:`
 * - `redis-sentinel://host,host:port/name[/db]`, Sentinels and what they call the Redis, and
 *   `rediss-sentinel:`
 *
 * `db`, `username` and `password` may be given in the query as well. Names and passwords are
 * percent-encoded. A single word before the `@` is the password, as with redis-cli, unless the password
 * is elsewhere.
 *
 * @param url The URL.
 * @param place Where the user wrote it, such as `--redis` or `config.ts:3`, for the error message.
 * @param passwordFile Holds the password, if the URL has none.
 * @throws {UserError} when it is none of these. The message has nothing of a URL in which a password
 * may stand where it can't be told from the rest.
 */
export function parseRedisUrl(
  url: string,
  place: string,
  passwordFile?: PasswordSource,
): RedisAddress {
  return new RedisUrl(url, place).address(passwordFile);
}

/** A URL as it is read. */
class RedisUrl {
  readonly #url: string;
  readonly #place: string;
  readonly #scheme: string;
  /** What may be shown of it in an error. */
  #shown = "the URL";
  /** Whether parts of it may be shown. */
  #isClear = false;
  /** Hosts behind the first. */
  #otherHosts: readonly string[] = [];

  constructor(url: string, place: string) {
    this.#url = url;
    this.#place = place;
    this.#scheme = /^[a-z][a-z0-9+.-]*:(?=\/\/)/i.exec(url)?.[0].toLowerCase() ?? "";
    if (WITHOUT_LOGIN.test(url)) this.#shown = url === "" ? '""' : url;
    else if (WITH_LOGIN.test(url)) this.#shown = url.replace(WITH_LOGIN, "$1$2:***@$3");
  }

  address(passwordFile: PasswordSource | undefined): RedisAddress {
    const isUnix = UNIX_SCHEMES.includes(this.#scheme);
    if (!isUnix && !TCP_SCHEMES.has(this.#scheme)) this.#fail("is no Redis URL");
    const parsed = this.#parsed(isUnix);
    const hosts = [parsed.host, ...this.#otherHosts].join();
    const place = isUnix ? this.#socketPath() : `${hosts}${parsed.pathname}`;
    const login = loginText(parsed, this.#url);
    const text = `${this.#scheme}//${login}${place}${queryText(parsed)}`;
    // An @ behind the host may be that before the host, and what precedes it a piece of a password.
    this.#isClear = !`${isUnix ? "" : parsed.pathname}${parsed.search}${parsed.hash}`.includes("@");
    this.#shown = this.#isClear ? text : "the URL";
    if (parsed.hash !== "") this.#fail("has a # (in a name or password it is %23)");
    const address: RedisAddress = {
      host: "",
      port: 0,
      tls: TCP_SCHEMES.get(this.#scheme) ?? false,
      database: 0,
      text,
    };
    if (isUnix) address.socketPath = this.#decoded(parsed.pathname);
    else {
      this.#setHost(address, parsed);
      this.#setHosts(address);
      this.#setDatabase(address, parsed);
    }
    this.#setLogin(address, parsed, passwordFile !== undefined);
    this.#setFromQuery(address, parsed);
    if ((address.certificateFile === undefined) !== (address.keyFile === undefined)) {
      this.#fail("names one of cert and key", "name both, cert=FILE&key=FILE, or none");
    }
    if (passwordFile === undefined) return address;
    if (address.password === undefined) return { ...address, passwordFile };
    if (passwordFile.isFallback) return address;
    return this.#fail(
      `has a password, and ${passwordFile.place} names a file with one`,
      "leave one of them out",
    );
  }

  #fail(what: string, remedy = `write ${FORMS}`): never {
    throw new UserError(`${this.#place}: ${this.#shown} ${what}: ${remedy}`);
  }

  #parsed(isUnix: boolean): URL {
    const url = isUnix ? this.#withHost() : this.#withFirstHost();
    try {
      return new URL(url);
    } catch {
      return this.#fail("can't be read (percent-encode what is special in names and passwords)");
    }
  }

  /** What stands before the path of a socket is a user; URLs can't have one without a host. */
  #withHost(): string {
    const parts = /^[^:]*:\/\/([^/]*@)?(\/[^?#].*)$/.exec(this.#url);
    return parts === null
      ? this.#fail("names no socket")
      : `${this.#scheme}//${parts[1] ?? ""}socket${parts[2]}`;
  }

  /** URLs have one host. */
  #withFirstHost(): string {
    const [head, scheme, login = "", list] = HOST_LIST.exec(this.#url)!;
    const [first, ...others] = list.split(",");
    if (others.length === 0) return this.#url;
    if (!this.#isOfMany) {
      this.#fail("names more than one host", `write ${CLUSTER_FORM} or ${SENTINEL_FORM}`);
    }
    this.#otherHosts = others;
    return `${scheme}${login}${first}${this.#url.slice(head.length)}`;
  }

  /** Whether it may name more than one host. */
  get #isOfMany(): boolean {
    return CLUSTER_SCHEME.test(this.#scheme) || SENTINEL_SCHEME.test(this.#scheme);
  }

  /** As it is written, behind the user. */
  #socketPath(): string {
    return /^[^:]*:\/\/(?:[^/]*@)?([^?#]*)/.exec(this.#url)![1];
  }

  #setHost(address: RedisAddress, parsed: URL): void {
    address.host = this.#decoded(parsed.hostname).replace(/^\[(.*)\]$/, "$1") || "localhost";
    const isSentinel = SENTINEL_SCHEME.test(this.#scheme);
    const defaultPort = isSentinel ? SENTINEL_PORT : DEFAULT_PORT;
    address.port = parsed.port === "" ? defaultPort : Number(parsed.port);
    if (address.port === 0) this.#fail("has port 0");
  }

  /** Sets the hosts of a URL that may name more than one. */
  #setHosts(address: RedisAddress): void {
    if (!this.#isOfMany) return;
    const hosts: RedisHost[] = [{ host: address.host, port: address.port }];
    for (const other of this.#otherHosts) {
      const host = { host: "", port: 0 };
      if (other === "" || !URL.canParse(`redis://${other}`)) {
        this.#fail("has an empty or wrong host");
      }
      this.#setHost(host as RedisAddress, new URL(`redis://${other}`));
      hosts.push(host);
    }
    if (CLUSTER_SCHEME.test(this.#scheme)) address.nodes = hosts;
    else address.sentinels = hosts;
  }

  #setDatabase(address: RedisAddress, parsed: URL): void {
    if (address.sentinels !== undefined) {
      const [, master, database] = MASTER_PATH.exec(parsed.pathname) ?? [];
      if (master === undefined) {
        this.#fail("does not say what its Sentinels call the Redis", `write ${SENTINEL_FORM}`);
      }
      address.master = master;
      if (database !== undefined) address.database = Number(database);
      return;
    }
    const path = parsed.pathname.replace(/^\//, "");
    if (path === "") return;
    address.database = this.#databaseNumber(path);
  }

  #setLogin(address: RedisAddress, parsed: URL, hasPasswordFile: boolean): void {
    const username = this.#decoded(parsed.username);
    const password = this.#decoded(parsed.password);
    const isElsewhere = hasPasswordFile || parsed.searchParams.has("password");
    if (username !== "" && password === "" && !isElsewhere) {
      address.password = username;
    } else {
      if (username !== "") address.username = username;
      if (password !== "") address.password = password;
    }
  }

  #setFromQuery(address: RedisAddress, parsed: URL): void {
    for (const [name, value] of parsed.searchParams) {
      const field = QUERY_NAMES.get(name);
      if (field === undefined) this.#failUnknown(name, value);
      else if (field === "database") address.database = this.#databaseNumber(value);
      else if (value.includes(FILE_CONTENT)) {
        this.#fail(`has the content of a file for ${name}`, `write ${name}=FILE`);
      } else Object.assign(address, { [field]: value });
    }
  }

  #failUnknown(name: string, value: string): never {
    const shown = this.#isClear && isSetting(name, value) ? ` ${name}` : "";
    this.#fail(`has an unknown setting${shown} (known are ${[...QUERY_NAMES.keys()].join(", ")})`);
  }

  #databaseNumber(text: string): number {
    if (/^\d{1,9}$/.test(text)) return Number(text);
    const shown = this.#isClear ? JSON.stringify(text) : "something else";
    return this.#fail(`has ${shown} where a database number goes`);
  }

  #decoded(text: string): string {
    try {
      return decodeURIComponent(text);
    } catch {
      return this.#fail(
        "has a percent sign that begins no encoded byte (a percent sign itself is %25)",
      );
    }
  }
}

/**
 * Stars for the password, and the user, if that is no part of it: what follows is encoded as it should
 * be, so that its first colon is the one behind the user.
 */
function loginText({ username, password }: URL, written: string): string {
  if (username === "" && password === "") return "";
  const isEncoded = written.includes(`//${username}:${password}@`);
  return password !== "" && isEncoded ? `${username}:***@` : "***@";
}

function queryText({ searchParams }: URL): string {
  const shown = [...searchParams].map(([name, value]) => {
    const field = QUERY_NAMES.get(name);
    const isSecret = field === undefined || field === "password" || value.includes(FILE_CONTENT);
    if (!isSecret) return `${name}=${value}`;
    return isSetting(name, value) ? `${name}=***` : "***";
  });
  return shown.length === 0 ? "" : `?${shown.join("&")}`;
}

/** Whether this is one, known or not. Without a value it may be a part of a password with a question mark. */
function isSetting(name: string, value: string): boolean {
  return value !== "" && /^[a-z_-]+$/i.test(name);
}
