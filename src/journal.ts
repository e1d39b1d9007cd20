import { getBuiltinModule } from "node:process";
import { permittedVariable } from "./permitted_variable.ts";

/** Names the stream that systemd hands on to its journal, systemd.exec(5): device and inode. */
const VARIABLE = "JOURNAL_STREAM";
const STANDARD_ERROR = 2;

/** Whether standard error is read by systemd's journal, and not by a person or a file. */
export function isJournal(): boolean {
  const stream = permittedVariable(VARIABLE);
  if (stream === undefined) return false;
  try {
    // Whoever has no journal does not pay for loading it.
    const { dev, ino } = getBuiltinModule("node:fs")!.fstatSync(STANDARD_ERROR, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
