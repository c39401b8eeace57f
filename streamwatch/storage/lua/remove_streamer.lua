-- Stop monitoring a streamer: the record and the status go, the login and the history stay.
--
-- KEYS
--  1  streamers  hash, user id -> "<login>\n<streamer (JSON)>"
--  2  status     hash, user id -> status
--  3  live       sorted set of user ids
--  4  awaiting   sorted set of user ids
--  5  removed    string, of the user id; there for as long as late messages may come
--  6  changes    counter of the changes of what is shown of the live
-- ARGV
--  1  user id
--  2  seconds for `removed`
--
-- Result: the record that was removed; nil for a user who is not monitored.

local streamers, status, live, awaiting, removed, live_changes = unpack(KEYS)
local user_id, seconds = unpack(ARGV)
local record = redis.call('HGET', streamers, user_id)
if record then
  redis.call('HDEL', streamers, user_id)
  redis.call('HDEL', status, user_id)
  redis.call('ZREM', live, user_id)
  redis.call('ZREM', awaiting, user_id)
  redis.call('SET', removed, '', 'EX', seconds)
  redis.call('INCR', live_changes)
end
return record
