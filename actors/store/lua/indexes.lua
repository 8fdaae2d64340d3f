-- What will be written --------------------------------------------------------

local adds, removes, counts = {}, {}, {}
local packed, saved, gone = {}, {}, {}

local function add(key, score, member)
  local list = adds[key]
  if not list then
    list = {}
    adds[key] = list
  end
  list[#list + 1] = score
  list[#list + 1] = member
end

local function remove(key, member)
  local list = removes[key]
  if not list then
    list = {}
    removes[key] = list
  end
  list[#list + 1] = member
end

local function save(id, j)
  local raw = dump(j)
  packed[id] = raw
  saved[#saved + 1] = id
  saved[#saved + 1] = raw
end

-- Reads the packed jobs of `ids` into `packed`.
local function fetch(ids)
  if #ids == 0 then
    return
  end
  local found = call('HMGET', JOBS, unpack(ids))
  for i, id in ipairs(ids) do
    packed[id] = found[i] or nil
  end
end

-- The ready order. A lane is one priority of one group of one queue: the
-- queue's length and name, the group's length and name, the priority, as C++
-- packs them. Within a lane, jobs stand by rank (score, then sequence); each
-- lane's first stands in HEADS. -----------------------------------------------

local lanes = {}
local BIAS = 2 ^ 52 -- keeps scores positive, so that bytes order like numbers

local function queue_prefix(lane)
  return sub(lane, 1, 1 + byte(lane))
end

local function within(prefix)
  return '[' .. prefix, '(' .. prefix .. '\255'
end

local function first_rank(lane)
  local from, to = within(lane)
  local first = call('ZRANGEBYLEX', READY, from, to, 'LIMIT', 0, 1)[1]
  return first and sub(first, #lane + 1, #lane + 16) or false
end

local function head(lane, first)
  local prefix = queue_prefix(lane)
  return prefix .. first .. sub(lane, #prefix + 1)
end

-- Remembers a lane's first job before the lane changes.
local function touch(lane)
  if lanes[lane] == nil then
    lanes[lane] = first_rank(lane)
  end
end

-- Its order as bytes: score, then sequence.
local function rank(j)
  return pack('>I8I8', BIAS + j[SCORE], j[SEQ])
end

local function mend_heads()
  for lane, old in pairs(lanes) do
    local new = first_rank(lane)
    if new ~= old then
      if old then call('ZREM', HEADS, head(lane, old)) end
      if new then call('ZADD', HEADS, 0, head(lane, new)) end
    end
  end
  lanes = {}
end

-- The indexes that follow a job's state ---------------------------------------

local queues = {} -- by lane
local keys = {}   -- by state
for state = SCHEDULED, CANCELLED do
  keys[state] = KEYS[STATE_KEY + state]
  counts[state] = {}
end

local function count(state, lane, by)
  local queue = queues[lane]
  if not queue then
    queue = sub(lane, 2, 1 + byte(lane))
    queues[lane] = queue
  end
  local of_state = counts[state]
  of_state[queue] = (of_state[queue] or 0) + by
end

-- What retention forgets first stands first.
local CLASS = {[SUCCEEDED] = '0', [CANCELLED] = '1', [FAILED] = '2'}

local function finished_member(id, j)
  return CLASS[j[STATE]] .. pack('>I8', j[FINISHED_AT]) .. id
end

local function leave(id, j)
  local state, lane = j[STATE], lane_of(j)
  remove(keys[state], id)
  count(state, lane, -1)
  if state == QUEUED then
    touch(lane)
    remove(READY, lane .. rank(j) .. id)
  elseif state == SCHEDULED then
    remove(SCHEDULE, id)
  elseif state >= SUCCEEDED then
    remove(FINISHED, finished_member(id, j))
    j[FINISHED_AT] = 0
  end
end

local function enter(id, j, state)
  local lane = lane_of(j)
  j[STATE] = state
  add(keys[state], digits(j[SEQ]), id)
  count(state, lane, 1)
  if state == QUEUED then
    touch(lane)
    add(READY, '0', lane .. rank(j) .. id)
  elseif state == SCHEDULED then
    add(SCHEDULE, digits(j[RUN_AT]), id)
  elseif state >= SUCCEEDED then
    j[FINISHED_AT] = now
    add(FINISHED, '0', finished_member(id, j))
  end
end

-- Queued, or scheduled when `run_at` lies ahead; a new place in the order.
local function enqueue(id, j, run_at)
  j[RUN_AT] = run_at
  j[SCORE] = run_at - j[PRIORITY] * ageing
  enter(id, j, run_at > now and SCHEDULED or QUEUED)
end

local LEASE_MS = tonumber(ARGV[5])

local function lease(id, j, for_ms)
  j[LEASE] = now + for_ms
  add(LEASES, digits(j[LEASE]), id)
end

local function unlease(id, j)
  if j[LEASE] ~= 0 then
    j[LEASE] = 0
    remove(LEASES, id)
  end
end

-- Ends a job that is not terminal, whatever it was doing.
local function finish(id, j, state)
  leave(id, j)
  unlease(id, j)
  j[PUBLISHING] = 0
  clear_text(j, MANIFEST)
  local key = text(j, UNIQUE_KEY)
  if key ~= '' then
    call('HDEL', UNIQUE, key)
  end
  enter(id, j, state)
end

-- `code` and `message` of the newest attempt's failure.
local function add_error(j, code, message, retryable)
  local entry = pack('<I4BI4', j[ATTEMPT], retryable, #code) .. code
                  .. pack('<I4', #message) .. message
  set_text(j, ERRORS, text(j, ERRORS) .. entry)
end

-- Forgets a terminal job.
local function erase(id, j)
  leave(id, j)
  local batch = text(j, BATCH)
  if batch ~= '' then
    remove(BATCHES, batch .. pack('>I8', j[SEQ]) .. id)
  end
  gone[#gone + 1] = id
  packed[id] = nil
end

-- An attempt that ended without an outcome gives its job back, to the place
-- where it stood. The attempt does not count.
local function give_back(id, j)
  j[ATTEMPT] = math.max(j[ATTEMPT] - 1, 0)
  if j[STATE] == CANCELLING then
    return finish(id, j, CANCELLED)
  end
  leave(id, j)
  unlease(id, j)
  enter(id, j, QUEUED)
end

-- The attempt went with its node, which spends a loss.
local MAX_LOSSES = 10
local function lose(id, j)
  if j[STATE] == CANCELLING then
    return give_back(id, j)
  end
  add_error(j, 'node_lost', 'the attempt was lost with its node', 1)
  j[LOSSES] = j[LOSSES] + 1
  if j[LOSSES] > MAX_LOSSES then
    return finish(id, j, FAILED)
  end
  give_back(id, j)
end

-- Leases a publishing job anew, to a server that will finish it.
local function take_over(id, j, node, nonce)
  j[FENCE] = pack('<I8', unpack_header('<I8', j[FENCE]) + 1) .. nonce
  set_text(j, NODE, node)
  lease(id, j, LEASE_MS)
end

local function flush()
  for key, members in pairs(removes) do
    call('ZREM', key, unpack(members))
  end
  if #gone > 0 then
    call('HDEL', JOBS, unpack(gone))
  end
  if #saved > 0 then
    call('HSET', JOBS, unpack(saved))
  end
  for key, members in pairs(adds) do
    call('ZADD', key, unpack(members))
  end
  for state, of_state in pairs(counts) do
    for queue, by in pairs(of_state) do
      if by ~= 0 then call('HINCRBY', DEPTH, state .. queue, by) end
    end
    counts[state] = {}
  end
  mend_heads()
  removes, adds, saved, gone = {}, {}, {}, {}
end

-- Fences ----------------------------------------------------------------------

local function holds(j, fence)
  local state = j[STATE]
  return j[FENCE] == fence and (state == RUNNING or state == CANCELLING)
end

-- A repeated outcome of an attempt that has ended is no error.
local function ended_before(j, fence)
  local same = j[FENCE] == fence and sub(fence, 9) ~= ('\0'):rep(8)
  return same and j[STATE] ~= SUCCEEDED and OK or STALE_FENCE
end

-- A run of equal operations ---------------------------------------------------

-- Calls `change(id, job, a)` for each operation, `a` being the index of its
-- first argument after the id. It answers an errc and how it changed the job:
-- nil (not), 'quietly' (no new revision), 'newly', or 'away' (erased).
-- @return per operation errc + flags, then the packed job or ''
local function run(width, change)
  local ids, answers = {}, {}
  for a = FIRST, #ARGV, width do
    ids[#ids + 1] = ARGV[a]
  end
  fetch(ids)
  for a = FIRST, #ARGV, width do
    local id = ARGV[a]
    local raw = packed[id]
    local code, how = NOT_FOUND, nil
    if raw then
      local j = load(raw)
      if j then
        code, how = change(id, j, a + 1)
      else
        code = CORRUPT
      end
      if how == 'newly' then
        j[REVISION] = j[REVISION] + 1
      end
      if how == 'newly' or how == 'quietly' then
        save(id, j)
      end
      if how == 'newly' or how == 'away' then
        code = code + CHANGED
      end
    end
    answers[#answers + 1] = code
    answers[#answers + 1] = packed[id] or ''
  end
  flush()
  return answers
end

