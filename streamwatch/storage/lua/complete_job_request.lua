-- Clear the request of a job, unless the job was requested again.
--
-- KEYS
--  1  job-requests  hash: job -> id of its last request
-- ARGV
--  1  the job
--  2  the id that the request must have

local requests = KEYS[1]
local job, id = unpack(ARGV)
if redis.call('HGET', requests, job) == id then
  redis.call('HDEL', requests, job)
end
