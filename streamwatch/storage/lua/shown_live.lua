-- What the API shows of those who are live, most viewers first, unless the asker has it.
--
-- KEYS
--  1  live     sorted set of user ids by viewers
--  2  status   hash, user id -> "<version>\n<what the API shows>\n<what it remembers>"
--  3  version  string, another with each change of what is shown of the live
-- ARGV
--  1  the version that the asker has; "" for none
--
-- Result: {version; what is shown of each (JSON)}; {version} where that is the asker's.

local live, status, live_version = KEYS[1], KEYS[2], KEYS[3]
local at_once = 1000  -- well within what `unpack` can take

local version = redis.call('GET', live_version) or ''
if version ~= '' and version == ARGV[1] then
  return {version}
end
local user_ids = redis.call('ZREVRANGE', live, 0, -1)
local shown = {}
for start = 1, #user_ids, at_once do
  local stop = math.min(start + at_once - 1, #user_ids)
  for _, value in ipairs(redis.call('HMGET', status, unpack(user_ids, start, stop))) do
    local first = string.find(value, '\n', 1, true)
    local second = string.find(value, '\n', first + 1, true)
    shown[#shown + 1] = string.sub(value, first + 1, second - 1)
  end
end
return {version, shown}
