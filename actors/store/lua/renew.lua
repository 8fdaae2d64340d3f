-- Extends leases and writes `alive`. Arguments: id and fence of each.
-- @return an errc each

local answers, ids = {}, {}
local usual_ms = tonumber(ARGV[4])

-- After a gap nobody's lease ends before one full lease has passed: everybody
-- whom the store's absence kept from renewing gets the time to do so.
local alive = tonumber(call('HGET', META, 'alive') or 0)
if now - alive > usual_ms / 2 then
  call('HSET', META, 'grace', now + usual_ms)
end
call('HSET', META, 'alive', now)

local function extend(id, fence)
  local j = packed[id] and load(packed[id])
  if not j or not holds(j, fence) then
    return STALE_FENCE
  end
  lease(id, j, LEASE_MS)
  save(id, j)
  return j[STATE] == CANCELLING and INVALID_STATE or OK
end

for a = FIRST, #ARGV, 2 do
  ids[#ids + 1] = ARGV[a]
end
fetch(ids)
for a = FIRST, #ARGV, 2 do
  answers[#answers + 1] = extend(ARGV[a], ARGV[a + 1])
end
flush()
return answers
