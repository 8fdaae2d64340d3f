-- Operations: id, fence, progress, checkpoint (empty: as it was).
return run(4, function(id, j, a)
  if not holds(j, ARGV[a]) then
    return STALE_FENCE
  end
  set_text(j, PROGRESS, ARGV[a + 1])
  if ARGV[a + 2] ~= '' then
    set_text(j, CHECKPOINT, ARGV[a + 2])
  end
  return OK, 'quietly'
end)
