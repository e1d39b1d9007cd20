/** Runs a systemd of its own, in a copy of this system and in a network namespace of a test's. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type NamespacePair, type Result, run, until } from "../namespaces.ts";
import { processesWith } from "../process_status.ts";
import { CAN_COPY_SYSTEM, MAKE_COPY } from "./copied_system.ts";

const SYSTEMD = "/usr/lib/systemd/systemd";
/** Where cgroups of systemd are, cgroups(7): of version 2, alone or beside those of version 1. */
const HIERARCHIES = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"]
  .filter((it) => existsSync(join(it, "cgroup.procs")));

/** Mounts them below a folder, `$1`, as they are for who is in a namespace of cgroups. */
const MOUNT_CGROUPS = HIERARCHIES.includes("/sys/fs/cgroup")
  ? 'mount -t cgroup2 cgroup2 "$1"'
  : `mount -t tmpfs tmpfs "$1"
mkdir "$1/unified" "$1/systemd"
mount -t cgroup2 cgroup2 "$1/unified"
mount -t cgroup -o none,name=systemd cgroup "$1/systemd"`;

/** Whether systemd can be run; tests that need it are skipped if not. */
export const CAN_RUN_SYSTEMD: boolean = CAN_COPY_SYSTEM && existsSync(SYSTEMD) &&
  HIERARCHIES.length > 0 && await mayMountCgroups();

/** What to add to the name of a test that is skipped without. */
export const WITHOUT_SYSTEMD = CAN_RUN_SYSTEMD
  ? ""
  : " (skipped: needs root, overlayfs, cgroups and systemd)";

/** Whether cgroups may be made and mounted, as not in every container. */
async function mayMountCgroups(): Promise<boolean> {
  const name = `flosensor-test-${crypto.randomUUID().slice(0, 8)}`;
  const cgroups = HIERARCHIES.map((it) => join(it, name));
  const { code } = await run(
    ...["sh", "-e", "-c", `mkdir "$@"; rmdir "$@"`, "sh", ...cgroups] as const,
  );
  if (code !== 0) return false;
  const mounts = ["sh", "-e", "-c", MOUNT_CGROUPS, "sh", "/mnt"];
  return (await run("unshare", "--mount", "--cgroup", ...mounts)).code === 0;
}

/** Makes cgroups of a name, `$0`, that all of it is in, and then namespaces but for that of the network, `$1`. */
const ENTER = `set -e
for hierarchy in ${HIERARCHIES.join(" ")}; do
  mkdir "$hierarchy/$0"
  echo $$ > "$hierarchy/$0/cgroup.procs"
done
network=$1; shift
exec nsenter "--net=/run/netns/$network" unshare --mount --pid --uts --ipc --cgroup --fork --kill-child "$@"
`;

/** What systemd wants to find, and finds in a container: https://systemd.io/CONTAINER_INTERFACE/. */
const BOOT = `
mount --make-rshared /
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
set -- /sys/fs/cgroup
${MOUNT_CGROUPS}
cp -a /mnt/. /
# Of this system, nothing is started.
rm -rf /etc/systemd/system/*.wants
printf '[Unit]\\nDescription=Nothing\\n' > /etc/systemd/system/nothing.target
exec ${SYSTEMD} --system --unit=nothing.target
`;

/** A systemd that runs, and nothing else. */
export class RunningSystemd implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #cgroup: string;
  readonly #work: string;
  /** As this system numbers it. */
  #pid = "";

  private constructor(child: Deno.ChildProcess, cgroup: string, work: string) {
    this.#child = child;
    this.#cgroup = cgroup;
    this.#work = work;
  }

  /**
   * Starts it in the namespace of the sensor.
   *
   * @param files A folder whose files are put over those of the copy, from `/` on.
   */
  static async start(pair: NamespacePair, files: string): Promise<RunningSystemd> {
    const work = await Deno.makeTempDir({ prefix: "flosensor-system-" });
    const cgroup = `flosensor-test-${crypto.randomUUID().slice(0, 8)}`;
    const child = new Deno.Command("sh", {
      args: [
        ...["-c", ENTER, cgroup, pair.sensor, "sh", "-c", MAKE_COPY, "sh", work, files, "--"],
        ...["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "container=flosensor-test"],
        ...["sh", "-e", "-c", BOOT],
      ],
      stdin: "null",
    }).spawn();
    const systemd = new RunningSystemd(child, cgroup, work);
    try {
      await until(async () => {
        const [pid] = processesWith((status) => status.get("PPid") === String(child.pid));
        if (pid === undefined) return false;
        systemd.#pid = String(pid);
        const { stdout } = await systemd.run("systemctl", "is-system-running");
        return /running|degraded/.test(stdout);
      });
      return systemd;
    } catch (error) {
      await systemd[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs a program there. */
  run(program: string, ...args: string[]): Promise<Result> {
    return run("nsenter", "--target", this.#pid, "--all", "--root", "--wd", program, ...args);
  }

  /** Has `systemctl` do something, which has to work. */
  async systemctl(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run("systemctl", ...args);
    if (code !== 0) {
      const { stdout: status } = await this.run("systemctl", "status", "--no-pager", args.at(-1)!);
      throw new Error(`systemctl ${args.join(" ")}: ${stderr}\n${status}`);
    }
    return stdout;
  }

  /** Where a file of the copy is for this system. */
  path(file: string): string {
    return `/proc/${this.#pid}/root${file}`;
  }

  /** The number that this system has for the main process of a service. */
  async mainPid(service: string): Promise<number> {
    const inside = (await this.systemctl("show", "--property=MainPID", "--value", service)).trim();
    const [pid] = processesWith((status) => {
      const numbers = status.get("NSpid")!.split("\t");
      return numbers.length > 1 && numbers.at(-1) === inside &&
        Deno.readTextFileSync(`/proc/${numbers[0]}/cgroup`).includes(this.#cgroup);
    });
    return pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    await Deno.remove(this.#work, { recursive: true });
    for (const hierarchy of HIERARCHIES) {
      const cgroup = join(hierarchy, this.#cgroup);
      if (!existsSync(cgroup)) continue;
      // Its last processes are gone soon.
      await until(async () =>
        (await run("find", cgroup, "-depth", "-type", "d", "-exec", "rmdir", "{}", "+")).code === 0
      );
    }
  }
}
