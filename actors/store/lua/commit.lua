-- running → publishing. Operations: id, fence, result, manifest.
return run(4, function(id, j, a)
  local result, manifest = ARGV[a + 1], ARGV[a + 2]
  if j[STATE] == SUCCEEDED and j[FENCE] == ARGV[a] then
    return OK
  end
  if not holds(j, ARGV[a]) then
    return STALE_FENCE
  end
  if j[STATE] == CANCELLING then
    return INVALID_STATE
  end
  if j[PUBLISHING] == 1 and text(j, RESULT) == result
     and text(j, MANIFEST) == manifest then
    return OK
  end
  j[PUBLISHING] = 1
  set_text(j, RESULT, result)
  set_text(j, MANIFEST, manifest)
  return OK, 'newly'
end)
