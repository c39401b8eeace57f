-- Store the result of a check of archived videos, and remove the check from the queue, unless it was
-- planned again.
--
-- KEYS
--  1  backfill-queue  sorted set: check -> when it is due
--  2  backfills       hash: user id -> last backfill
-- ARGV
--  1  the check
--  2  the time at which it must be due
--  3  the user id
--  4  the backfill

local queue, backfills = unpack(KEYS)
local check, due, user_id, backfill = unpack(ARGV)
local planned = redis.call('ZSCORE', queue, check)
if planned and tonumber(planned) == tonumber(due) then
  redis.call('ZREM', queue, check)
end
redis.call('HSET', backfills, user_id, backfill)
