-- Store a notification: a new one, or the next version of one that is known.
--
-- KEYS
--  1  notifications  hash, id -> "<version>\n<JSON>"
-- ARGV
--  1  id
--  2  the notification, as above
--  3  the version that it replaces; "" for a new one
--  4  how many notifications there may be (for a new one)
--
-- Result: 1, or 0 where nothing was stored.

local notifications = KEYS[1]
local id, notification, version, limit = unpack(ARGV)

local known = redis.call('HGET', notifications, id)
if version == '' then
  if known or redis.call('HLEN', notifications) >= tonumber(limit) then
    return 0
  end
elseif not known or string.match(known, '^%d+') ~= version then
  return 0
end
redis.call('HSET', notifications, id, notification)
return 1
