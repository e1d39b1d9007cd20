/** A wrong value, short enough for one line. */
export function shown(value: unknown): string {
  const longest = 60;
  let text: string;
  if (typeof value === "string") text = JSON.stringify(value);
  else if (typeof value === "function") text = `the function ${value.name || "without a name"}`;
  else if (typeof value === "object" && value !== null) text = jsonOf(value);
  else text = String(value);
  text = text.replaceAll(/\s+/g, " ");
  return text.length > longest ? `${text.slice(0, longest)}...` : text;
}

function jsonOf(value: object): string {
  try {
    return JSON.stringify(value, withOwnText) ?? String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** What has a text of its own, such as an action, is shown by that. */
function withOwnText(_key: string, value: unknown): unknown {
  const hasOwnText = typeof value === "object" && value !== null && !Array.isArray(value) &&
    value.toString !== Object.prototype.toString;
  return hasOwnText ? String(value) : value;
}
