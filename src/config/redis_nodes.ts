import { ConfigError } from "./config_error.ts";

const SETTING = "redis";
/** The parts of a URL: the scheme, the login, the host and port, a path, the query. */
const PARTS = /^(rediss?):\/\/([^/?#]*@)?([^/?#@,]+)(?:\/0?)?(\?[^#]*)?$/i;
const EXAMPLE = 'write ["redis://a:6379", "redis://b:6379"]';

/**
 * The URL of a Redis Cluster, from those of some of its nodes.
 *
 * @throws {ConfigError} when they are not URLs of one cluster. A URL may hold a password, so none is shown.
 */
export function redisNodes(urls: readonly unknown[]): string {
  if (urls.length === 0) throw new ConfigError("there is no node in this list", EXAMPLE);
  const nodes = urls.map((url, i) => {
    const parts = typeof url === "string" ? PARTS.exec(url) : null;
    if (parts !== null) return parts;
    throw new ConfigError(
      "this is not the URL of a node of a Redis Cluster",
      `${EXAMPLE}: without a database, a cluster has one`,
      [SETTING, i],
    );
  });
  const [, scheme, login, , query] = nodes[0];
  nodes.forEach((it, i) => {
    if (it[1] === scheme && it[2] === login && it[4] === query) return;
    throw new ConfigError(
      "this node is logged in to in another way than the first one",
      "all nodes of a cluster have the same users: write the same scheme, login and settings",
      [SETTING, i],
    );
  });
  const hosts = nodes.map(([, , , host]) => host).join();
  return `${scheme.toLowerCase()}-cluster://${login ?? ""}${hosts}${query ?? ""}`;
}
