-- The queue of one notification: its deliveries, the lanes in which they wait, and its states.
--
-- Times are microseconds since 1970. A delivery is stored as "<version>\n<lane>\n<JSON>".
--
-- KEYS
--  1  notifications  hash, id -> "<version>\n<JSON>"
--  2  targets        sorted set of notification ids by when they have something to attempt
--  3  deliveries     hash, delivery id -> delivery
--  4  pending        sorted set of delivery ids by when they were made
--  5  finished       sorted set of delivery ids by when they were made
--  6  lanes          sorted set (all scores 0) of "<lane>\n<time of the event>\n<delivery id>"
--  7  next           sorted set of pending delivery ids by when they may be attempted
--  8  due            sorted set of lanes by when their first delivery may be attempted or, while it
--                    is claimed, by when the claim ends
--  9  claims         hash, lane -> id of the claimed delivery
-- 10  claim_ends     sorted set of claimed lanes by when the claim ends
-- 11  states         hash, name -> JSON
-- 12  info           hash: failing_since, failed_at (the last failure), paused_until
--
-- ARGV
--  1  operation
--  2  notification id
--  3… arguments of the operation, as written above each

local notifications, targets, deliveries, pending, finished = unpack(KEYS, 1, 5)
local lanes, next_attempts, due, claims, claim_ends, states, info = unpack(KEYS, 6, 12)
local operation, notification_id = ARGV[1], ARGV[2]

local function parts(delivery)
  return string.match(delivery, '^(%d+)\n([^\n]*)\n(.*)$')
end

local function refresh_target()
  local first = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
  if not first[1] then
    redis.call('ZREM', targets, notification_id)
    return
  end
  local at, paused_until = first[2], redis.call('HGET', info, 'paused_until')
  if paused_until and tonumber(paused_until) > tonumber(at) then
    at = paused_until
  end
  redis.call('ZADD', targets, at, notification_id)
end

local function first_of(lane)
  local from, to = '[' .. lane .. '\n', '(' .. lane .. '\n\255'
  local entry = redis.call('ZRANGEBYLEX', lanes, from, to, 'LIMIT', 0, 1)[1]
  return entry and string.match(entry, '([^\n]*)$')
end

local function refresh_lane(lane)
  if redis.call('HEXISTS', claims, lane) == 1 then
    return
  end
  local first = first_of(lane)
  if first then
    redis.call('ZADD', due, redis.call('ZSCORE', next_attempts, first), lane)
  else
    redis.call('ZREM', due, lane)
  end
end

local function put(id, delivery, lane, order, made_at, next_at)
  redis.call('HSET', deliveries, id, delivery)
  if next_at == '' then
    redis.call('ZREM', pending, id)
    redis.call('ZREM', next_attempts, id)
    redis.call('ZADD', finished, made_at, id)
  else
    redis.call('ZREM', finished, id)
    redis.call('ZADD', pending, made_at, id)
    redis.call('ZADD', next_attempts, next_at, id)
    redis.call('ZADD', lanes, 0, lane .. '\n' .. order .. '\n' .. id)
  end
  refresh_lane(lane)
end

-- Store a delivery whose id is new: id, delivery, lane, order, made_at, next_at ("" if finished).
-- Result: the delivery that is known by the id; false where there was none.
local function add(id, delivery, lane, order, made_at, next_at)
  if redis.call('HEXISTS', notifications, notification_id) == 0 then
    return false
  end
  local known = redis.call('HGET', deliveries, id)
  if known then
    return known
  end
  put(id, delivery, lane, order, made_at, next_at)
  refresh_target()
  return false
end

-- A failure more than `gap` after the one before is the first of a new series.
local function add_failure(at, gap)
  local since = redis.call('HGET', info, 'failing_since')
  local last = redis.call('HGET', info, 'failed_at') or since
  if not since or tonumber(at) - tonumber(last) > tonumber(gap) then
    redis.call('HSET', info, 'failing_since', at)
  end
  redis.call('HSET', info, 'failed_at', at)
end

-- Replace a delivery: id, the version that is replaced, then as above, the time, whether an attempt
-- failed ("1", "0"; "" for no attempt), the gap between two series of failures, paused_until ("" to
-- leave it), and names and values of states. Result: 1, or 0 where there is another version.
local function save(
  id, version, delivery, lane, order, made_at, next_at, at, failed, gap, paused, ...)
  local known = redis.call('HGET', deliveries, id)
  local known_version, known_lane = parts(known or '0\n\n')
  if not known or known_version ~= version then
    return 0
  end
  redis.call('ZREM', lanes, known_lane .. '\n' .. order .. '\n' .. id)
  if redis.call('HGET', claims, known_lane) == id then
    redis.call('HDEL', claims, known_lane)
    redis.call('ZREM', claim_ends, known_lane)
  end
  put(id, delivery, lane, order, made_at, next_at)
  refresh_lane(known_lane)
  if failed == '1' then
    add_failure(at, gap)
  elseif failed == '0' then
    redis.call('HDEL', info, 'failing_since')
  end
  if paused ~= '' then
    redis.call('HSET', info, 'paused_until', paused)
  end
  if select('#', ...) > 0 then
    redis.call('HSET', states, ...)
  end
  refresh_target()
  return 1
end

-- Claim the first deliveries of due lanes: now, until, how many claims there may be at any time,
-- how many to claim. Result: the deliveries.
local function claim(now, until_, at_once, count)
  for _, lane in ipairs(redis.call('ZRANGEBYSCORE', claim_ends, '-inf', now)) do
    redis.call('ZREM', claim_ends, lane)
    redis.call('HDEL', claims, lane)
    refresh_lane(lane)
  end
  local claimed = {}
  local paused_until = redis.call('HGET', info, 'paused_until')
  local free = math.min(tonumber(at_once) - redis.call('ZCARD', claim_ends), tonumber(count))
  if free > 0 and not (paused_until and tonumber(paused_until) > tonumber(now)) then
    for _, lane in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, free)) do
      local id = first_of(lane)
      local version, _, document = parts(redis.call('HGET', deliveries, id))
      local delivery = string.format('%d\n%s\n%s', version + 1, lane, document)
      redis.call('HSET', deliveries, id, delivery)
      redis.call('HSET', claims, lane, id)
      redis.call('ZADD', claim_ends, until_, lane)
      redis.call('ZADD', due, until_, lane)
      table.insert(claimed, delivery)
    end
  end
  refresh_target()
  return claimed
end

-- Delete finished deliveries: how many of the newest to keep, made before when to delete.
local function trim(keep, before)
  local gone = redis.call('ZRANGEBYSCORE', finished, '-inf', '(' .. before)
  for _, id in ipairs(redis.call('ZRANGE', finished, 0, -keep - 1)) do
    table.insert(gone, id)
  end
  for _, id in ipairs(gone) do
    redis.call('ZREM', finished, id)
    redis.call('HDEL', deliveries, id)
  end
end

-- Delete the notification and all of the above. Result: 1, or 0 where there was none.
local function remove()
  redis.call('DEL', unpack(KEYS, 3, 12))
  redis.call('ZREM', targets, notification_id)
  return redis.call('HDEL', notifications, notification_id)
end

local operations = {add = add, save = save, claim = claim, trim = trim, remove = remove}
return operations[operation](unpack(ARGV, 3))
