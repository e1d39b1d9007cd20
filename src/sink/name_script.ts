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
 * What concerns one key only, and the answer, are as in `COUNTER_SCRIPT`.
 */
export const NAME_SCRIPT = `
local pcall, ttl = redis.pcall, ARGV[1]
local refused, why = {}, ''
for i, key in ipairs(KEYS) do
  local value = ARGV[i + 1]
  local reply
  if value:sub(-1) == '.' then
    local entry = ';' .. value .. ';'
    reply = pcall('STRLEN', key)
    if type(reply) == 'number' and reply + #entry <= ${MOST_VALUE_BYTES} then
      local names = redis.call('GET', key) or ''
      if not names:find(entry, 1, true) then reply = pcall('APPEND', key, entry) end
    end
  else
    reply = pcall('INCRBY', key, value)
  end
  if type(reply) == 'number' then
    reply = pcall('EXPIRE', key, ttl)
  end
  if type(reply) ~= 'number' then
    local message = reply.err
    if not (message:find('WRONGTYPE') or message:find('not an integer') or
        message:find('overflow') or message:find('permissions to access')) then
      return {i - 1, message, why, refused}
    end
    if #refused == 0 then why = message end
    refused[#refused + 1] = i
  end
end
if #refused == 0 then return 0 end
return {#KEYS, '', why, refused}
`;
