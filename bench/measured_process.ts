import { existsSync } from "node:fs";

/** What a run of a program took. */
export interface Measured {
  /** Seconds from its start to its end. */
  readonly seconds: number;
  /** Seconds of processor time, of all its threads, in the kernel and out of it. */
  readonly processorSeconds: number;
  /** Most memory that it had at a time, in MiB. */
  readonly peakMebibytes: number;
}

/** time(1) of Debian's package `time`: it waits, and then has the kernel's own sums. */
const TIME = "/usr/bin/time";
/** Real, user and system time in seconds, most resident memory in KiB. */
const FORMAT = "%e %U %S %M";
const KIBIBYTES_PER_MEBIBYTE = 1024;

/**
 * Runs a program to its end, its output thrown away. Nothing looks at it while it runs: that would
 * take time from a program that uses all processors.
 *
 * @param cwd The folder it runs in; by default, the present one.
 * @throws {Error} when it fails, or where there is no time(1).
 */
export async function measured(program: string, args: string[], cwd?: string): Promise<Measured> {
  if (!existsSync(TIME)) throw new Error(`${TIME} is not there: apt-get install time`);
  const report = await Deno.makeTempFile();
  try {
    const command = new Deno.Command(TIME, {
      args: ["--output", report, "--format", FORMAT, program, ...args],
      cwd,
      stdout: "null",
      stderr: "piped",
    });
    const begin = performance.now();
    const { code, stderr } = await command.output();
    // Finer than the hundredths of a second that time(1) has.
    const seconds = (performance.now() - begin) / 1000;
    const errors = new TextDecoder().decode(stderr);
    if (code !== 0) throw new Error(`${program} ${args.join(" ")}: ${errors}`);
    const [, user, system, peak] = (await Deno.readTextFile(report)).trim().split(" ").map(Number);
    return {
      seconds,
      processorSeconds: user + system,
      peakMebibytes: peak / KIBIBYTES_PER_MEBIBYTE,
    };
  } finally {
    await Deno.remove(report);
  }
}
