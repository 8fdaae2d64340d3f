-- failed | cancelled → queued with fresh budgets. Operations: id.
return run(1, function(id, j)
  if j[STATE] ~= FAILED and j[STATE] ~= CANCELLED then
    return INVALID_STATE
  end
  local key = text(j, UNIQUE_KEY)
  if key ~= '' and call('HSETNX', UNIQUE, key, id) == 0 then
    return INVALID_STATE
  end
  j[ATTEMPT] = 0
  j[LOSSES] = 0
  clear_text(j, PROGRESS)
  leave(id, j)
  enqueue(id, j, now)
  return OK, 'newly'
end)
