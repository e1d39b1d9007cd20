/** Whom a Redis over TLS is believed, and whom it believes, with a real server. */
import assert from "node:assert/strict";
import { RedisSink } from "../../src/sink/redis_sink.ts";
import { makeAuthority, makeCertificate, makeCertificates } from "../certificates.ts";
import { MemoryLog } from "../memory_log.ts";
import { clients } from "../observations.ts";
import { HAS_REDIS_SERVER, NO_REDIS_SERVER, RedisServer, unusedPort } from "../redis_server.ts";

const CAPTURE = { ttl: 900, mode: "capture" } as const;
const REPLAY = { ttl: 900, mode: "replay" } as const;

/** Runs a test with a server that shows a certificate, and asks for one or not. */
function tlsTest(
  name: string,
  certificate: string,
  test: (url: string, folder: string, server: RedisServer) => Promise<void>,
  asksForCertificate = false,
  more: readonly string[] = [],
): void {
  Deno.test({
    name: name + NO_REDIS_SERVER,
    ignore: !HAS_REDIS_SERVER,
    fn: async () => {
      const folder = await Deno.makeTempDir({ prefix: "flosensor-tls-" });
      try {
        await makeCertificates(folder);
        await makeAuthority(folder, "other-ca");
        await makeCertificate({ folder, name: "other", names: "DNS:other.example" });
        await makeCertificate({ folder, name: "expired", days: -1 });
        await makeCertificate({ folder, name: "stranger", authority: "other-ca" });
        const port = await unusedPort();
        await using server = await RedisServer.start([
          ...["--tls-port", String(port), "--tls-ca-cert-file", `${folder}/ca.pem`],
          ...["--tls-cert-file", `${folder}/${certificate}.pem`],
          ...["--tls-key-file", `${folder}/${certificate}.key`],
          ...["--tls-auth-clients", asksForCertificate ? "yes" : "no", ...more],
        ]);
        await test(`rediss://localhost:${port}?cacert=${folder}/ca.pem`, folder, server);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

/** With what it was refused, which has to be the same for a capture and a replay. */
async function refusal(url: string): Promise<string> {
  const messages: string[] = [];
  for (const options of [CAPTURE, REPLAY]) {
    await assert.rejects(async () => {
      const sink = await RedisSink.connect(url, options, new MemoryLog());
      await sink.close();
    }, (error: Error) => {
      // How many seconds ago is another number a moment later.
      const message = error.message.replace(/^Redis at rediss:\S+: /, "");
      messages.push(message.replace(/\d+(?= seconds ago)/, "some"));
      return true;
    });
  }
  assert.equal(messages[0], messages[1]);
  return messages[0];
}

async function writes(url: string, server: RedisServer): Promise<void> {
  const sink = await RedisSink.connect(url, REPLAY, new MemoryLog());
  sink.write(clients(3));
  await sink.close();
  assert.equal(await server.cli("DBSIZE"), "3");
}

tlsTest(
  "a server that the named authority vouches for is believed",
  "server",
  async (url, _, server) => {
    await writes(url, server);
    await writes(url.replace("localhost", "127.0.0.1"), server);
  },
);

tlsTest("a server of another name is refused", "other", async (url) => {
  for (const host of ["localhost", "127.0.0.1"]) {
    assert.match(
      await refusal(url.replace("localhost", host)),
      /^its certificate is not trusted \(.*: localhost\. .*DNS:other\.example\)$|IP: 127\.0\.0\.1 is/,
    );
  }
});

tlsTest("a server whose certificate has expired is refused", "expired", async (url) => {
  assert.match(
    await refusal(url),
    /^its certificate is not trusted \(certificate expired some seconds ago\)$/,
  );
});

tlsTest("a server of another authority is refused", "stranger", async (url) => {
  const untrusted = "its certificate is not trusted (unknown issuer)";
  assert.equal(await refusal(url), untrusted);
  assert.equal(
    await refusal(url.replace(/\?.*/, "")),
    `${untrusted}: name its authority's file with ?cacert=FILE`,
  );
});

tlsTest(
  "a server that asks for a certificate gets ours, and refuses any other",
  "server",
  async (url, folder, server) => {
    const login = (certificate: string, key = certificate) =>
      `${url}&cert=${folder}/${certificate}.pem&key=${folder}/${key}.key`;
    await writes(login("client"), server);
    assert.match(
      await refusal(url),
      /^it asks for our certificate \(.*\): name it with \?cert=FILE&key=FILE$/,
    );
    for (const [name, reason] of [["stranger", "UnknownCA"], ["expired", "CertificateExpired"]]) {
      assert.equal(
        await refusal(login(name)),
        `it refuses our certificate (received fatal alert: ${reason}): ${folder}/${name}.pem has ` +
          "to be valid, and of an authority that it trusts",
      );
    }
    assert.equal(
      await refusal(login("client", "server")),
      `${folder}/server.key is not the key of ${folder}/client.pem`,
    );
    assert.match(
      await refusal(`${url}&cert=${folder}/client.pem&key=${folder}/client.pem`),
      /client\.pem: it can't be used \(.*\): name a PEM file$/,
    );
  },
  true,
);

tlsTest(
  "RedisSink writes to a cluster over TLS",
  "server",
  async (url, _, server) => {
    await server.cli("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    for (const scheme of ["rediss", "rediss-cluster"]) {
      const sink = await RedisSink.connect(url.replace("rediss", scheme), CAPTURE, new MemoryLog());
      sink.write(clients(100));
      await sink.close();
      assert.equal(sink.lost, 0);
    }
    assert.equal(await server.cli("GET", "client;10.0.0.99"), "2");
  },
  false,
  [
    "--cluster-enabled",
    "yes",
    "--cluster-port",
    String(await unusedPort()),
    "--tls-cluster",
    "yes",
  ],
);
