import { UserError } from "../src/user_error.ts";

/** A kind of machine that the program is compiled for, by the name that `deno compile` has for it. */
export interface Target {
  readonly name: string;
  /** What Debian calls it. */
  readonly debianArchitecture: string;
  /** `e_machine` of its executables, elf(5). */
  readonly elfMachine: number;
}

/** All that flosensor runs on. */
export const TARGETS: readonly Target[] = [
  { name: "x86_64-unknown-linux-gnu", debianArchitecture: "amd64", elfMachine: 62 },
  { name: "aarch64-unknown-linux-gnu", debianArchitecture: "arm64", elfMachine: 183 },
];

/** Where `e_machine` stands in an ELF file, elf(5). */
const MACHINE_OFFSET = 18;

/**
 * The target that this machine is.
 *
 * @throws {UserError} when flosensor doesn't run on it.
 */
export function ownTarget(): Target {
  const target = TARGETS.find(({ name }) => name === Deno.build.target);
  if (target !== undefined) return target;
  throw new UserError(
    `${Deno.build.target}: flosensor runs on Linux with glibc, on x86-64 or arm64`,
  );
}

/** Whether an executable is one for this target. */
export async function isFor(target: Target, executable: string): Promise<boolean> {
  using file = await Deno.open(executable);
  const header = new Uint8Array(MACHINE_OFFSET + 2);
  const length = await file.read(header);
  return length === header.length &&
    new DataView(header.buffer).getUint16(MACHINE_OFFSET, true) === target.elfMachine;
}
