import { ANY_DEVICE } from "../../ffi/device.ts";
import { interfaceState } from "../../ffi/interface_state.ts";

/** Whether an interface has this name; also not where the kernel may not be asked. */
export function isInterface(name: string): boolean {
  if (name === ANY_DEVICE) return true;
  try {
    return interfaceState(name).index !== 0;
  } catch {
    return false;
  }
}
