-- Tell that something has changed.
--
-- KEYS
--  1  changes  counter
-- ARGV  none
--
-- Result: none.

local changes = KEYS[1]
-- A Redis whose memory is full lets a script go on that has written without taking any: what has been
-- projected must be told before the feed is trimmed.
redis.call('PERSIST', changes)
redis.call('INCR', changes)
