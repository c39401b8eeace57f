-- Store one change in one piece, or nothing of it.
--
-- What is decided is decided in Python; here only what nobody but Redis can say at the moment of
-- writing is compared: whether the message was seen, the lease is held, the status is still at its
-- version, and the streamer was removed.
--
-- KEYS
--  1  seen        string, of the message id; there for as long as it is remembered
--  2  lease       string "<fence>\n<holder>"
--  3  hidden      string, of the user id: the hidden status of a removed streamer, "" for none
--  4  status      hash, user id -> "<version>\n<what the API shows>\n<what it remembers>"
--  5  live        sorted set of user ids by viewers
--  6  awaiting    sorted set of user ids by the time (microseconds) the stream was heard to go on
--  7  logins      hash, login -> user id
--  8  feed        stream, field "record"
--  9  events      sorted set of events (JSON) by their time (microseconds)
-- 10  events of the streamer, likewise
-- 11  streamers   hash, user id -> streamer
-- 12… events of a type, likewise
--
-- ARGV
--  1  seconds to remember the message for; "" for a change without a message
--  2  what the lease must hold; "" where none is asked for
--  3  user id
--  4  the version that the status must be at; "0" for none
--  5  the new status, as above
--  6  viewers; "" for a streamer who is not live
--  7  time for `awaiting`; "" for a streamer who is not
--  8  login
--  9  "1" where the login leads to this user whoever had it; "" where only if nobody has
-- 10  the login that no longer leads to this user; "" for none
-- 11  how many events each history keeps
-- 12  the channel on which changes are published
-- 13  the topics that change, separated by spaces
-- 14  the record for the feed (JSON); "" for none
-- 15… for each event: its position in the histories (a time), its JSON, the index in KEYS of the
--     history of its type, and the id of the event at the same position that it replaces, "" for none
--
-- Result: "stored", or why nothing was written: "duplicate", "fenced" or "conflict".

local seen, lease, hidden_status, status, live, awaiting = unpack(KEYS, 1, 6)
local logins, feed, events, events_of_streamer, streamers = unpack(KEYS, 7, 11)
local seen_seconds, held, user_id, version, new_status, viewers, awaiting_since = unpack(ARGV, 1, 7)
local login, claim, previous_login, kept = unpack(ARGV, 8, 11)
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
  set_score(awaiting, awaiting_since)
end
if previous_login ~= '' and redis.call('HGET', logins, previous_login) == user_id then
  redis.call('HDEL', logins, previous_login)
end
if claim ~= '' and not is_removed then
  redis.call('HSET', logins, login, user_id)
else
  redis.call('HSETNX', logins, login, user_id)
end
local function remove_event(history, time, id)
  local start = '{"id":"' .. id .. '"'
  for _, event in ipairs(redis.call('ZRANGEBYSCORE', history, time, time)) do
    if string.sub(event, 1, #start) == start then
      redis.call('ZREM', history, event)
    end
  end
end

for i = 15, #ARGV, 4 do
  local time, event, type_index, replaced = unpack(ARGV, i, i + 3)
  for _, history in ipairs({events, events_of_streamer, KEYS[tonumber(type_index)]}) do
    if replaced ~= '' then
      remove_event(history, time, replaced)
    end
    redis.call('ZADD', history, time, event)
    redis.call('ZREMRANGEBYRANK', history, 0, -kept - 1)
  end
end
if record ~= '' then
  redis.call('XADD', feed, '*', 'record', record)
end
-- A user without rights to the channel cannot subscribe to it either: nobody misses the message.
redis.pcall('PUBLISH', channel, topics)
return 'stored'
