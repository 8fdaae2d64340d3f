-- Writes what a server has worked out from jobs that it read before, unless
-- one of them has changed since: then nothing is written.
--
-- ARGV: the version of the data when it was read; checks; the number of lanes
-- whose first job may change, these; commands, each as its name, the index of
-- its key, the number of its other arguments, these.
-- @return 1, or 0 when a check failed

local call, sub = redis.call, string.sub
local META, READY, HEADS = KEYS[1], KEYS[3], KEYS[4]

-- Each check: the index of a hash, a field, and what its value begins with
-- (nothing: there is no such field).
local function has_changed(checks)
  local at = 1
  while at <= #checks do
    local key, field, begin
    key, field, begin, at = struct.unpack('<BI4c0I4c0', checks, at)
    local value = call('HGET', KEYS[key], field)
    if not value and begin ~= '' or value and begin == ''
       or value and sub(value, 1, #begin) ~= begin then
      return true
    end
  end
  return false
end

if call('HGET', META, 'version') ~= ARGV[1] and has_changed(ARGV[2]) then
  return 0
end
call('HINCRBY', META, 'version', 1)

-- Every lane that is not empty has its first job's rank in HEADS, behind the
-- queue that the lane begins with.
local function first_rank(lane)
  local first = call('ZRANGEBYLEX', READY, '[' .. lane, '(' .. lane .. '\255',
                     'LIMIT', 0, 1)[1]
  return first and sub(first, #lane + 1, #lane + 16)
end

local function head(lane, rank)
  local size = 1 + string.byte(lane)
  return sub(lane, 1, size) .. rank .. sub(lane, size + 1)
end

local at = 4 + ARGV[3]
local before = {}
for i = 4, at - 1 do
  before[i] = first_rank(ARGV[i])
end

while ARGV[at] do
  local last = at + 2 + ARGV[at + 2]
  call(ARGV[at], KEYS[tonumber(ARGV[at + 1])], unpack(ARGV, at + 3, last))
  at = last + 1
end

for i = 4, 3 + ARGV[3] do
  local lane, old = ARGV[i], before[i]
  local new = first_rank(lane)
  if new ~= old then
    if old then call('ZREM', HEADS, head(lane, old)) end
    if new then call('ZADD', HEADS, 0, head(lane, new)) end
  end
end
return 1
