-- running → queued | scheduled | failed; cancelling → cancelled. Operations:
-- id, fence, code, message, retryable, least delay in ms, a random number of
-- 0…1 for the jitter, checkpoint (empty: as it was).

-- The draft begins with the backoff: initial, factor, max_s, jitter.
local function delay_ms(j, random)
  local initial, factor, longest, jitter =
    unpack_header('<dddd', text(j, DRAFT))
  local grown = initial * factor ^ math.max(j[ATTEMPT] - 1, 0)
  if not (grown < longest) then
    grown = longest
  end
  local spread = math.max(0, grown * (1 + jitter * (2 * random - 1)))
  return math.floor(1000 * spread + 0.5)
end

return run(8, function(id, j, a)
  if not holds(j, ARGV[a]) then
    return ended_before(j, ARGV[a])
  end
  if j[PUBLISHING] == 1 then
    return INVALID_STATE
  end
  if ARGV[a + 6] ~= '' then
    set_text(j, CHECKPOINT, ARGV[a + 6])
  end
  if j[STATE] == CANCELLING then
    finish(id, j, CANCELLED)
    return OK, 'newly'
  end
  local again = tonumber(ARGV[a + 3])
  add_error(j, ARGV[a + 1], ARGV[a + 2], again)
  if again == 0 or j[ATTEMPT] >= j[MAX_ATTEMPTS] then
    finish(id, j, FAILED)
  else
    local wait = delay_ms(j, tonumber(ARGV[a + 5]))
    leave(id, j)
    unlease(id, j)
    enqueue(id, j, now + math.max(wait, tonumber(ARGV[a + 4])))
  end
  return OK, 'newly'
end)
