/** Names of the Redis contract end in a dot, those of the store do not. The root is a dot. */
export function withoutDot(name: string): string {
  return name.length > 1 && name.endsWith(".") ? name.slice(0, -1) : name;
}
