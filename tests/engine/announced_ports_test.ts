/** Ports that are announced in control connections, whose own connections are picked up in the middle. */
import assert from "node:assert/strict";
import { type Config, Initiator, LowerPort, Service } from "../../src/config/mod.ts";
import { KIND_FLOW, WORD_ABOUT, WORD_KIND } from "../../src/model/observation_batch.ts";
import { REASON_NAMES } from "../../src/model/reason.ts";
import { keyText } from "../../src/sink/keys.ts";
import { ACK, ip, ipUdp, PSH, tcp, udp } from "../packets.ts";
import { TestEngine } from "./test_engine.ts";

const NOW = 1_700_000_010;
const RULES: Config = {
  suppressOwnNetwork: false,
  flows: [[null, null, Initiator()], [null, null, Service()], [null, null, LowerPort()]],
};

interface End {
  readonly address: string;
  readonly port: number;
}

const end = (address: string, port: number): End => ({ address, port });
const data = (from: End, to: End, payload: string) =>
  ip(from.address, to.address, tcp(from.port, to.port, PSH | ACK, payload));
const datagram = (from: End, to: End, payload: string) =>
  ipUdp(from.address, to.address, udp(from.port, to.port, payload));

/** The flows, in order, that are not to a port of control connections. */
function flowsOf(engine: TestEngine, control: number): string[] {
  engine.engine.flush();
  return engine.observations.filter((words) => (words[WORD_KIND] & 0xff) === KIND_FLOW)
    .map((words) => `${keyText(words, 0)} ${REASON_NAMES[words[WORD_ABOUT] & 0xff]}`)
    .filter((flow) => !flow.includes(`;${control};`));
}

/** What a connection is attributed as after a message in a control connection. */
function afterMessage(
  control: readonly [End, End],
  message: string,
  connection: readonly [End, End],
  seconds = 1,
  send = data,
): string[] {
  const engine = new TestEngine({ config: RULES });
  engine.take(NOW, send(control[0], control[1], message));
  engine.take(NOW + seconds, send(connection[0], connection[1], "\0\x01\x02"));
  return flowsOf(engine, Math.min(control[0].port, control[1].port));
}

const CLIENT = "10.0.0.1";
const SERVER = "10.0.0.2";
const CLIENT6 = "2001:db8::1";
const SERVER6 = "2001:db8::2";
/** Of two ports that say nothing the lower one is the client's. */
const CLIENT_PORT = 7_001;
const SERVER_PORT = 7_777;
const passive = [end(SERVER, SERVER_PORT), end(CLIENT, CLIENT_PORT)] as const;
const served = `${CLIENT};${SERVER};${SERVER_PORT};flow announced`;

Deno.test("FTP: the port of replies 227 and 229 is that of a service, also at another port than 21", () => {
  for (const port of [21, 2_121]) {
    const control = [end(SERVER, port), end(CLIENT, 50_000)] as const;
    for (
      const message of [
        "227 Entering Passive Mode (10,0,0,2,30,97).\r\n",
        "227 =10,0,0,2,30,97\r\n",
        // Behind a translator: the address that is seen counts too.
        "227 Entering Passive Mode (192,168,9,9,30,97).\r\n",
        "229 Entering Extended Passive Mode (|||7777|)\r\n",
      ]
    ) {
      const engine = new TestEngine({ config: RULES });
      engine.take(NOW, data(control[0], control[1], "220 ready\r\n"));
      engine.take(NOW, data(control[0], control[1], message), data(passive[0], passive[1], "x"));
      assert.deepEqual(flowsOf(engine, port), [served], message);
    }
  }
});

Deno.test("FTP: the server connects to the port that PORT or EPRT names, from port 20", () => {
  const control = [end(CLIENT, 50_000), end(SERVER, 21)] as const;
  const active = [end(SERVER, 20), end(CLIENT, 50_001)] as const;
  const right = [`${SERVER};${CLIENT};50001;flow announced`];
  assert.deepEqual(afterMessage(control, "PORT 10,0,0,1,195,81\r\n", active), right);
  assert.deepEqual(afterMessage(control, "EPRT |1|10.0.0.1|50001|\r\n", active), right);
  const control6 = [end(CLIENT6, 50_000), end(SERVER6, 21)] as const;
  const active6 = [end(SERVER6, 20), end(CLIENT6, 50_001)] as const;
  assert.deepEqual(
    afterMessage(control6, "EPRT |2|2001:db8::1|50001|\r\n", active6),
    [`${SERVER6};${CLIENT6};50001;flow announced`],
  );
});

