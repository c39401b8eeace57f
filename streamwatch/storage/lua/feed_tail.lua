-- Read entries of the feed without handing them out.
--
-- KEYS
--  1  feed  stream, field "record"
-- ARGV
--  1  the id after which to read; "" for the oldest that is kept
--  2  at most so many entries
--
-- Result: {1 where the entry with that id is kept or was the newest of all, else 0; for each entry
-- {id, record}}; the record is "" where the entry has none.

local feed, after, count = KEYS[1], ARGV[1], ARGV[2]

local complete = 0
local found = {}
if after ~= '' and redis.call('EXISTS', feed) == 1 then
  local fields = redis.call('XINFO', 'STREAM', feed)
  for i = 1, #fields, 2 do
    if fields[i] == 'last-generated-id' and fields[i + 1] == after then
      return {1, {}}
    end
  end
  complete = #redis.call('XRANGE', feed, after, after)
  found = redis.call('XRANGE', feed, '(' .. after, '+', 'COUNT', count)
end
if #found == 0 then  -- an id that is greater than all is none of this feed's
  found = redis.call('XRANGE', feed, '-', '+', 'COUNT', count)
end

local entries = {}
for _, entry in ipairs(found) do
  local id, fields = unpack(entry)
  table.insert(entries, {id, fields[1] == 'record' and fields[2] or ''})
end
return {complete, entries}
