-- Forgets terminal jobs. Operations: id.
return run(1, function(id, j)
  if j[STATE] < SUCCEEDED then
    return INVALID_STATE
  end
  erase(id, j)
  return OK, 'away'
end)
