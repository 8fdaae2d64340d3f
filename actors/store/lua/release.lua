-- A lease comes back without an outcome. Operations: id, fence, 1 when it was
-- lost with its node, else 0.
return run(3, function(id, j, a)
  if not holds(j, ARGV[a]) then
    return ended_before(j, ARGV[a])
  end
  if j[PUBLISHING] == 1 then
    lease(id, j, 0)
    return OK, 'quietly'
  end
  if ARGV[a + 1] == '1' then
    lose(id, j)
  else
    give_back(id, j)
  end
  return OK, 'newly'
end)
