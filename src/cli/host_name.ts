import { hostNameOf } from "../model/sensor_name.ts";

/** hostname(5). What the kernel says in /proc may be read with all permissions only. */
const FILE = "/etc/hostname";

/** What a sensor is called that nobody named: as its host is. */
export function hostName(): string {
  try {
    return hostNameOf(Deno.readTextFileSync(FILE));
  } catch {
    return hostNameOf("");
  }
}
