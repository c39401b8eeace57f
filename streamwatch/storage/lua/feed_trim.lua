-- Drop the feed entries that all readers have acknowledged, except the newest, and delete consumers
-- of processes that have ended.
--
-- A reader needs its oldest pending entry and later ones or, without pending entries, those after the
-- last entry it was handed. Redis hands out entries in the order of their ids, so no reader needs an
-- entry before the smallest of these ids.
--
-- KEYS
--  1  feed  stream; a reader is a consumer group
-- ARGV
--  1  milliseconds without a read after which a consumer without pending entries is deleted
--  2  how many of the newest entries are retained in any case
--
-- Result: the number of entries that were dropped.

local feed, idle_limit, keep = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
if redis.call('EXISTS', feed) == 0 then
  return 0
end

local function fields_by_name(list)
  local fields = {}
  for i = 1, #list, 2 do
    fields[list[i]] = list[i + 1]
  end
  return fields
end

local function parts(id)
  local time, sequence = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(time), tonumber(sequence)
end

local function is_before(a, b)
  local a_time, a_sequence = parts(a)
  local b_time, b_sequence = parts(b)
  return a_time < b_time or (a_time == b_time and a_sequence < b_sequence)
end

local function after(id)
  local time, sequence = string.match(id, '^(%d+)-(%d+)$')
  return time .. '-' .. string.format('%.0f', tonumber(sequence) + 1)
end

local oldest_needed
for _, list in ipairs(redis.call('XINFO', 'GROUPS', feed)) do
  local group = fields_by_name(list)
  local pending = redis.call('XPENDING', feed, group['name'])
  local needed = pending[1] > 0 and pending[2] or after(group['last-delivered-id'])
  if not oldest_needed or is_before(needed, oldest_needed) then
    oldest_needed = needed
  end
  for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', feed, group['name'])) do
    local consumer = fields_by_name(fields)
    if consumer['pending'] == 0 and consumer['idle'] > idle_limit then
      redis.call('XGROUP', 'DELCONSUMER', feed, group['name'], consumer['name'])
    end
  end
end
if oldest_needed and keep > 0 then
  local newest = redis.call('XREVRANGE', feed, '+', '-', 'COUNT', keep)
  local oldest_retained = newest[#newest]
  if oldest_retained and is_before(oldest_retained[1], oldest_needed) then
    oldest_needed = oldest_retained[1]
  end
end
return oldest_needed and redis.call('XTRIM', feed, 'MINID', '=', oldest_needed) or 0
