-- Saves a streamer if their version is still the one that was read. Returns 1, else 0.
-- KEYS: the hashes of versions, states and statistics, the set of the streamer's login, then the
-- keys of the commands.
-- ARGV: the user id, the version that was read ('' for none), the new version, the state, the
-- statistics; then each command as the number of its words and the words.
local user = ARGV[1]
if (redis.call('HGET', KEYS[1], user) or '') ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], user, ARGV[3])
redis.call('HSET', KEYS[2], user, ARGV[4])
redis.call('HSET', KEYS[3], user, ARGV[5])
redis.call('SADD', KEYS[4], user)
local at = 6
while at <= #ARGV do
  local count = tonumber(ARGV[at])
  redis.call(unpack(ARGV, at + 1, at + count))
  at = at + count + 1
end
return 1
