-- Adds jobs. Operations: id, packed job (its `run_at` as asked for), delay in
-- ms, idempotency scope (empty: none), hash of the body.

local DAY_MS = 24 * 3600 * 1000
local WIDTH = 5
local room = tonumber(ARGV[3])
local seq, old_seq
local answered = {} -- by scope: body hash and packed job of the first answer

for _, state in ipairs({SCHEDULED, BLOCKED, QUEUED, PAUSED}) do
  room = room - call('ZCARD', KEYS[STATE_KEY + state])
end

-- Reads what was answered before to the scopes of this run. A record holds
-- its expiry, the body's hash and the job.
local function recall(scopes)
  if #scopes == 0 then
    return
  end
  local found = call('HMGET', IDEM, unpack(scopes))
  for i, scope in ipairs(scopes) do
    if found[i] then
      local expiry, size, at = unpack_header('<i8I4', found[i])
      if expiry > now then
        answered[scope] = {hash = sub(found[i], at, at + size - 1),
                           job = sub(found[i], at + size)}
      end
    end
  end
end

local function remember(scope, hash, job)
  local expiry = now + DAY_MS
  answered[scope] = {hash = hash, job = job}
  call('HSET', IDEM, scope, pack('<i8I4', expiry, #hash) .. hash .. job)
  call('ZADD', IDEM_DUE, expiry, scope)
end

-- @return the packed job that holds the draft's unique key, if any
local function holder(j)
  local key = text(j, UNIQUE_KEY)
  local id = key ~= '' and call('HGET', UNIQUE, key)
  if id and not packed[id] then
    fetch({id})
  end
  return id and packed[id]
end

local function insert(id, j, delay)
  seq = seq + 1
  room = room - 1
  j[SEQ] = seq
  j[REVISION] = 1
  j[CREATED] = now
  enqueue(id, j, math.max(now, j[RUN_AT], now + delay))
  local key, batch = text(j, UNIQUE_KEY), text(j, BATCH)
  if key ~= '' then
    call('HSET', UNIQUE, key, id)
  end
  if batch ~= '' then
    add(BATCHES, 0, batch .. pack('>I8', seq) .. id)
  end
  save(id, j)
  return packed[id]
end

-- @return errc + flags, the packed job
local function submit(id, raw, delay, scope, hash)
  local before = scope ~= '' and answered[scope]
  if before then
    if before.hash ~= hash then
      return MISMATCH, ''
    end
    return OK + REPLAYED, before.job
  end
  local j, code = load(raw), OK
  local job = holder(j) or packed[id]
  if not job then
    if room <= 0 then
      return QUEUE_FULL, ''
    end
    code, job = OK + CHANGED, insert(id, j, delay)
  end
  if scope ~= '' then
    remember(scope, hash, job)
  end
  return code, job
end

local ids, scopes, answers = {}, {}, {}
for a = FIRST, #ARGV, WIDTH do
  ids[#ids + 1] = ARGV[a]
  if ARGV[a + 3] ~= '' then
    scopes[#scopes + 1] = ARGV[a + 3]
  end
end
fetch(ids)
recall(scopes)
seq = tonumber(call('HGET', META, 'seq') or 0)
old_seq = seq
for a = FIRST, #ARGV, WIDTH do
  local code, job = submit(ARGV[a], ARGV[a + 1], tonumber(ARGV[a + 2]),
                           ARGV[a + 3], ARGV[a + 4])
  answers[#answers + 1] = code
  answers[#answers + 1] = job
end
if seq > old_seq then
  call('HSET', META, 'seq', seq)
end
flush()
return answers
