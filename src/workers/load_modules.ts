/**
 * Loads what a capture otherwise loads when it first needs it, in this thread: after `--user` it may lie
 * where only root may read, such as in npm's cache.
 */
export async function loadModules(): Promise<void> {
  await Promise.all([
    import("../config/module_loader.ts"),
    import("../config/syntax_tree.ts"),
    import("../sink/open_redis.ts"),
    import("../sink/redis_cluster.ts"),
    import("../sink/redis_library.ts"),
    import("../sink/redis_sink.ts"),
  ]);
}
