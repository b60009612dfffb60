"""The steps that must not be divided, as Lua that the broker runs.

In each, KEYS[1] is the stream and ARGV[1] its consumer group. The stream is never trimmed: that
would remove jobs which a worker has taken and not finished. So every entry is either waiting or
pending, and the number of waiting jobs is the length less the pending ones.
"""

ADMIT = """
-- ARGV: group, prefix of liveness keys, prefix of bells, life of a bell in ms, most waiting jobs,
-- how long the job has in us, image.
-- Returns the id of the new job, or 'full', or 'nobody'.
local waiting = redis.call('XLEN', KEYS[1]) - redis.call('XPENDING', KEYS[1], ARGV[1])[1]
local idlest, fewest
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local name, held = consumer[2], consumer[4]
  if redis.call('EXISTS', ARGV[2] .. name) == 1 and (not idlest or held < fewest) then
    idlest, fewest = name, held
  end
end
if not idlest then return 'nobody' end
if waiting >= tonumber(ARGV[5]) then return 'full' end
local now = redis.call('TIME')
local added_us = now[1] * 1000000 + now[2]
local id = redis.call('XADD', KEYS[1], '*', 'added_us', string.format('%.0f', added_us),
  'deadline_us', string.format('%.0f', added_us + ARGV[6]), 'image', ARGV[7])
-- A worker that holds nothing waits for the job itself (Inbox.take). Where all hold something, the
-- one with the fewest jobs is told that it can prepare one more (Inbox.listen).
local bell = ARGV[3] .. idlest
if fewest > 0 and redis.call('EXISTS', bell) == 0 then
  redis.call('RPUSH', bell, '')
  redis.call('PEXPIRE', bell, ARGV[4])
end
return id
"""

ANNOUNCE = """
-- ARGV: group, prefix of liveness keys, a key's life in ms, what the worker tells about itself,
-- consumer, the consumer that it was before.
-- A missing group is complained of by XPENDING in a way that can be told from other errors.
redis.call('XPENDING', KEYS[1], ARGV[1])
redis.call('DEL', ARGV[2] .. ARGV[6])
redis.call('SET', ARGV[2] .. ARGV[5], ARGV[4], 'PX', ARGV[3])
redis.call('XGROUP', 'CREATECONSUMER', KEYS[1], ARGV[1], ARGV[5])
"""

FINISH = """
-- ARGV: group, prefix of reply keys, life of a reply in ms, then a job's id and reply, and so on.
-- A job that was claimed from a slow worker is finished twice, but answered by the first alone.
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

RESCUE = """
-- ARGV: group, prefix of liveness keys, consumer that claims.
-- Returns one job of a dead worker, as its number of deliveries and its entry; or nothing.
-- Dead workers that hold no job are forgotten.
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

RING = """
-- ARGV: group, bell, its life in ms.
if redis.call('EXISTS', ARGV[2]) == 0 then
  redis.call('RPUSH', ARGV[2], '')
  redis.call('PEXPIRE', ARGV[2], ARGV[3])
end
"""

WITHDRAW = """
-- ARGV: group, job's id. Removes the job if no worker has taken it.
if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1) == 0 then
  return redis.call('XDEL', KEYS[1], ARGV[2])
end
return 0
"""

LOOK = """
-- ARGV: group, prefix of liveness keys.
-- Returns the number of waiting jobs, of those that workers hold, and what each living worker
-- tells about itself.
local held = redis.call('XPENDING', KEYS[1], ARGV[1])[1]
local told = {}
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local status = redis.call('GET', ARGV[2] .. consumer[2])
  if status then table.insert(told, status) end
end
return {redis.call('XLEN', KEYS[1]) - held, held, told}
"""
