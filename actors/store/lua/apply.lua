-- Writes what a server has worked out from jobs that it read before, unless
-- one of them has changed since: then nothing is written.
--
-- ARGV: the version of the data when it was read; checks; changes of how many
-- jobs run; lanes to be parked; the number of lanes whose first job may
-- change, these; commands, each as its name, the index of its key, the number
-- of its other arguments, these.
-- @return 1, or 0 when a check failed

local call, sub = redis.call, string.sub
local META, READY, HEADS = KEYS[1], KEYS[3], KEYS[4]
local RUNNING, PARKED = KEYS[20], KEYS[21]
local first_lane = 6

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

-- By how many, how many there may be then (0: any number), of what: 'q' and a
-- queue or 'k' and a key.
local names, bys, mosts, counts = {}, {}, {}, {}

local function read_running(changes)
  local at = 1
  while at <= #changes do
    local n = #names + 1
    bys[n], mosts[n], names[n], at = struct.unpack('<i4I4I4c0', changes, at)
  end
  if names[1] then
    counts = call('HMGET', RUNNING, unpack(names))
  end
end

local function has_no_room()
  for n, most in ipairs(mosts) do
    if most > 0 and (counts[n] or 0) + bys[n] > most then
      return true
    end
  end
  return false
end

local is_as_read = call('HGET', META, 'version') == ARGV[1]
read_running(ARGV[3])
if not is_as_read and (has_changed(ARGV[2]) or has_no_room()) then
  return 0
end
call('HINCRBY', META, 'version', 1)

-- Every lane that is not empty has its first job's rank in HEADS, behind the
-- queue that the lane begins with; or, if it is parked, in PARKED behind 'h',
-- with the lane behind 'g' and its key. What becomes of their members is
-- gathered, and written at the end.
local heads, parked = {}, {}
local has_parked = call('EXISTS', PARKED) == 1

local function first_rank(lane)
  local first = call('ZRANGEBYLEX', READY, '[' .. lane, '(' .. lane .. '\255',
                     'LIMIT', 0, 1)[1]
  return first and sub(first, #lane + 1, #lane + 16)
end

local function head(lane, rank)
  local size = 1 + string.byte(lane)
  return sub(lane, 1, size) .. rank .. sub(lane, size + 1)
end

local function parked_lane(lane)
  return 'g' .. sub(lane, 2 + string.byte(lane), -2) .. lane
end

local function is_parked(lane)
  return has_parked and call('ZSCORE', PARKED, parked_lane(lane))
end

local function move_head(lane, old, new)
  if not is_parked(lane) then
    if old then heads[head(lane, old)] = false end
    if new then heads[head(lane, new)] = true end
    return
  end
  if old then parked['h' .. head(lane, old)] = false end
  if new then
    parked['h' .. head(lane, new)] = true
  else
    parked[parked_lane(lane)] = false
  end
end

local function unpark(name)
  local key = 'g' .. struct.pack('<I4', #name - 1) .. sub(name, 2)
  for _, member in ipairs(call('ZRANGEBYLEX', PARKED, '[' .. key,
                               '(' .. key .. '\255')) do
    local lane = sub(member, #key + 1)
    local rank = first_rank(lane)
    parked[member] = false
    if rank then
      parked['h' .. head(lane, rank)] = false
      heads[head(lane, rank)] = true
    end
  end
end

-- A slot that returns lets go what waits for it; so does a change by 0.
local function count_running()
  local set, gone = {}, {}
  for n, by in ipairs(bys) do
    local count = (counts[n] or 0) + by
    if by ~= 0 and count > 0 then
      set[#set + 1] = names[n]
      set[#set + 1] = count
    elseif by ~= 0 then
      gone[#gone + 1] = names[n]
    end
    if by <= 0 and has_parked and sub(names[n], 1, 1) == 'k' then
      unpark(names[n])
    end
  end
  if gone[1] then call('HDEL', RUNNING, unpack(gone)) end
  if set[1] then call('HSET', RUNNING, unpack(set)) end
end

-- Each: how many of a name must run for it to be full, that name, a lane of
-- it. What is no longer full stays where it is.
local function park(lanes, ranks)
  local at = 1
  while at <= #lanes do
    local least, name, lane
    least, name, lane, at = struct.unpack('<I4I4c0I4c0', lanes, at)
    local full = is_as_read
                 or tonumber(call('HGET', RUNNING, name) or 0) >= least
    local rank = full and (ranks[lane] or first_rank(lane))
    if rank and not is_parked(lane) then
      heads[head(lane, rank)] = false
      parked[parked_lane(lane)] = true
      parked['h' .. head(lane, rank)] = true
    end
  end
end

local function write_members(key, members)
  local add, gone = {}, {}
  for member, stays in pairs(members) do
    if stays then
      add[#add + 1] = 0
      add[#add + 1] = member
    else
      gone[#gone + 1] = member
    end
  end
  for i = 1, #gone, 4000 do
    call('ZREM', key, unpack(gone, i, math.min(i + 3999, #gone)))
  end
  for i = 1, #add, 4000 do
    call('ZADD', key, unpack(add, i, math.min(i + 3999, #add)))
  end
end

local at = first_lane + ARGV[5]
local before, after = {}, {}
for i = first_lane, at - 1 do
  before[i] = first_rank(ARGV[i])
end

while ARGV[at] do
  local last = at + 2 + ARGV[at + 2]
  call(ARGV[at], KEYS[tonumber(ARGV[at + 1])], unpack(ARGV, at + 3, last))
  at = last + 1
end

for i = first_lane, first_lane - 1 + ARGV[5] do
  local lane, old = ARGV[i], before[i]
  local new = first_rank(lane)
  after[lane] = new
  if new ~= old then
    move_head(lane, old, new)
  end
end
count_running()
park(ARGV[4], after)
write_members(HEADS, heads)
write_members(PARKED, parked)
return 1
