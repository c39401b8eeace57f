-- Register a reader of the feed, unless it is registered. It starts with the oldest retained entry.
--
-- KEYS
--  1  feed  stream; a reader is a consumer group
-- ARGV
--  1  reader
--
-- Result: none.

local feed, reader = KEYS[1], ARGV[1]
if redis.call('EXISTS', feed) == 1 then
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', feed)) do
    if group[2] == reader then
      return
    end
  end
end
redis.call('XGROUP', 'CREATE', feed, reader, '0', 'MKSTREAM')
