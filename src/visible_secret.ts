import type { Log } from "./log.ts";

/**
 * Warns of a secret on the command line, as redis-cli does: proc_pid_cmdline(5) is there for all to read.
 *
 * @param option What has the secret.
 * @param what The secret, such as `its password`.
 * @param fileOption What names a file with it.
 */
export function warnOfVisible(option: string, what: string, fileOption: string, log: Log): void {
  log.warn(
    `${option}: all users of this host can see ${what} in the list of processes: put it into a file, ` +
      fileOption,
  );
}
