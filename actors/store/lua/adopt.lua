-- Takes back what an earlier life of a node held. Arguments: node, nonce of
-- this life, then ids of leased jobs.
-- @return 0, now, then for each job 1 if it is publishing and leased to the
-- caller now, else 0, and the packed job

local node, nonce = ARGV[FIRST], ARGV[FIRST + 1]
local ids, answers = {}, {0, now}

local function is_of_earlier_life(j)
  return j[LEASE] ~= 0 and text(j, NODE) == node
         and sub(j[FENCE], 9) ~= nonce
end

local function settle(id, j)
  local publishing = j[PUBLISHING]
  if publishing == 1 then
    take_over(id, j, node, nonce)
  else
    give_back(id, j)
  end
  j[REVISION] = j[REVISION] + 1
  save(id, j)
  answers[#answers + 1] = publishing
  answers[#answers + 1] = packed[id]
end

for a = FIRST + 2, #ARGV do
  ids[#ids + 1] = ARGV[a]
end
fetch(ids)
for _, id in ipairs(ids) do
  local j = packed[id] and load(packed[id])
  if j and is_of_earlier_life(j) then
    settle(id, j)
  end
end
flush()
return answers
