/**
 * Installs what the tests need beside Deno, where that can be done: as root, with apt. Elsewhere it
 * says what is missing; the tests that need it are then reported as ignored.
 */
import { existsSync } from "node:fs";
import { LIBPCAP_PATHS } from "../ffi/library.ts";
import { FAKE_CLOCK_PATHS } from "../tests/fake_clock.ts";

/** A Debian package, and one of the files of each that say it is there. */
interface Package {
  readonly name: string;
  readonly anyOf: readonly string[];
}

/** What distributions put programs into; some of these are not in the PATH of everyone. */
const PROGRAM_FOLDERS = ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin"];

const PACKAGES: readonly Package[] = [
  { name: "libpcap0.8", anyOf: LIBPCAP_PATHS },
  program("redis-server"),
  program("redis-cli", "redis-tools"),
  program("tcpdump"),
  program("tcpreplay"),
  program("ip", "iproute2"),
  program("sysctl", "procps"),
  program("ethtool"),
  program("nft", "nftables"),
  program("tshark"),
  program("openssl"),
  program("strace"),
  program("python3", "python3-minimal"),
  program("script", "bsdutils"),
  program("tmux"),
  program("named", "bind9"),
  program("dig", "bind9-dnsutils"),
  program("unbound"),
  program("kdig", "knot-dnsutils"),
  program("curl"),
  program("clickhouse-server"),
  program("setcap", "libcap2-bin"),
  program("sqlite3"),
  program("systemd-analyze", "systemd"),
  program("git"),
  program("sudo"),
  program("lintian"),
  program("jq"),
  program("nfcapd", "nfdump"),
  program("ipfixDump", "libfixbuf-tools"),
  program("bro-cut", "bro-aux"),
  program("zstd"),
  program("man", "man-db"),
  program("groff"),
  program("bash"),
  program("zsh"),
  program("fish"),
  program("chromium"),
  { name: "libfaketime", anyOf: FAKE_CLOCK_PATHS },
  program("curl"),
  program("prometheus"),
];

/** How long, in seconds, apt waits for another apt to end. */
const LOCK_PATIENCE = 300;

const missing = PACKAGES.filter(({ anyOf }) => !anyOf.some((path) => existsSync(path)))
  .map(({ name }) => name);
// Asked in any case, so that a permission that is missing shows up on every machine.
const isInstallable = canInstall();
if (missing.length > 0) {
  const isInstalled = isInstallable && await install(missing);
  if (!isInstalled) {
    console.error(
      `Tests that need them are ignored, for want of ${missing.join(", ")}. To install them, as ` +
        `root: apt-get install ${missing.join(" ")}`,
    );
    // Where nobody looks at what was ignored, it must not be taken for tested.
    if (Deno.env.get("CI") !== undefined) Deno.exit(1);
  }
}

function program(name: string, packageName = name): Package {
  return { name: packageName, anyOf: PROGRAM_FOLDERS.map((folder) => `${folder}/${name}`) };
}

function canInstall(): boolean {
  return Deno.uid() === 0 && existsSync("/usr/bin/apt-get");
}

async function install(names: readonly string[]): Promise<boolean> {
  console.error(`Installing ${names.join(", ")} for the tests.`);
  // The lists of a machine that is new are empty, those of an old one out of date.
  const isUpdated = await apt("update");
  return await apt("install", "--yes", "--no-install-recommends", ...names) && isUpdated;
}

async function apt(...args: string[]): Promise<boolean> {
  const { success, stdout, stderr } = await new Deno.Command("/usr/bin/apt-get", {
    args: ["--quiet", "-o", `DPkg::Lock::Timeout=${LOCK_PATIENCE}`, ...args],
    env: { DEBIAN_FRONTEND: "noninteractive" },
    stdin: "null",
  }).output();
  if (!success) {
    await Deno.stderr.write(stdout);
    await Deno.stderr.write(stderr);
  }
  return success;
}
