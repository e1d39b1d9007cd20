import { keyScript } from "./key_script.ts";

/**
 * A value gets no more names when it is as long as this, in bytes: some 2,000 names. Who looks up a
 * new name for the same address all the time (tunnels through DNS do) would fill the server's memory
 * otherwise. A value that is full is not looked at any more, so that it costs no more than others.
 */
export const MOST_VALUE_BYTES = 65_536;

/**
 * Writes keys with names and sets their time to live, on the server, so that no other writer comes
 * between the look at a value and its change.
 *
 * `KEYS` are the keys, `ARGV[1]` is the time to live in seconds, and `ARGV[2]` onwards, for each key,
 * a name, which ends in a dot and is appended as `;name;` unless it is there already; or a number,
 * by which the key is raised. A value that is full stays as it is.
 *
 * For the answer see {@linkcode keyScript}.
 */
export const NAME_SCRIPT = keyScript(`
  local value = ARGV[i + 1]
  if value:sub(-1) == '.' then
    local entry = ';' .. value .. ';'
    reply = pcall('STRLEN', key)
    if type(reply) == 'number' and reply + #entry <= ${MOST_VALUE_BYTES} then
      local names = redis.call('GET', key) or ''
      if not names:find(entry, 1, true) then reply = pcall('APPEND', key, entry) end
    end
  else
    reply = pcall('INCRBY', key, value)
  end`);
