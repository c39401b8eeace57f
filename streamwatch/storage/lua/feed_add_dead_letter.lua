-- Acknowledge a feed entry that cannot be processed, and store it as a dead letter. Nothing happens
-- if the entry is acknowledged already: another consumer has processed it.
--
-- KEYS
--  1  feed          stream, field "record"; a reader is a consumer group
--  2  dead letters  hash of the reader, entry id -> "<error (JSON)>\n<record>"
-- ARGV
--  1  reader
--  2  entry id
--  3  error (JSON)
--
-- Result: none.

local feed, dead_letters = KEYS[1], KEYS[2]
local reader, id, failure = unpack(ARGV)
if redis.call('XACK', feed, reader, id) == 1 then
  local fields = redis.call('XRANGE', feed, id, id)[1][2]
  local record = fields[1] == 'record' and fields[2] or ''
  redis.call('HSET', dead_letters, id, failure .. '\n' .. record)
end
