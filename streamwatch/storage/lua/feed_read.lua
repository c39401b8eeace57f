-- Hand out feed entries: first those whose consumer is assumed dead, then new ones.
--
-- KEYS
--  1  feed  stream, field "record"; a reader is a consumer group
-- ARGV
--  1  reader
--  2  consumer
--  3  the maximum number of entries
--  4  milliseconds after which an entry without acknowledgement is handed out again
--
-- Result: for each entry {id, how often it was handed out, record}. The record is "" if the entry
-- has none.

local feed = KEYS[1]
local reader, consumer, count, idle = unpack(ARGV)
count = tonumber(count)

local entries = {}
local function hand_out(entry, tries)
  local id, fields = unpack(entry)
  table.insert(entries, {id, tries, fields[1] == 'record' and fields[2] or ''})
end

local cursor = '0-0'
repeat
  local left = count - #entries
  local page = redis.call('XAUTOCLAIM', feed, reader, consumer, idle, cursor, 'COUNT', left)
  cursor = page[1]
  for _, entry in ipairs(page[2]) do
    hand_out(entry, redis.call('XPENDING', feed, reader, entry[1], entry[1], 1)[1][4])
  end
until cursor == '0-0' or #entries == count
if #entries < count then
  local left = count - #entries
  local answer = redis.call(
    'XREADGROUP', 'GROUP', reader, consumer, 'COUNT', left, 'STREAMS', feed, '>')
  for _, entry in ipairs(answer and answer[1][2] or {}) do
    hand_out(entry, 1)
  end
end
return entries
