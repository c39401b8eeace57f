-- Delete the record of a streamer, and hide their status. Login and history remain.
--
-- KEYS
--  1  streamers  hash, user id -> "<login>\n<streamer (JSON)>\n<version>"
--  2  status     hash, user id -> status
--  3  live       sorted set of user ids
--  4  awaiting   sorted set of user ids
--  5  removed    string of the user id: the version of the removed record; expires
--  6  hidden     string of the user id: the hidden status of a removed streamer, "" for none; expires
-- ARGV
--  1  the channel on which changes are published
--  2  the topics that change, separated by spaces
--  3  user id
--  4  seconds until `removed` and `hidden` expire
--
-- Result: the deleted record; nil if the user is not monitored.

local streamers, status, live, awaiting, removed, hidden = unpack(KEYS)
local channel, topics, user_id, seconds = unpack(ARGV)
local record = redis.call('HGET', streamers, user_id)
if record then
  redis.call('HDEL', streamers, user_id)
  redis.call('ZREM', live, user_id)
  redis.call('ZREM', awaiting, user_id)
  redis.call('SET', removed, string.match(record, '\n(%d+)$') or '1', 'EX', seconds)
  -- A streamer who was added again still has the hidden status until the next commit.
  local known = redis.call('HGET', status, user_id) or redis.call('GET', hidden) or ''
  redis.call('SET', hidden, known, 'EX', seconds)
  redis.call('HDEL', status, user_id)
  redis.pcall('PUBLISH', channel, topics)  -- see commit.lua
end
return record