Deno.test("FTP: port 20 connects, without a control connection too, to however many ports", () => {
  const engine = new TestEngine({ config: RULES });
  for (let port = 50_001; port < 50_009; port++) {
    engine.take(NOW + port - 50_000, data(end(CLIENT, port), end(SERVER, 20), "x"));
  }
  const flows = flowsOf(engine, 0);
  assert.equal(flows.length, 8);
  for (const flow of flows) assert.match(flow, /^10\.0\.0\.2;10\.0\.0\.1;5000\d;flow registered$/);
});

Deno.test("IRC: a direct connection goes to the address and port of the one who offers it", () => {
  const control = [end("10.0.0.9", 6667), end(CLIENT, 50_000)] as const;
  for (const offer of ["SEND a file.txt 167772162 7777 12345", "CHAT chat 167772162 7777"]) {
    const message = `:friend!user@host PRIVMSG me :\x01DCC ${offer}\x01\r\n`;
    assert.deepEqual(afterMessage(control, message, passive), [served]);
  }
});

const ANSWER = [
  "SIP/2.0 200 OK",
  "Content-Type: application/sdp",
  "",
  "v=0",
  "c=IN IP4 10.0.0.2",
  "m=audio 7776 RTP/AVP 0",
  "",
].join("\r\n");

Deno.test("SIP: who answers a call serves its media, at the port of RTP and at the next one", () => {
  const control = [end(SERVER, 5060), end(CLIENT, 5060)] as const;
  for (const port of [7_776, 7_777]) {
    const media = [end(SERVER, port), end(CLIENT, 7_001)] as const;
    assert.deepEqual(
      afterMessage(control, ANSWER, media, 1, datagram),
      [`${CLIENT};${SERVER};${port};flow announced`],
    );
  }
  const offer = ANSWER.replace("SIP/2.0 200 OK", "INVITE sip:a@example.com SIP/2.0");
  const media = [end(SERVER, 7_776), end(CLIENT, 7_001)] as const;
  assert.doesNotMatch(afterMessage(control, offer, media, 1, datagram)[0], / announced$/);
});

Deno.test("SIP: media may be with another host than calls", () => {
  const control = [end("10.0.0.8", 5060), end(CLIENT, 5060)] as const;
  const media = [end(SERVER, 7_776), end(CLIENT, 7_001)] as const;
  assert.deepEqual(
    afterMessage(control, ANSWER, media, 1, datagram),
    [`${CLIENT};${SERVER};7776;flow announced`],
  );
});

Deno.test("RTSP: the server's ports of an answer to SETUP are those of a service", () => {
  const engine = new TestEngine({ config: RULES });
  const answer = "RTSP/1.0 200 OK\r\nCSeq: 3\r\n" +
    "Transport: RTP/AVP;unicast;client_port=7000-7001;server_port=7776-7777\r\n\r\n";
  engine.take(NOW, data(end(SERVER, 554), end(CLIENT, 50_000), answer));
  for (const i of [0, 1]) {
    engine.take(NOW + 1, datagram(end(SERVER, 7_776 + i), end(CLIENT, 7_000 + i), "x"));
  }
  assert.deepEqual(flowsOf(engine, 554), [
    `${CLIENT};${SERVER};7776;flow announced`,
    `${CLIENT};${SERVER};7777;flow announced`,
  ]);
});

Deno.test("an announcement is forgotten after five minutes, and holds for its protocol only", () => {
  const control = [end(SERVER, 21), end(CLIENT, 50_000)] as const;
  const message = "229 Entering Extended Passive Mode (|||7777|)\r\n";
  assert.deepEqual(afterMessage(control, message, passive, 299), [served]);
  assert.match(afterMessage(control, message, passive, 301)[0], / lower-port$/);
  const engine = new TestEngine({ config: RULES });
  engine.take(NOW, data(control[0], control[1], message));
  engine.take(NOW + 1, datagram(passive[0], passive[1], "x"));
  assert.match(flowsOf(engine, 21)[0], / lower-port$/);
});

Deno.test("announcements have room for so many ports: the oldest are forgotten", () => {
  const engine = new TestEngine({ config: RULES });
  for (let i = 0; i < 20_000; i++) {
    const message = `229 Entering Extended Passive Mode (|||${10_000 + i}|)\r\n`;
    engine.take(NOW, data(end(SERVER, 21), end(CLIENT, 50_000), message));
  }
  const flowTo = (port: number) => {
    engine.take(NOW + 1, data(end(SERVER, port), end(CLIENT, CLIENT_PORT), "x"));
    return flowsOf(engine, 21).at(-1)!;
  };
  assert.match(flowTo(10_001), / lower-port$/);
  assert.equal(flowTo(29_999), `${CLIENT};${SERVER};29999;flow announced`);
});
