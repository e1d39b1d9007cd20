import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { CAN_MAKE_NAMESPACES, withNamespaces, WITHOUT_NAMESPACES } from "../namespaces.ts";
import type { Device } from "../../ffi/device.ts";
import { FFI_PATHS, LIBC_PATHS } from "../../ffi/library.ts";

/** What lists the interfaces: with libpcap, and without it. */
const LISTS = [
  { name: "devices", file: "pcap_devices.ts", paths: FFI_PATHS },
  { name: "networkInterfaces", file: "network_interfaces.ts", paths: LIBC_PATHS },
];
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** What ip(8) says of an interface. */
interface Link {
  ifname: string;
  flags: string[];
  addr_info: { local: string; prefixlen: number }[];
}

for (const list of LISTS) {
  Deno.test({
    name: `${list.name}() lists the interfaces with the addresses and states that ip(8) shows` +
      WITHOUT_NAMESPACES,
    ignore: !CAN_MAKE_NAMESPACES,
    fn: () =>
      withNamespaces(async (pair) => {
        await pair.ip("addr", "add", "198.51.100.7", "peer", "198.51.100.9/30", "dev", "veth0");
        await pair.ip("addr", "add", "203.0.113.200/25", "dev", "lo");
        await pair.addVeth("veth1", "peer1");
        await pair.ip("link", "set", "veth1", "down");
        const links: Link[] = JSON.parse(await pair.ip("-j", "addr"));
        const listed = await listDevices(list, (program, args) => pair.command(program, args));
        assert.deepEqual(
          listed.filter(({ isInterface }) => isInterface).map(({ name }) => name).sort(),
          [...links.map(({ ifname }) => ifname), "any"].sort(),
        );
        for (const { ifname, flags, addr_info } of links) {
          const device = listed.find(({ name }) => name === ifname)!;
          assert.equal(device.isUp, flags.includes("UP"), ifname);
          assert.equal(device.isRunning, flags.includes("LOWER_UP"), ifname);
          assert.equal(device.isLoopback, ifname === "lo");
          assert.deepEqual(
            device.addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`)
              .sort(),
            addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`).sort(),
          );
        }
      }),
  });
}

/** Runs the function in a process of its own, permitted its libraries only. */
async function listDevices(
  { name, file: module, paths }: typeof LISTS[number],
  command: (program: string, args: string[]) => Deno.Command,
): Promise<Device[]> {
  const url = new URL(`../../ffi/${module}`, import.meta.url);
  const code = `import { ${name} } from "${url}"; console.log(JSON.stringify(${name}()));`;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, code);
    const { stdout, stderr, success } = await command(Deno.execPath(), [
      ...["run", "--quiet", "--no-prompt", "--config", CONFIG],
      `--allow-ffi=${paths.join(",")}`,
      file,
    ]).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    return JSON.parse(new TextDecoder().decode(stdout));
  } finally {
    await Deno.remove(file);
  }
}
