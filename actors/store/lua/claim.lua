-- Leases ready jobs, best first. Arguments: the queue as a lane begins with
-- it, node, nonce, how many at most, 1 when due jobs need no promotion.
-- @return 1 when there are due jobs to promote first (and nothing is done),
-- else 0; then the packed jobs

local prefix, node, nonce = ARGV[FIRST], ARGV[FIRST + 1], ARGV[FIRST + 2]
local wanted = tonumber(ARGV[FIRST + 3])

if ARGV[FIRST + 4] == '0' and call('ZCOUNT', SCHEDULE, '-inf', now) > 0 then
  return {1}
end

-- Takes ids from the lane with the best head: those that precede the next
-- lane's head. @return how many
local function take(ids)
  local from, to = within(prefix)
  local heads = call('ZRANGEBYLEX', HEADS, from, to, 'LIMIT', 0, 2)
  if not heads[1] then
    return 0
  end
  local lane = prefix .. sub(heads[1], #prefix + 17)
  local low, high = within(lane)
  if heads[2] then
    high = '(' .. lane .. sub(heads[2], #prefix + 1, #prefix + 16)
  end
  local members = call('ZRANGEBYLEX', READY, low, high,
                       'LIMIT', 0, wanted - #ids)
  for _, member in ipairs(members) do
    ids[#ids + 1] = sub(member, #lane + 17)
  end
  if #members > 0 then
    call('ZREM', READY, unpack(members))
  end
  call('ZREM', HEADS, heads[1])
  local first = first_rank(lane)
  if first then
    call('ZADD', HEADS, 0, head(lane, first))
  end
  return #members
end

local function start(id, j)
  remove(keys[QUEUED], id)
  count(QUEUED, lane_of(j), -1)
  enter(id, j, RUNNING)
  j[ATTEMPT] = j[ATTEMPT] + 1
  j[REVISION] = j[REVISION] + 1
  j[STARTED] = now
  clear_text(j, PROGRESS)
  take_over(id, j, node, nonce)
  save(id, j)
end

local ids, answers = {}, {0}
while #ids < wanted and take(ids) > 0 do end
fetch(ids)
for _, id in ipairs(ids) do
  local j = packed[id] and load(packed[id])
  if j then
    start(id, j)
    answers[#answers + 1] = packed[id]
  end
end
flush()
return answers
