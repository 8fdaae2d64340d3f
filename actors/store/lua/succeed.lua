-- running, publishing → succeeded. Operations: id, fence, result (empty: what
-- was committed).
return run(3, function(id, j, a)
  if j[STATE] == SUCCEEDED and j[FENCE] == ARGV[a] then
    return OK
  end
  if not holds(j, ARGV[a]) then
    return STALE_FENCE
  end
  if j[STATE] == CANCELLING then
    return INVALID_STATE
  end
  if ARGV[a + 1] ~= '' then
    set_text(j, RESULT, ARGV[a + 1])
  end
  finish(id, j, SUCCEEDED)
  return OK, 'newly'
end)
