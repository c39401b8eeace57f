-- Stop monitoring a streamer: the record and the status go, the login and the history stay.
--
-- KEYS
--  1  streamers  hash, user id -> "<login>\n<streamer (JSON)>\n<version>"
--  2  status     hash, user id -> status
--  3  live       sorted set of user ids
--  4  awaiting   sorted set of user ids
--  5  removed    string, of the user id: the version of the removed record; there for as long as late
--                messages may come
-- ARGV
--  1  the channel on which changes are published
--  2  the topics that change, separated by spaces
--  3  user id
--  4  seconds for `removed`
--
-- Result: the record that was removed; nil for a user who is not monitored.

local streamers, status, live, awaiting, removed = unpack(KEYS)
local channel, topics, user_id, seconds = unpack(ARGV)
local record = redis.call('HGET', streamers, user_id)
if record then
  redis.call('HDEL', streamers, user_id)
  redis.call('HDEL', status, user_id)
  redis.call('ZREM', live, user_id)
  redis.call('ZREM', awaiting, user_id)
  redis.call('SET', removed, string.match(record, '\n(%d+)$') or '1', 'EX', seconds)
  redis.pcall('PUBLISH', channel, topics)  -- see commit.lua
end
return record
