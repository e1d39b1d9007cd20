/**
 * What is used of the Redis library, by name: the compiled file then holds that, and can load it
 * when it is needed. (A bundler does not see which names of a whole module are used.)
 *
 * @module
 */
export { createClient, ErrorReply } from "redis";
