-- Store the next versions of streamers' records, and update the logins that changed.
--
-- KEYS
--  1  streamers  hash, user id -> "<login>\n<streamer (JSON)>\n<version>"
--  2  logins     hash, login -> user id
-- ARGV
--  1  the channel on which changes are published
--  2  the topics that change, separated by spaces
--  3… for each streamer: user id, login, the version that is replaced, the value for `streamers`
--
-- Result: for each streamer "stored", or "conflict" if the record is at another version or the
-- streamer is not monitored.

local streamers, logins = KEYS[1], KEYS[2]
local channel, topics = ARGV[1], ARGV[2]
local results = {}
for i = 3, #ARGV, 4 do
  local user_id, login, base_version, value = unpack(ARGV, i, i + 3)
  local known = redis.call('HGET', streamers, user_id)
  -- StreamWatch 0.1 stored records without a version: they have version 1.
  local version = known and (string.match(known, '\n(%d+)$') or '1')
  if version == base_version then
    local old_login = string.match(known, '^[^\n]*')
    redis.call('HSET', streamers, user_id, value)
    if old_login ~= login then
      if redis.call('HGET', logins, old_login) == user_id then
        redis.call('HDEL', logins, old_login)
      end
      redis.call('HSET', logins, login, user_id)
    end
    table.insert(results, 'stored')
  else
    table.insert(results, 'conflict')
  end
end
redis.pcall('PUBLISH', channel, topics)  -- see commit.lua
return results
