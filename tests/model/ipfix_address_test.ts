import assert from "node:assert/strict";
import { parseIpfixAddress } from "../../src/model/ipfix_address.ts";

Deno.test("parseIpfixAddress() reads names, addresses and ports", () => {
  const parse = (text: string) => {
    const { transport, hostname, port, text: shown } = parseIpfixAddress(text)!;
    return [transport, hostname, port, shown];
  };
  assert.deepEqual(
    parse("udp://collector.example:2055"),
    ["udp", "collector.example", 2055, "udp://collector.example:2055"],
  );
  assert.deepEqual(parse("tcp://192.0.2.1"), ["tcp", "192.0.2.1", 4739, "tcp://192.0.2.1:4739"]);
  assert.deepEqual(
    parse("UDP://[2001:db8::1]:4739/"),
    ["udp", "2001:db8::1", 4739, "udp://[2001:db8::1]:4739"],
  );
});

Deno.test("parseIpfixAddress() takes nothing else", () => {
  const wrong = [
    "",
    "collector:4739",
    "http://collector:4739",
    "udp://",
    "udp://:4739",
    "udp://a:0",
    "udp://a:65536",
    "udp://2001:db8::1:4739",
    "tcp://user@a:4739",
    "tcp://a/path",
    "tcp://a?x=1",
    "udp://a b",
  ];
  for (const text of wrong) assert.equal(parseIpfixAddress(text), null, text);
});
