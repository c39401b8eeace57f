-- Read events of a history after a position, newest first.
--
-- Events of the same time are sorted by their JSON, which starts with their id, as Redis sorts the
-- members of a sorted set. The position is found by a binary search among the events of its time.
--
-- KEYS
--  1  history  sorted set of events (JSON) by their time (microseconds)
-- ARGV
--  1  the time of the position
--  2  the JSON of an event at the position, up to and including its id
--  3  the maximum number of events
--
-- Result: for each event its JSON and its time.

local history = KEYS[1]
local time, start, count = ARGV[1], ARGV[2], tonumber(ARGV[3])

-- Compare bytes: the operators of Lua compare strings by the locale.
local function is_before(a, b)
  for i = 1, math.min(#a, #b) do
    local left, right = string.byte(a, i), string.byte(b, i)
    if left ~= right then
      return left < right
    end
  end
  return #a < #b
end

local first = redis.call('ZCOUNT', history, '(' .. time, '+inf')
local last = redis.call('ZCOUNT', history, time, '+inf')
while first < last do
  local middle = math.floor((first + last) / 2)
  if is_before(redis.call('ZREVRANGE', history, middle, middle)[1], start) then
    last = middle
  else
    first = middle + 1
  end
end
return redis.call('ZREVRANGE', history, first, first + count - 1, 'WITHSCORES')
