-- Queues scheduled jobs that are due. Argument: how many at most.
-- @return when the next is due (0: none), now, then the packed jobs

local answers = {0, now}
local ids = call('ZRANGEBYSCORE', SCHEDULE, '-inf', now,
                 'LIMIT', 0, ARGV[FIRST])
fetch(ids)
for _, id in ipairs(ids) do
  local j = packed[id] and load(packed[id])
  if j then
    leave(id, j)
    enter(id, j, QUEUED)
    j[REVISION] = j[REVISION] + 1
    save(id, j)
    answers[#answers + 1] = packed[id]
  else
    remove(SCHEDULE, id)
  end
end
flush()
answers[1] = tonumber(call('ZRANGE', SCHEDULE, 0, 0, 'WITHSCORES')[2] or 0)
return answers
