-- Store the result of a check of archived videos, and remove the check from the queue.
--
-- KEYS
--  1  backfill-queue  sorted set: check -> when it is due
--  2  backfills       hash: user id -> last backfill
-- ARGV
--  1  the check
--  2  the user id
--  3  the backfill

local queue, backfills = unpack(KEYS)
local check, user_id, backfill = unpack(ARGV)
redis.call('ZREM', queue, check)
redis.call('HSET', backfills, user_id, backfill)
