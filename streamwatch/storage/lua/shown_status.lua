-- What the API shows of the user with a login.
--
-- KEYS
--  1  logins  hash, login -> user id
--  2  status  hash, user id -> "<version>\n<what the API shows>\n<what it remembers>"
-- ARGV
--  1  login
--
-- Result: what is shown (JSON); nil where nothing is known.

local logins, status = KEYS[1], KEYS[2]
local user_id = redis.call('HGET', logins, ARGV[1])
local value = user_id and redis.call('HGET', status, user_id)
return value and string.match(value, '\n([^\n]*)')
