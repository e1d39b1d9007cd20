import { readFileSync } from "node:fs";
import { isProgram } from "../installed.ts";
import { run } from "../namespaces.ts";

/** Whether a copy of this system can be made; tests that need one are skipped if not. */
export const CAN_COPY_SYSTEM: boolean = Deno.build.os === "linux" && Deno.uid() === 0 &&
  isProgram("unshare", "--version") &&
  readFileSync("/proc/filesystems", "utf8").includes("\toverlay\n");

/** What to add to the name of a test that is skipped without. */
export const WITHOUT_COPY = CAN_COPY_SYSTEM ? "" : " (skipped: needs root and overlayfs)";

/**
 * A script of sh(1) that makes the copy: what is written goes into memory, and is gone with the last process
 * in it. It is given a folder to make it in, a folder whose files the copy finds in /mnt, folders that are
 * not copied but shared, `--`, and the command that is run in the copy.
 */
export const MAKE_COPY = `set -e
work=$1; shift
mount -t tmpfs none "$work"
mkdir "$work/upper" "$work/work" "$work/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" "$work/root"
mount -t proc proc "$work/root/proc"
mount --rbind /dev "$work/root/dev"
cp -a "$1/." "$work/root/mnt"; shift
while [ "$1" != -- ]; do mkdir -p "$work/root$1"; mount --bind "$1" "$work/root$1"; shift; done
shift
mkdir "$work/root/before"
cd "$work/root"
# Who is in a chroot may make no user namespaces, as services do.
pivot_root . before
umount -l /before
exec "$@"
`;

/** What a copy has beside the system's files. */
interface CopyOptions {
  /** More of the environment. */
  readonly environment?: Record<string, string>;
  /** Whether it has a network of its own, with nothing in it. By default, it has the system's. */
  readonly hasOwnNetwork?: boolean;
  /** Folders that are not copied but shared, wherever they are mounted. */
  readonly shared?: readonly string[];
}

/**
 * Runs a script of sh(1) in a copy of this system, which lets the system itself alone. It ends at
 * the first command that fails.
 *
 * @param files A folder whose files the script finds in /mnt.
 * @returns What the script wrote on standard output.
 * @throws {Error} with all that it wrote, when it fails.
 */
export async function inCopiedSystem(
  script: string,
  files: string,
  { environment = {}, hasOwnNetwork = false, shared = [] }: CopyOptions = {},
): Promise<string> {
  const work = await Deno.makeTempDir({ prefix: "flosensor-system-" });
  try {
    const { code, stdout, stderr } = await run(
      ...["unshare", "--mount", "--pid", "--fork"] as const,
      ...(hasOwnNetwork ? ["--net"] : []),
      ...["sh", "-c", MAKE_COPY, "sh", work, files, ...shared, "--"],
      ...["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive"],
      ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      ...["sh", "-e", "-c", script],
    );
    if (code !== 0) throw new Error(`status ${code}: ${stdout}${stderr}`);
    return stdout;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}
