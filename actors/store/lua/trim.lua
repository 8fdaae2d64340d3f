-- Forgets what retention no longer keeps: finished jobs past their age, then
-- the oldest beyond the count, succeeded ones first; answers to idempotency
-- keys after their day. Arguments: age in ms, count, how many at most, 1 when
-- memory is short (then as many as may go, whatever the count).
-- @return 1 when more may be left

local age, keep = tonumber(ARGV[FIRST]), tonumber(ARGV[FIRST + 1])
if ARGV[FIRST + 3] == '1' then
  keep = 0
end
local most = tonumber(ARGV[FIRST + 2])
local members = {}

-- The oldest of one class, see CLASS.
local function take_old(class)
  local old = call('ZRANGEBYLEX', FINISHED, '[' .. class,
                   '(' .. class .. pack('>I8', now - age),
                   'LIMIT', 0, most - #members)
  for _, member in ipairs(old) do
    members[#members + 1] = member
  end
end

local function take_surplus()
  local surplus = math.min(call('ZCARD', FINISHED) - keep, most)
  -- What is old is gone before, so that nothing is taken twice.
  if #members == 0 and surplus > 0 then
    members = call('ZRANGE', FINISHED, 0, surplus - 1)
  end
end

local function forget_answers()
  local scopes = call('ZRANGEBYSCORE', IDEM_DUE, '-inf', now,
                      'LIMIT', 0, most)
  if #scopes > 0 then
    call('ZREM', IDEM_DUE, unpack(scopes))
    call('HDEL', IDEM, unpack(scopes))
  end
  return #scopes
end

take_old('0')
take_old('1')
take_old('2')
take_surplus()
local ids = {}
for i, member in ipairs(members) do
  ids[i] = sub(member, 10)
end
fetch(ids)
for i, id in ipairs(ids) do
  local j = packed[id] and load(packed[id])
  if j then
    erase(id, j)
  else
    remove(FINISHED, members[i])
  end
end
flush()
return (forget_answers() == most or #members == most) and 1 or 0
