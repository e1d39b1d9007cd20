import { keyScript } from "./key_script.ts";

/**
 * Raises counters and sets their time to live, on the server: one call for many keys.
 *
 * `KEYS` are the counters, `ARGV[1]` is the time to live in seconds, and `ARGV[2]` onwards, if
 * there, by how much each is raised; else it is 1. For the answer see {@linkcode keyScript}.
 */
export const COUNTER_SCRIPT = keyScript(`
  if ARGV[2] then
    reply = pcall('INCRBY', key, ARGV[i + 1])
  else
    reply = pcall('INCR', key)
  end`);
