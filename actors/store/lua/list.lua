-- Reads a page, newest first. Arguments: the sequence below which the page
-- begins, how many at most, batch as packed (empty: any), digits of the states
-- to look at. @return packed jobs

local below, most = ARGV[FIRST], tonumber(ARGV[FIRST + 1])
local batch, states = ARGV[FIRST + 2], ARGV[FIRST + 3]

local function of_batch()
  local ids = {}
  local low, high = '[' .. batch, '(' .. batch .. pack('>I8', below)
  local found = call('ZREVRANGEBYLEX', BATCHES, high, low, 'LIMIT', 0, most)
  for i, member in ipairs(found) do
    ids[i] = sub(member, #batch + 9)
  end
  return ids
end

local function of_states()
  local rows, ids = {}, {}
  for at = 1, #states do
    local key = KEYS[STATE_KEY + tonumber(sub(states, at, at))]
    local found = call('ZREVRANGEBYSCORE', key, '(' .. below, '-inf',
                       'WITHSCORES', 'LIMIT', 0, most)
    for i = 1, #found, 2 do
      rows[#rows + 1] = {id = found[i], seq = tonumber(found[i + 1])}
    end
  end
  table.sort(rows, function(x, y) return x.seq > y.seq end)
  for i = 1, math.min(most, #rows) do
    ids[i] = rows[i].id
  end
  return ids
end

local ids = batch ~= '' and of_batch() or of_states()
local jobs = {}
fetch(ids)
for _, id in ipairs(ids) do
  jobs[#jobs + 1] = packed[id]
end
return jobs
