-- Drop the entries of the feed that every reader has acknowledged, but for the newest, and consumers
-- that are gone.
--
-- A reader still needs its oldest entry that is pending, or else whatever comes after the last one
-- it was handed. Redis hands an entry out in the order of ids, so that the smallest of these ids
-- bounds what nobody needs.
--
-- KEYS
--  1  feed  stream; a reader is a consumer group
-- ARGV
--  1  milliseconds after which a consumer that did not read, and has nothing pending, is gone
--  2  how many of the newest entries are kept all the same
--
-- Result: how many entries were dropped.

local feed, gone_after, keep = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
if redis.call('EXISTS', feed) == 0 then
  return 0
end

local function named(list)
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
  local group = named(list)
  local pending = redis.call('XPENDING', feed, group['name'])
  local needed = pending[1] > 0 and pending[2] or after(group['last-delivered-id'])
  if not oldest_needed or is_before(needed, oldest_needed) then
    oldest_needed = needed
  end
  for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', feed, group['name'])) do
    local consumer = named(fields)
    if consumer['pending'] == 0 and consumer['idle'] > gone_after then
      redis.call('XGROUP', 'DELCONSUMER', feed, group['name'], consumer['name'])
    end
  end
end
if oldest_needed and keep > 0 then
  local newest = redis.call('XREVRANGE', feed, '+', '-', 'COUNT', keep)
  local kept = newest[#newest]
  if kept and is_before(kept[1], oldest_needed) then
    oldest_needed = kept[1]
  end
end
return oldest_needed and redis.call('XTRIM', feed, 'MINID', '=', oldest_needed) or 0
