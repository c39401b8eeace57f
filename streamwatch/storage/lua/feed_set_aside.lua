-- Acknowledge an entry of the feed that cannot be processed, and keep it as it is stored. One that
-- is acknowledged already was processed after all, by another consumer.
--
-- KEYS
--  1  feed       stream, field "record"; a reader is a consumer group
--  2  set aside  hash of the reader, entry id -> "<what went wrong (JSON)>\n<record>"
-- ARGV
--  1  reader
--  2  entry id
--  3  what went wrong (JSON)
--
-- Result: none.

local feed, set_aside = KEYS[1], KEYS[2]
local reader, id, failure = unpack(ARGV)
if redis.call('XACK', feed, reader, id) == 1 then
  local fields = redis.call('XRANGE', feed, id, id)[1][2]
  redis.call('HSET', set_aside, id, failure .. '\n' .. (fields[1] == 'record' and fields[2] or ''))
end
