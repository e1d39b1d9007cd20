/** The most memory of a process that was resident up to now, in bytes: proc_pid_status(5). */
export function mostResidentOf(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
}
