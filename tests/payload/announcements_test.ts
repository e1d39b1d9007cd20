import assert from "node:assert/strict";
import { addressText } from "../../src/model/address_text.ts";
import { IPV6, OF_SENDER, readAnnouncements } from "../../src/payload/announcements.ts";
import { SeededRandom } from "../seeded_random.ts";

const TCP = 6;
const UDP = 17;
/** Bytes before a payload; there are none after it, so that reading on is an error. */
const BEFORE = 5;

/** What a payload announces: address, or "sender", and port. */
function announcedBy(payload: Uint8Array | string, protocol = TCP): string[] {
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  const view = new DataView(new ArrayBuffer(BEFORE + bytes.length));
  new Uint8Array(view.buffer).set(bytes, BEFORE);
  const found: string[] = [];
  const address = new Uint32Array(4);
  readAnnouncements(protocol, view, BEFORE, view.byteLength, {
    address,
    announce: (family, port, transport) => {
      assert.ok(port > 0 && port < 65_536);
      const host = family === OF_SENDER ? "sender" : addressText(address, 0, family === IPV6);
      found.push(`${transport === TCP ? "tcp" : "udp"} ${host} ${port}`);
    },
  });
  return found;
}

const MESSAGES: [string, string[]][] = [
  ["227 Entering Passive Mode (192,0,2,1,4,1)\r\n", ["tcp 192.0.2.1 1025", "tcp sender 1025"]],
  ["227 =192,0,2,1,4,1\r\n", ["tcp 192.0.2.1 1025", "tcp sender 1025"]],
  ["227 mode 2 (192,0,2,1,4,1)\r\n", ["tcp 192.0.2.1 1025", "tcp sender 1025"]],
  ["227 Entering Passive Mode (192,0,2,1,4,256)\r\n", []],
  ["227 Entering Passive Mode (192,0,2,1,0,0)\r\n", []],
  ["PORT 192,0,2,1,4,1\r\n", ["tcp 192.0.2.1 1025", "tcp sender 1025"]],
  ["229 Extended Passive Mode OK (|||6446|)\r\n", ["tcp sender 6446"]],
  ["229 Extended Passive Mode OK (!!!6446!)\r\n", ["tcp sender 6446"]],
  ["229 Extended Passive Mode OK (|||6446\r\n", []],
  ["229 Extended Passive Mode OK (|||99999|)\r\n", []],
  ["EPRT |1|192.0.2.1|6446|\r\n", ["tcp 192.0.2.1 6446", "tcp sender 6446"]],
  ["EPRT |2|2001:db8::8:800:200c:417a|5282|\r\n", [
    "tcp 2001:db8::8:800:200c:417a 5282",
    "tcp sender 5282",
  ]],
  ["EPRT |2|2001:db8:1:2:3:4:5:6|5282|\r\n", ["tcp 2001:db8:1:2:3:4:5:6 5282", "tcp sender 5282"]],
  ["EPRT |2|::1|5282|\r\n", ["tcp ::1 5282", "tcp sender 5282"]],
  ["EPRT |2|fe80::|5282|\r\n", ["tcp fe80:: 5282", "tcp sender 5282"]],
  ["EPRT |2|1::2::3|5282|\r\n", []],
  ["EPRT |3|x|5282|\r\n", []],
  ["PRIVMSG bob :\x01DCC SEND a b 3221225985 4000 5\x01\r\n", [
    "tcp 192.0.2.1 4000",
    "tcp sender 4000",
  ]],
  [":a!b@c PRIVMSG d :\x01DCC CHAT chat 3221225985 4000\x01\r\n", [
    "tcp 192.0.2.1 4000",
    "tcp sender 4000",
  ]],
  [":a!b@c PRIVMSG d :DCC CHAT chat 3221225985 4000\r\n", []],
  [
    "RTSP/1.0 200 OK\r\nTransport: RTP/AVP;client_port=1-2;server_port=6256-6257\r\n\r\n",
    ["udp sender 6256", "udp sender 6257"],
  ],
  ["RTSP/1.0 200 OK\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n", []],
  [
    "SIP/2.0 200 OK\r\n\r\nv=0\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n" +
    "m=video 0 RTP/AVP 31\r\nm=message 4004 TCP/MSRP *\r\n",
    ["udp sender 4000", "udp sender 4001", "udp 2001:db8::1 4000", "udp 2001:db8::1 4001"],
  ],
  ["INVITE sip:a@b SIP/2.0\r\n\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\n", []],
  ["220 ready\r\n", []],
];

Deno.test("announcements of FTP, IRC, RTSP and SIP are read as their documents have them", () => {
  for (const [text, expected] of MESSAGES) assert.deepEqual(announcedBy(text), expected, text);
});

Deno.test("over UDP only SIP announces", () => {
  for (const [text] of MESSAGES) {
    assert.equal(announcedBy(text, UDP).length > 0, text.startsWith("SIP/2.0 2"), text);
  }
});

Deno.test("no payload makes reading of announcements go on after its end, or announce without end", () => {
  const random = new SeededRandom();
  for (let i = 0; i < 20_000; i++) {
    const [text] = random.of(MESSAGES);
    const payload = new TextEncoder().encode(text).slice(0, 1 + random.below(text.length));
    for (let changes = random.below(4); changes > 0; changes--) {
      payload[random.below(payload.length)] = random.of([
        0x3a,
        0x7c,
        0x2c,
        0x20,
        0x39,
        1,
        0x0a,
        0xff,
      ]);
    }
    for (const protocol of [TCP, UDP]) {
      assert.ok(announcedBy(payload, protocol).length <= 16, `FLOSENSOR_TEST_SEED=${random.seed}`);
    }
  }
  assert.equal(
    announcedBy(`SIP/2.0 200 OK\r\n${"m=audio 4000 RTP/AVP 0\r\n".repeat(5_000)}`).length,
    16,
  );
});
