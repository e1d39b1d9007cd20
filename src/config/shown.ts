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
    return JSON.stringify(value) ?? String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
