/** What sensors may be called: it is part of a key. */
export const SENSOR_NAME = /^[\w.-]{1,64}$/;
export const SENSOR_NAME_FORM = "1 to 64 letters, digits and any of ._-";
/** One whose host has no name either. */
const NAMELESS = "sensor";

/** The name of a sensor on a host of this name. */
export function hostNameOf(text: string): string {
  const name = text.trim().replaceAll(/[^\w.-]/g, "-").slice(0, 64);
  return name === "" || name === "(none)" ? NAMELESS : name;
}
