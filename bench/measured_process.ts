/** What a run of a program took. */
export interface Measured {
  /** Seconds from its start to its end. */
  readonly seconds: number;
  /** Seconds of processor time, of all its threads, in the kernel and out of it. */
  readonly processorSeconds: number;
  /** Most memory that it had at a time, in MiB. */
  readonly peakMebibytes: number;
}

/** How often, in milliseconds, the kernel is asked about a process. */
const LOOK_INTERVAL = 10;
/** Fields of proc_pid_stat(5) after the program's name, counted from 0: utime and stime. */
const UTIME = 11;
const STIME = 12;
/** `sysconf(_SC_CLK_TCK)`, which is 100 on every Linux that Deno runs on. */
const TICKS_PER_SECOND = 100;
const KIBIBYTES_PER_MEBIBYTE = 1024;

/**
 * Runs a program to its end, its output thrown away. Processor time and memory are what proc(5)
 * says last: what was added in its last hundredth of a second is left out.
 *
 * @param cwd The folder it runs in; by default, the present one.
 * @throws {Error} when it fails.
 */
export async function measured(program: string, args: string[], cwd?: string): Promise<Measured> {
  const begin = performance.now();
  const child = new Deno.Command(program, { args, cwd, stdout: "null", stderr: "piped" }).spawn();
  let processorSeconds = 0;
  let peakMebibytes = 0;
  const look = () => {
    try {
      const stat = Deno.readTextFileSync(`/proc/${child.pid}/stat`).replace(/^.*\) /, "").split(
        " ",
      );
      processorSeconds = (Number(stat[UTIME]) + Number(stat[STIME])) / TICKS_PER_SECOND;
      const peak = /^VmHWM:\s*(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${child.pid}/status`));
      if (peak !== null) peakMebibytes = Number(peak[1]) / KIBIBYTES_PER_MEBIBYTE;
    } catch {
      // It has just ended.
    }
  };
  const timer = setInterval(look, LOOK_INTERVAL);
  const [{ code }, errors] = await Promise.all([child.status, new Response(child.stderr).text()]);
  clearInterval(timer);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: ${errors}`);
  return { seconds: (performance.now() - begin) / 1000, processorSeconds, peakMebibytes };
}
