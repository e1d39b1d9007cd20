/**
 * What to do where a permission is missing: an option for Deno, or, where there is no Deno to give
 * one to, another compiled file.
 *
 * @param options Those that give the permission.
 * @param socket The Unix socket that it is about, if it is about one.
 */
export function permissionAdvice(options: string, socket?: string): string {
  if (!Deno.build.standalone || socket === undefined) return `run with ${options}`;
  return `compile a flosensor that may use it: deno task compile --socket ${socket}`;
}
