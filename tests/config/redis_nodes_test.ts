import assert from "node:assert/strict";
import { ConfigError } from "../../src/config/config_error.ts";
import { redisNodes } from "../../src/config/redis_nodes.ts";

Deno.test("redisNodes() makes one URL of those of a cluster's nodes", () => {
  assert.equal(redisNodes(["redis://a:6379", "redis://b/"]), "redis-cluster://a:6379,b");
  assert.equal(
    redisNodes(["rediss://u:p@a?cacert=x", "rediss://u:p@[2001:db8::1]:7000/0?cacert=x"]),
    "rediss-cluster://u:p@a,[2001:db8::1]:7000?cacert=x",
  );
  assert.equal(redisNodes(["redis://a"]), "redis-cluster://a");
});

Deno.test("redisNodes() refuses what is no cluster, and shows nothing of a URL", () => {
  const cases: [unknown[], RegExp][] = [
    [[], /there is no node in this list/],
    [["redis://secret@a", 1], /not the URL of a node .* \(redis\[1\]\)/],
    [["redis://secret@a/3"], /not the URL of a node/],
    [["unix:///secret"], /not the URL of a node/],
    [["redis://a", "redis://:secret@b"], /logged in to in another way .*\(redis\[1\]\)/],
    [["redis://a", "rediss://b"], /logged in to in another way/],
  ];
  for (const [urls, message] of cases) {
    assert.throws(() => redisNodes(urls), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, message);
      return !error.message.includes("secret");
    });
  }
});
