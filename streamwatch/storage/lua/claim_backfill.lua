-- Return the check of archived videos that was due first, and make it due again later; nil if none is
-- due.
--
-- KEYS
--  1  backfill-queue  sorted set: check -> when it is due
-- ARGV
--  1  now
--  2  when the check is due again

local queue = KEYS[1]
local now, again = unpack(ARGV)
local check = redis.call('ZRANGEBYSCORE', queue, '-inf', now, 'LIMIT', 0, 1)[1]
if check then
  redis.call('ZADD', queue, again, check)
end
return check
