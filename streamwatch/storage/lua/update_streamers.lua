-- Replace the records of streamers who are still monitored, and move the logins that changed.
--
-- KEYS
--  1  streamers  hash, user id -> "<login>\n<streamer (JSON)>"
--  2  logins     hash, login -> user id
-- ARGV
--  1  the channel on which changes are published
--  2  the topics that change, separated by spaces
--  3… for each streamer: user id, login, the value for `streamers`
--
-- Result: none.

local streamers, logins = KEYS[1], KEYS[2]
local channel, topics = ARGV[1], ARGV[2]
for i = 3, #ARGV, 3 do
  local user_id, login, value = unpack(ARGV, i, i + 2)
  local known = redis.call('HGET', streamers, user_id)
  if known then
    local old_login = string.match(known, '^[^\n]*')
    redis.call('HSET', streamers, user_id, value)
    if old_login ~= login then
      if redis.call('HGET', logins, old_login) == user_id then
        redis.call('HDEL', logins, old_login)
      end
      redis.call('HSET', logins, login, user_id)
    end
  end
end
redis.pcall('PUBLISH', channel, topics)  -- see commit.lua
