/**
 * A script that does something about many keys and sets their time to live, on the server.
 *
 * `KEYS` are the keys, and `ARGV[1]` is the time to live in seconds.
 *
 * A key that can't be written because of what it holds must not keep the others from being written,
 * so it is counted and passed over. Any other error (out of memory, read only) concerns all keys
 * and ends the call.
 *
 * The answer is 0 when all went well, else a list: how many keys were dealt with, the error that
 * ended the call or an empty string, why the first key that was passed over was, and the positions
 * of all that were, from 1 on.
 *
 * @param write Lua that writes `key`, the `i`th one, and leaves the answer in `reply`: a number
 * where it was written. `pcall` in it is `redis.pcall`.
 */
export function keyScript(write: string): string {
  return `
local pcall, ttl = redis.pcall, ARGV[1]
local refused, why = {}, ''
for i, key in ipairs(KEYS) do
  local reply
${write}
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
}
