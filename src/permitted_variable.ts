/** The value of an environment variable, if reading it is allowed and it is set. */
export function permittedVariable(variable: string): string | undefined {
  return Deno.permissions.querySync({ name: "env", variable }).state === "granted"
    ? Deno.env.get(variable) || undefined
    : undefined;
}
