-- @return now, then for each state and queue: field (state digit, queue),
-- number, and for queued jobs when the first of them became ready

local fields = call('HGETALL', DEPTH)
local answers = {now}

-- Within a lane the first is the oldest. Beyond so many lanes, the oldest of
-- those that are served first.
local MOST_LANES = 2000

local function first_ready(queue)
  local oldest = now
  local prefix = string.char(#queue) .. queue
  local from, to = within(prefix)
  local heads = call('ZRANGEBYLEX', HEADS, from, to, 'LIMIT', 0, MOST_LANES)
  for _, member in ipairs(heads) do
    local score = unpack_header('>I8', member, #prefix + 1) - BIAS
    oldest = math.min(oldest, score + byte(member, -1) * ageing)
  end
  return oldest
end

for i = 1, #fields, 2 do
  local field = fields[i]
  local queued = tonumber(sub(field, 1, 1)) == QUEUED
  answers[#answers + 1] = field
  answers[#answers + 1] = tonumber(fields[i + 1])
  answers[#answers + 1] = queued and first_ready(sub(field, 2)) or 0
end
return answers
