-- Renew or release a lease.
--
-- KEYS
--  1  lease  string "<fence>\n<holder>", which expires with the lease
-- ARGV
--  1  the value that the lease must have
--  2  milliseconds until the lease expires; 0 releases it
--
-- Result: 1, or 0 if the lease was lost.

local lease = KEYS[1]
local held, milliseconds = unpack(ARGV)
if redis.call('GET', lease) ~= held then
  return 0
end
return redis.call('PEXPIRE', lease, milliseconds)
