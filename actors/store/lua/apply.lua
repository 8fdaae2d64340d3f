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

local function running(name)
  return tonumber(call('HGET', RUNNING, name) or 0)
end

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

-- Each change: by how many, how many there may be then (0: any number), of
-- what queue or key.
local function has_no_room(changes)
  local at = 1
  while at <= #changes do
    local by, most, name
    by, most, name, at = struct.unpack('<i4I4I4c0', changes, at)
    if most > 0 and running(name) + by > most then
      return true
    end
  end
  return false
end

local is_as_read = call('HGET', META, 'version') == ARGV[1]
if not is_as_read and (has_changed(ARGV[2]) or has_no_room(ARGV[3])) then
  return 0
end
call('HINCRBY', META, 'version', 1)

-- Every lane that is not empty has its first job's rank in HEADS, behind the
-- queue that the lane begins with; or, if it is parked, in PARKED behind 'h',
-- with the lane behind 'g' and its key.
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

local has_parked = call('EXISTS', PARKED) == 1

local function is_parked(lane)
  return has_parked and call('ZSCORE', PARKED, parked_lane(lane))
end

local function move_head(lane, old, new)
  if not is_parked(lane) then
    if old then call('ZREM', HEADS, head(lane, old)) end
    if new then call('ZADD', HEADS, 0, head(lane, new)) end
    return
  end
  if old then call('ZREM', PARKED, 'h' .. head(lane, old)) end
  if new then
    call('ZADD', PARKED, 0, 'h' .. head(lane, new))
  else
    call('ZREM', PARKED, parked_lane(lane))
  end
end

local function unpark(name)
  local key = 'g' .. struct.pack('<I4', #name - 1) .. sub(name, 2)
  for _, member in ipairs(call('ZRANGEBYLEX', PARKED, '[' .. key,
                               '(' .. key .. '\255')) do
    local lane = sub(member, #key + 1)
    local rank = first_rank(lane)
    call('ZREM', PARKED, member)
    if rank then
      call('ZREM', PARKED, 'h' .. head(lane, rank))
      call('ZADD', HEADS, 0, head(lane, rank))
    end
  end
end

-- By how many, then the name: 'q' and a queue or 'k' and a key. A slot that
-- returns lets go what waits for it; so does a change by 0.
local function count_running(changes)
  local at = 1
  while at <= #changes do
    local by, _, name
    by, _, name, at = struct.unpack('<i4I4I4c0', changes, at)
    if by ~= 0 and call('HINCRBY', RUNNING, name, by) <= 0 then
      call('HDEL', RUNNING, name)
    end
    if by <= 0 and has_parked and sub(name, 1, 1) == 'k' then
      unpark(name)
    end
  end
end

-- Each: a name, how many of it must run for it to be full, a lane of it. What
-- is no longer full stays where it is.
local function park(lanes)
  local at = 1
  while at <= #lanes do
    local least, name, lane
    least, name, lane, at = struct.unpack('<I4I4c0I4c0', lanes, at)
    local rank = first_rank(lane)
    if rank and (is_as_read or running(name) >= least)
       and not is_parked(lane) then
      call('ZREM', HEADS, head(lane, rank))
      call('ZADD', PARKED, 0, parked_lane(lane), 0, 'h' .. head(lane, rank))
      has_parked = true
    end
  end
end

local at = first_lane + ARGV[5]
local before = {}
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
  if new ~= old then
    move_head(lane, old, new)
  end
end
count_running(ARGV[3])
park(ARGV[4])
return 1
