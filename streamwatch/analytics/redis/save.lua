-- Saves a streamer if their version is still the one that was read. Returns 1, else 0.
-- KEYS[1]: the hash of versions. The other keys are those of the commands.
-- ARGV: the user id, the version that was read ('' for none), the new version; then each command
-- as the number of its words and the words.
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
local at = 4
while at <= #ARGV do
  local count = tonumber(ARGV[at])
  redis.call(unpack(ARGV, at + 1, at + count))
  at = at + count + 1
end
return 1
