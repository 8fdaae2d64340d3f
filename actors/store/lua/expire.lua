-- Takes back leases that have ended. Arguments: node and nonce of the caller,
-- how many at most.
-- @return when the next lease may end (0: none), now, then for each job 1 if
-- it is publishing and leased to the caller now, else 0, and the packed job

local node, nonce, most = ARGV[FIRST], ARGV[FIRST + 1], ARGV[FIRST + 2]
local times = call('HMGET', META, 'alive', 'grace')
local alive, grace = tonumber(times[1] or 0), tonumber(times[2] or 0)
local usual_ms = tonumber(ARGV[4])
local answers = {0, now}

local function settle(id, j)
  local publishing = j[PUBLISHING]
  if publishing == 1 then
    take_over(id, j, node, nonce)
  else
    lose(id, j)
  end
  j[REVISION] = j[REVISION] + 1
  save(id, j)
  answers[#answers + 1] = publishing
  answers[#answers + 1] = packed[id]
end

-- Not after a time in which nobody could renew.
local function may_expire()
  return now - alive <= usual_ms / 2 and now >= grace
end

local ids = {}
if may_expire() then
  ids = call('ZRANGEBYSCORE', LEASES, '-inf', now, 'LIMIT', 0, most)
end
fetch(ids)
for _, id in ipairs(ids) do
  local j = packed[id] and load(packed[id])
  if j then
    settle(id, j)
  else
    remove(LEASES, id)
  end
end
flush()
local first = call('ZRANGE', LEASES, 0, 0, 'WITHSCORES')[2]
local due = first and math.max(tonumber(first), grace) or 0
if first and due <= now then
  due = now + usual_ms / 2 -- during a gap: a renewal is awaited first
end
answers[1] = due
return answers
