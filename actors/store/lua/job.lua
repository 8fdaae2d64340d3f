-- What every script begins with: keys, the packed job, the indexes.
--
-- A script reads first, collects what it will write, and writes it at its end
-- with one command per key (`flush`): what is freed goes before what is added,
-- so that a server short of memory still lets jobs end.
--
-- ARGV[1] is added to the server's clock (tests). Then come settings of the
-- store: `ageing_ms`, `max_queued`, the usual `lease_ms`; then how long leases
-- are that this call gives. A script's own arguments begin at FIRST.

local call, sub, byte = redis.call, string.sub, string.byte
local pack, unpack_header = struct.pack, struct.unpack
local FIRST = 6

-- Keys ------------------------------------------------------------------------

local JOBS = KEYS[1]       -- hash: id → packed job
local READY = KEYS[2]      -- by name: lane, rank, id; every queued job
local HEADS = KEYS[3]      -- by name: queue, rank, group; each lane's first
local SCHEDULE = KEYS[4]   -- by run_at: id; every scheduled job
local LEASES = KEYS[5]     -- by expiry: id; every leased job
local FINISHED = KEYS[6]   -- by name: class, finished_at, id; terminal jobs
local UNIQUE = KEYS[7]     -- hash: unique key → id of the job that holds it
local BATCHES = KEYS[8]    -- by name: batch, sequence, id
local IDEM = KEYS[9]       -- hash: scope → body hash, job as first answered
local IDEM_DUE = KEYS[10]  -- by expiry: scope
local META = KEYS[11]      -- hash: layout, seq, alive, grace
local DEPTH = KEYS[12]     -- hash: state digit, queue → number of jobs
local STATE_KEY = 13       -- KEYS[13 + state], by sequence: id

-- Words that C++ shares (job_state, errc, applied) ----------------------------

local SCHEDULED, BLOCKED, QUEUED, RUNNING, PAUSED = 0, 1, 2, 3, 4
local CANCELLING, SUCCEEDED, FAILED, CANCELLED = 5, 6, 7, 8

local OK, NOT_FOUND, INVALID_STATE, STALE_FENCE = 0, 2, 3, 4
local QUEUE_FULL, MISMATCH, CORRUPT = 5, 7, 10

local CHANGED, REPLAYED = 256, 512

-- The packed job: numbers, the sizes of its texts, the texts. Texts that change
-- often come first, so that the rest is copied as one.
--
-- In a script a job is a list: the packed job, texts that were set (by index,
-- false: none), its lane (false: not read yet), then the fields of HEADER. ----

local HEADER = '<BBBBBI4I4I4I8c16i8i8i8i8i8i8I8c40'
local HEADER_SIZE, LAYOUT, TEXT_COUNT = 137, 1, 10
local RAW, TEXTS, KNOWN_LANE, FIELDS = 1, 2, 3, 4
local STATE, PUBLISHING, PRIORITY, ATTEMPT, MAX_ATTEMPTS = 5, 6, 7, 9, 10
local LOSSES, REVISION, FENCE, CREATED, RUN_AT = 11, 12, 13, 14, 15
local STARTED, FINISHED_AT, LEASE, SCORE, SEQ, SIZES = 16, 17, 18, 19, 20, 21

local LANE, NODE, RESULT, MANIFEST, PROGRESS = 1, 2, 3, 4, 5
local CHECKPOINT, ERRORS, UNIQUE_KEY, BATCH, DRAFT = 6, 7, 8, 9, 10

-- Formats of the sizes of the first texts.
local SIZES_OF = {}
for i = 1, TEXT_COUNT do
  SIZES_OF[i] = '<' .. ('I4'):rep(i)
end

-- @return nil for what is no packed job of this layout
local function load(raw)
  if #raw < HEADER_SIZE or byte(raw) ~= LAYOUT then
    return nil
  end
  return {raw, false, false, unpack_header(HEADER, raw)}
end

local function text(j, i)
  local set = j[TEXTS] and j[TEXTS][i]
  if set then
    return set
  end
  local size = unpack_header('<I4', j[SIZES], 4 * i - 3)
  if size == 0 then
    return ''
  end
  local from = HEADER_SIZE + 1
  local sizes = {unpack_header(SIZES_OF[i], j[SIZES])}
  for k = 1, i - 1 do
    from = from + sizes[k]
  end
  return sub(j[RAW], from, from + size - 1)
end

local function lane_of(j)
  local lane = j[KNOWN_LANE]
  if not lane then
    local size = unpack_header('<I4', j[SIZES])
    lane = sub(j[RAW], HEADER_SIZE + 1, HEADER_SIZE + size)
    j[KNOWN_LANE] = lane
  end
  return lane
end

local function set_text(j, i, value)
  local texts = j[TEXTS]
  if not texts then
    texts = {last = 0}
    j[TEXTS] = texts
  end
  texts[i] = value
  if i > texts.last then
    texts.last = i
  end
end

-- As set_text(j, i, ''), for texts that are mostly empty.
local function clear_text(j, i)
  if text(j, i) ~= '' then
    set_text(j, i, '')
  end
end

local function dump(j)
  local texts = j[TEXTS]
  if not texts then
    return pack(HEADER, unpack(j, FIELDS, SIZES)) .. sub(j[RAW], HEADER_SIZE + 1)
  end
  local last, from = texts.last, HEADER_SIZE + 1
  local sizes = {unpack_header(SIZES_OF[last], j[SIZES])}
  local parts = {}
  for i = 1, last do
    local size = sizes[i]
    parts[i] = texts[i] or sub(j[RAW], from, from + size - 1)
    sizes[i] = #parts[i]
    from = from + size
  end
  j[SIZES] = pack(SIZES_OF[last], unpack(sizes, 1, last))
             .. sub(j[SIZES], 4 * last + 1)
  return pack(HEADER, unpack(j, FIELDS, SIZES)) .. table.concat(parts)
         .. sub(j[RAW], from)
end

-- Time ------------------------------------------------------------------------

local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1]
local ageing = tonumber(ARGV[2])

-- Numbers as texts: Redis spells those it gets from Lua slowly.
local function digits(number)
  return string.format('%d', number)
end

