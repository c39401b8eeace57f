-- Add the records of streamers that are not monitored yet.
--
-- KEYS
--  1  streamers  hash, user id -> "<login>\n<streamer (JSON)>\n<version>"
--  2  logins     hash, login -> user id
--  3… removed    string for each streamer: the version of their removed record
-- ARGV
--  1  the channel on which changes are published
--  2  the topics that change, separated by spaces
--  3… for each streamer: user id, login, the value for `streamers` without the version
--
-- Result: the user ids of the records that were added.

local streamers, logins = KEYS[1], KEYS[2]
local channel, topics = ARGV[1], ARGV[2]
local added = {}
for i = 1, #KEYS - 2 do
  local user_id, login, value = unpack(ARGV, 3 * i, 3 * i + 2)
  local removed_version = tonumber(redis.call('GET', KEYS[i + 2]) or '') or 0
  if redis.call('HSETNX', streamers, user_id, value .. removed_version + 1) == 1 then
    redis.call('HSET', logins, login, user_id)
    redis.call('DEL', KEYS[i + 2])
    table.insert(added, user_id)
  end
end
redis.pcall('PUBLISH', channel, topics)  -- see commit.lua
return added
