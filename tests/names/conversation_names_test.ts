import assert from "node:assert/strict";
import { RECORD_NAME, RECORD_WORDS } from "../../src/model/record_batch.ts";
import { CarriedNameNumbers } from "../../src/names/carried_name_numbers.ts";
import { ConversationNames } from "../../src/names/conversation_names.ts";
import { TestEngine } from "../engine/test_engine.ts";
import { ACK, type Bytes, FIN, ip, ipUdp, PSH, SYN, tcp, udp } from "../packets.ts";
import { clientHello, crypto, initial, records } from "./hellos.ts";

const CLIENT = "10.0.0.7";
const SERVER = "192.0.2.10";
const SECONDS = 1_700_000_000;
const HELLO = records(clientHello("www.example.com", { keyShare: 1800 }));

/** An engine that reads names, and the names of its conversations. */
class Named {
  readonly numbers = new CarriedNameNumbers();
  readonly reader = new ConversationNames(this.numbers);
  readonly found: string[] = [];
  readonly #test = new TestEngine({
    firstPayloadReader: this.reader,
    onRecords: ({ words, count }) => {
      for (let at = 0; at < count * RECORD_WORDS; at += RECORD_WORDS) {
        const names = this.numbers.at(words[at + RECORD_NAME]);
        this.found.push(names.map(({ by, name }) => `${by} ${name}`).join(", "));
      }
    },
  });

  take(...packets: Bytes[]): this {
    this.#test.take(SECONDS, ...packets);
    return this;
  }

  /** The names of each conversation. */
  names(): string[] {
    this.#test.engine.endRecords();
    return this.found;
  }
}

/** A segment of the client's, or of the server's, `at` bytes after the beginning of the stream. */
function segment(payload: Uint8Array | string, at = 0, port = 443, clientPort = 40_000): Bytes {
  return stream(tcp(clientPort, port, PSH | ACK, payload), at, CLIENT, SERVER);
}
const answer = (payload: Uint8Array | string, at = 0, port = 443) =>
  stream(tcp(port, 40_000, PSH | ACK, payload), at, SERVER, CLIENT);
const syn = (port = 443) => stream(tcp(40_000, port, SYN), -1, CLIENT, SERVER);
const synAck = (port = 443) => stream(tcp(port, 40_000, SYN | ACK), -1, SERVER, CLIENT);

function stream(header: Bytes, at: number, from: string, to: string): Bytes {
  new DataView(header.buffer).setUint32(4, (0xffff_ff00 + at) >>> 0);
  return ip(from, to, header);
}

Deno.test("Engine has the name of a ClientHello that comes in several segments", () => {
  const [first, rest] = [HELLO.subarray(0, 1400), HELLO.subarray(1400)];
  const named = new Named().take(syn(), synAck(), segment(first), segment(rest, 1400));
  assert.deepEqual(named.take(answer("later"), segment("later", 2000)).names(), [
    "sni www.example.com",
  ]);
});

Deno.test("Engine has the name of a ClientHello whose second segment comes first", () => {
  const [first, rest] = [HELLO.subarray(0, 1400), HELLO.subarray(1400)];
  const named = new Named().take(syn(), synAck(), segment(rest, 1400), segment(first));
  assert.deepEqual(named.names(), ["sni www.example.com"]);
});

Deno.test("Engine has the names of TLS that begins after commands, and behind a proxy", () => {
  const smtp = new Named().take(
    ...[answer("220 mail\r\n", 0, 25), segment("EHLO x\r\n", 0, 25), answer("250 OK\r\n", 10, 25)],
    ...[segment("STARTTLS\r\n", 8, 25), answer("220 OK\r\n", 18, 25), segment(HELLO, 18, 25)],
  );
  assert.deepEqual(smtp.names(), ["sni www.example.com"]);
  const request = "CONNECT www.example.com:443 HTTP/1.1\r\nHost: www.example.com:443\r\n\r\n";
  const proxied = new Named().take(
    ...[segment(request, 0, 3128), answer("HTTP/1.1 200 OK\r\n\r\n", 0, 3128)],
    segment(HELLO, request.length, 3128),
  );
  assert.deepEqual(proxied.names(), ["http-host www.example.com, sni www.example.com"]);
});

Deno.test("Engine has the name of QUIC whose hello comes in two datagrams", () => {
  const hello = clientHello("quic.example", { keyShare: 1800 });
  const datagrams = [
    initial(crypto(1000, hello.subarray(1000))),
    initial(crypto(0, hello.subarray(0, 1000))),
  ];
  const packets = datagrams.map((it) => ipUdp(CLIENT, SERVER, udp(40_000, 443, it)));
  assert.deepEqual(new Named().take(...packets).names(), ["quic-sni quic.example"]);
});

Deno.test("Engine reads the name of the next connection from the same ports again", () => {
  const other = records(clientHello("other.example"));
  const fin = ip(CLIENT, SERVER, tcp(40_000, 443, FIN | ACK));
  const named = new Named().take(syn(), synAck(), segment(HELLO), fin, syn(), synAck());
  assert.deepEqual(named.take(segment(other)).names(), [
    "sni www.example.com",
    "sni other.example",
  ]);
});

Deno.test("Engine leaves payloads alone that begin as nothing with a name, and later ones", () => {
  const named = new Named().take(syn(), synAck(), segment("SSH-2.0-x\r\n"));
  for (let i = 0; i < 10; i++) named.take(segment("more", 100 + i));
  assert.deepEqual(named.take(segment(HELLO, 200)).names(), [""]);
  assert.deepEqual(named.reader.statistics().found, { "sni": 0, "quic-sni": 0, "http-host": 0 });
});

Deno.test("Engine gives up a ClientHello of which a part is never seen", () => {
  const named = new Named().take(syn(), synAck(), segment(HELLO.subarray(0, 500)));
  for (let i = 0; i < 80; i++) named.take(segment("x".repeat(20), 20_000 + 20 * i));
  assert.deepEqual(named.take(segment(HELLO)).names(), [""]);
});

Deno.test("CarriedNameNumbers gives the same names the same number, and forgets the oldest", () => {
  const numbers = new CarriedNameNumbers(10);
  const name = (text: string) =>
    ({ by: "sni", name: text, protocols: [], encryptedHello: null }) as const;
  const first = numbers.with(0, name("a.example"));
  assert.equal(numbers.with(0, name("a.example")), first);
  assert.equal(numbers.with(first, name("a.example")), first);
  const both = numbers.with(first, name("b.example"));
  assert.deepEqual(numbers.at(both).map((it) => it.name), ["a.example", "b.example"]);
  for (let i = 0; i < 20; i++) numbers.with(0, name(`${i}.example`));
  assert.deepEqual(numbers.at(first), []);
});
