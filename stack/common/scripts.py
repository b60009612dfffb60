"""Atomic operations on the broker, as Lua scripts.

In each script, KEYS[1] is the stream and ARGV[1] its consumer group. The stream is never trimmed,
since that would remove jobs that workers have taken but not finished. Every entry is therefore
either waiting or pending, and the number of waiting jobs is the stream's length minus the pending
entries.
"""

ADMIT = """
-- ARGV: group, prefix of heartbeat keys, prefix of wake-up keys, TTL of a wake-up in ms, maximum
-- number of waiting jobs, time until the job's deadline in us, image.
-- Returns the id of the new job, or 'full', or 'no worker'.
local waiting = redis.call('XLEN', KEYS[1]) - redis.call('XPENDING', KEYS[1], ARGV[1])[1]
local idlest, fewest
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local name, held = consumer[2], consumer[4]
  if redis.call('EXISTS', ARGV[2] .. name) == 1 and (not idlest or held < fewest) then
    idlest, fewest = name, held
  end
end
if not idlest then return 'no worker' end
if waiting >= tonumber(ARGV[5]) then return 'full' end
local now = redis.call('TIME')
local added_us = now[1] * 1000000 + now[2]
local id = redis.call('XADD', KEYS[1], '*', 'added_us', string.format('%.0f', added_us),
  'deadline_us', string.format('%.0f', added_us + ARGV[6]), 'image', ARGV[7])
-- An idle worker already waits for the job (Inbox.take). If all workers are busy, wake the one with
-- the fewest jobs, so that it prepares one more (Inbox.listen).
local wakeup = ARGV[3] .. idlest
if fewest > 0 and redis.call('EXISTS', wakeup) == 0 then
  redis.call('RPUSH', wakeup, '')
  redis.call('PEXPIRE', wakeup, ARGV[4])
end
return id
"""

ANNOUNCE = """
-- ARGV: group, prefix of heartbeat keys, TTL of the key in ms, status of the worker, consumer,
-- previous consumer.
-- XPENDING raises a distinct error if the group is missing.
redis.call('XPENDING', KEYS[1], ARGV[1])
redis.call('DEL', ARGV[2] .. ARGV[6])
redis.call('SET', ARGV[2] .. ARGV[5], ARGV[4], 'PX', ARGV[3])
redis.call('XGROUP', 'CREATECONSUMER', KEYS[1], ARGV[1], ARGV[5])
"""

FINISH = """
-- ARGV: group, prefix of reply keys, TTL of a reply in ms, then pairs of job id and reply.
-- A job reclaimed from a slow worker may be finished twice; only the first reply is sent.
local answered = 0
for i = 4, #ARGV, 2 do
  if redis.call('XACK', KEYS[1], ARGV[1], ARGV[i]) == 1 then
    redis.call('XDEL', KEYS[1], ARGV[i])
    redis.call('RPUSH', ARGV[2] .. ARGV[i], ARGV[i + 1])
    redis.call('PEXPIRE', ARGV[2] .. ARGV[i], ARGV[3])
    answered = answered + 1
  end
end
return answered
"""

RECLAIM = """
-- ARGV: group, prefix of heartbeat keys, claiming consumer.
-- Returns one job of a dead worker (number of deliveries, entry), or false.
-- Deletes the consumer of a dead worker if it holds no jobs.
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local name, held = consumer[2], consumer[4]
  if name ~= ARGV[3] and redis.call('EXISTS', ARGV[2] .. name) == 0 then
    if held == 0 then
      redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], name)
    else
      local job = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, name)[1]
      local entry = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[3], 0, job[1])[1]
      if entry then return {job[4] + 1, entry[1], entry[2]} end
    end
  end
end
return false
"""

WAKE = """
-- ARGV: group, wake-up key, its TTL in ms.
if redis.call('EXISTS', ARGV[2]) == 0 then
  redis.call('RPUSH', ARGV[2], '')
  redis.call('PEXPIRE', ARGV[2], ARGV[3])
end
"""

WITHDRAW = """
-- ARGV: group, job id. Removes the job if no worker has taken it.
if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1) == 0 then
  return redis.call('XDEL', KEYS[1], ARGV[2])
end
return 0
"""

STATUS = """
-- ARGV: group, prefix of heartbeat keys.
-- Returns the number of waiting jobs, the number of held jobs, and the status of each live worker.
local held = redis.call('XPENDING', KEYS[1], ARGV[1])[1]
local statuses = {}
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local status = redis.call('GET', ARGV[2] .. consumer[2])
  if status then table.insert(statuses, status) end
end
return {redis.call('XLEN', KEYS[1]) - held, held, statuses}
"""
