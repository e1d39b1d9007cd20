import assert from "node:assert/strict";
import { SavefileSource } from "../../../src/capture/savefile_source.ts";
import type { Announcement } from "../../../src/names/devices/announcement.ts";
import { DevicePackets } from "../../../src/names/devices/device_packets.ts";
import { PayloadReaders } from "../../../src/packet/payload_readers.ts";
import { isProgram } from "../../installed.ts";
import {
  HAS_SHARED_CAPTURES,
  sharedCapture,
  WITHOUT_SHARED_CAPTURES,
} from "../../shared_captures.ts";
import { TestEngine } from "../../engine/test_engine.ts";

const HAS_TSHARK = isProgram("tshark", "--version");
const WITHOUT = WITHOUT_SHARED_CAPTURES || (HAS_TSHARK ? "" : " (ignored: needs tshark)");

/** What hosts tell in a capture, once each. */
async function announced(path: string): Promise<Announcement[]> {
  const found: Announcement[] = [];
  const packets = new DevicePackets((announcement) => found.push(announcement));
  const payloadReader = new PayloadReaders([packets]);
  const { engine } = new TestEngine({ payloadReader, linkReader: packets });
  const source = SavefileSource.open(path, engine.newBatch());
  try {
    for (let batch; (batch = await source.next()) !== null;) engine.take(batch);
  } finally {
    source.close();
  }
  engine.end();
  return found;
}

async function tshark(...args: string[]): Promise<string[]> {
  const { stdout } = await new Deno.Command("tshark", { args, stderr: "null" }).output();
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
}

/** Wireless frames that an access point sends on (CAPWAP) are not looked into. */
const NOT_LOOKED_INTO = "not capwap.data";

/** Client names in requests: the full one, if there is one. */
async function tsharkDhcpNames(path: string): Promise<string[]> {
  const filter = `dhcp.type == 1 and ${NOT_LOOKED_INTO}`;
  const fields = ["-T", "fields", "-e", "dhcp.option.hostname", "-e", "dhcp.fqdn.name"];
  const lines = await tshark("-n", "-r", path, "-Y", filter, ...fields);
  return lines.map((line) => line.split("\t")).flatMap(([host, full]) => full || host || []);
}

/** Owners of addresses in multicast DNS, as tshark prints its records. */
async function tsharkMdnsNames(path: string): Promise<string[]> {
  const filter = "mdns and dns.flags.response == 1";
  const lines = await tshark("-n", "-r", path, "-Y", filter, "-V", "-O", "mdns");
  return lines.flatMap((line) =>
    /^ +(\S+)\.local: type (?:A|AAAA), class IN.*, addr /.exec(line)?.[1] ?? []
  );
}

function sorted(names: readonly string[]): string[] {
  return [...new Set(names.map((name) => name.toLowerCase()))].sort();
}

/** Captures in which hosts tell names, found by what tshark says of all of them. */
const CAPTURES = ["android.pcap", "capwap.pcap", "dhcp-fuzz.pcapng", "signal.pcap"]
  .concat(["telegram.pcap", "wa_voice.pcap"]);

for (const name of CAPTURES) {
  Deno.test({
    name: `host names of DHCP and mDNS in ${name} are those that tshark has${WITHOUT}`,
    ignore: !HAS_SHARED_CAPTURES || !HAS_TSHARK,
    fn: async () => {
      const path = sharedCapture(`pcap/${name}`);
      const found = await announced(path);
      const ours = (by: string) =>
        sorted(found.filter((it) => it.by === by).flatMap((it) => it.name ?? []));
      assert.deepEqual(ours("dhcp"), sorted(await tsharkDhcpNames(path)));
      assert.deepEqual(ours("mdns"), sorted(await tsharkMdnsNames(path)));
    },
  });
}
