-- Read feed entries without handing them out.
--
-- KEYS
--  1  feed  stream, field "record"
-- ARGV
--  1  the id after which to read; "" to start with the oldest retained entry
--  2  the maximum number of entries
--
-- Result: {complete, entries}. `complete` is 1 if the entry with that id is retained or is the newest
-- ever, else 0. Each entry is {id, record}; the record is "" if the entry has none.

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
if #found == 0 then  -- the id is greater than all ids of this feed, so it is from another feed
  found = redis.call('XRANGE', feed, '-', '+', 'COUNT', count)
end

local entries = {}
for _, entry in ipairs(found) do
  local id, fields = unpack(entry)
  table.insert(entries, {id, fields[1] == 'record' and fields[2] or ''})
end
return {complete, entries}
