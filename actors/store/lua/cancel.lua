-- Operations: id.
return run(1, function(id, j)
  local state = j[STATE]
  if state >= CANCELLING or j[PUBLISHING] == 1 then
    return OK
  end
  if state == RUNNING then
    leave(id, j)
    enter(id, j, CANCELLING)
  else
    finish(id, j, CANCELLED)
  end
  return OK, 'newly'
end)
