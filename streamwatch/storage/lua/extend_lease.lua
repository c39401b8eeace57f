-- Hold on to a lease, or give it back.
--
-- KEYS
--  1  lease  string "<fence>\n<holder>", gone when the lease ends
-- ARGV
--  1  what the lease must hold
--  2  milliseconds from now at which it ends; 0 gives it back
--
-- Result: 1, or 0 if the lease was lost.

local lease = KEYS[1]
local held, milliseconds = unpack(ARGV)
if redis.call('GET', lease) ~= held then
  return 0
end
return redis.call('PEXPIRE', lease, milliseconds)
