/**
 * Whether a thread can be loaded, which reads its own module and what that imports: where permissions
 * are scoped, captures may be all there is.
 *
 * @param worker The thread's module, in a folder of the program's modules.
 */
export function mayReadModules(worker: URL): boolean {
  const modules = new URL("../", worker);
  return modules.protocol === "file:" &&
    Deno.permissions.querySync({ name: "read", path: modules }).state === "granted";
}
