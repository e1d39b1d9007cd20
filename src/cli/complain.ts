import { LineLog } from "../log.ts";

/** Says on standard error why the program ends, in one line. */
export function complain(message: string): void {
  new LineLog("error").error(message.replace(/\.?\s*$/, ""));
}
