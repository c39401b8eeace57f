-- Store a change completely or not at all.
--
-- Python code decides the change. This script checks only what can be checked reliably at the moment
-- of writing: whether the message was seen, the lease is held, the status is still at its version,
-- and the streamer was removed.
--
-- KEYS
--  1  seen        string of the message id, which exists while the message counts as seen
--  2  lease       string "<fence>\n<holder>"
--  3  hidden      string of the user id: the hidden status of a removed streamer, "" for none
--  4  status      hash, user id -> "<version>\n<JSON of the API>\n<JSON of the rest>"
--  5  live        sorted set of user ids by viewers
--  6  awaiting    sorted set of user ids of streams without details, by the last update of the
--                 status (microseconds)
--  7  logins      hash, login -> user id
--  8  feed        stream, field "record"
--  9  events      sorted set of events (JSON) by their time (microseconds)
-- 10  the streamer's events, in the same form
-- 11  streamers   hash, user id -> streamer
-- 12… the events of each type, in the same form
--
-- ARGV
--  1  seconds for which the message counts as seen; "" for a change without a message
--  2  the value that the lease must have; "" if no lease is required
--  3  user id
--  4  the version that the status must have; "0" if there must be no status
--  5  the new status, as above
--  6  viewers; "" for a streamer who is not live
--  7  the score in `awaiting`; "" for a stream that has details or is not live
--  8  login
--  9  "1" if the login is assigned to this user even if another has it; "" if only when it is free
-- 10  a login that is taken from this user; "" for none
-- 11  how many events each history retains
-- 12  the channel on which changes are published
-- 13  the topics that change, separated by spaces
-- 14  the record for the feed (JSON); "" for none
-- 15… for each event: its score in the histories (microseconds), its JSON, the index in KEYS of the
--     history of its type, and the id of the event with the same score that it replaces, "" for none
--
-- Result: "stored", or the reason why nothing was written: "duplicate", "fenced" or "conflict".

local seen, lease, hidden_status, status, live, awaiting = unpack(KEYS, 1, 6)
local logins, feed, events, events_of_streamer, streamers = unpack(KEYS, 7, 11)
local seen_seconds, held, user_id, version, new_status, viewers, awaiting_score = unpack(ARGV, 1, 7)
local login, claim, previous_login, events_kept = unpack(ARGV, 8, 11)
local channel, topics, record = unpack(ARGV, 12, 14)

if seen_seconds ~= '' and redis.call('EXISTS', seen) == 1 then
  return 'duplicate'
end
if held ~= '' and redis.call('GET', lease) ~= held then
  return 'fenced'
end
local known = redis.call('HGET', status, user_id)
local hidden = not known and redis.call('GET', hidden_status)
if hidden and hidden ~= '' then
  known = hidden
end
if string.sub(known or '0\n', 1, #version + 1) ~= version .. '\n' then
  return 'conflict'
end

local function set_score(key, score)
  if score == '' then
    redis.call('ZREM', key, user_id)
  else
    redis.call('ZADD', key, score, user_id)
  end
end

if seen_seconds ~= '' then
  redis.call('SET', seen, '', 'EX', seen_seconds)
end
local is_removed = hidden and redis.call('HEXISTS', streamers, user_id) == 0
if is_removed then
  redis.call('SET', hidden_status, new_status, 'KEEPTTL')
else
  if hidden then
    redis.call('DEL', hidden_status)
  end
  redis.call('HSET', status, user_id, new_status)
  set_score(live, viewers)
  set_score(awaiting, awaiting_score)
end
if previous_login ~= '' and redis.call('HGET', logins, previous_login) == user_id then
  redis.call('HDEL', logins, previous_login)
end
if claim ~= '' and not is_removed then
  redis.call('HSET', logins, login, user_id)
else
  redis.call('HSETNX', logins, login, user_id)
end
local function remove_event(history, score, id)
  local start = '{"id":"' .. id .. '"'
  for _, event in ipairs(redis.call('ZRANGEBYSCORE', history, score, score)) do
    if string.sub(event, 1, #start) == start then
      redis.call('ZREM', history, event)
    end
  end
end

for i = 15, #ARGV, 4 do
  local score, event, type_index, replaced = unpack(ARGV, i, i + 3)
  for _, history in ipairs({events, events_of_streamer, KEYS[tonumber(type_index)]}) do
    if replaced ~= '' then
      remove_event(history, score, replaced)
    end
    redis.call('ZADD', history, score, event)
    redis.call('ZREMRANGEBYRANK', history, 0, -events_kept - 1)
  end
end
if record ~= '' then
  redis.call('XADD', feed, '*', 'record', record)
end
-- pcall, because the Redis user may lack permission for the channel. Then no process can subscribe
-- either, and none relies on the message.
redis.pcall('PUBLISH', channel, topics)
return 'stored'
