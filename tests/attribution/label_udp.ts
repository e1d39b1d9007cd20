/**
 * Labels the UDP conversations of captures and prints them as JSON, of which `deno fmt` makes
 * `udp_labels.json`:
 * `deno run --allow-read --allow-run=tshark tests/attribution/label_udp.ts ../shared/captures/pcap`.
 */
import { type UdpLabel, udpLabelsOf } from "./udp_labels.ts";

const AT_ONCE = 2;

const [folder] = Deno.args;
const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const found = new Map<string, UdpLabel[]>();
let next = 0;
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
  while (next < names.length) {
    const name = names[next++];
    found.set(name, await udpLabelsOf(`${folder}/${name}`));
  }
}));
const lines = names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(found.get(name))}`);
console.log(`{\n${lines.join(",\n")}\n}`);
