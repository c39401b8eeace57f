-- What the API shows of those who are live, most viewers first.
--
-- KEYS
--  1  live     sorted set of user ids by viewers
--  2  status   hash, user id -> "<version>\n<what the API shows>\n<what it remembers>"
-- ARGV  none
--
-- Result: what is shown of each (JSON).

local live, status = KEYS[1], KEYS[2]
local at_once = 1000  -- well within what `unpack` can take

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
return shown
