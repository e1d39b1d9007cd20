/**
 * The client of node-redis, without its modules for search, time series and the like.
 *
 * What is used of it stands here by name: a bundler does not see which names are used of a whole
 * module that is loaded later.
 *
 * @module
 */
export { createClient, ErrorReply } from "@redis/client";
