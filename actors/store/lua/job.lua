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

-- The packed job: numbers first, then strings in the order of their lengths.
-- Strings that change often come first, so that the rest is copied as one. ----

local HEADER = '<BBBBBI4I4I4I8c16i8i8i8i8i8i8I8I4I4I4I4I4I4I4I4I4I4'
local LAYOUT, NUMBERS, STRINGS = 1, 17, 10
local HEADER_SIZE = struct.size(HEADER)
local STATE, PUBLISHING, PRIORITY, ATTEMPT, MAX_ATTEMPTS = 2, 3, 4, 6, 7
local LOSSES, REVISION, FENCE, CREATED, RUN_AT = 8, 9, 10, 11, 12
local STARTED, FINISHED_AT, LEASE, SCORE, SEQ = 13, 14, 15, 16, 17
local NODE, RESULT, MANIFEST, PROGRESS, CHECKPOINT = 1, 2, 3, 4, 5
local ERRORS, LANE, UNIQUE_KEY, BATCH, DRAFT = 6, 7, 8, 9, 10

-- @return nil for what is no packed job of this layout
local function load(raw)
  if #raw < HEADER_SIZE or byte(raw) ~= LAYOUT then
    return nil
  end
  local j = {unpack_header(HEADER, raw)}
  j.raw = raw
  return j
end

local function text(j, i)
  if j[-i] then
    return j[-i]
  end
  local from = HEADER_SIZE + 1
  for k = NUMBERS + 1, NUMBERS + i - 1 do
    from = from + j[k]
  end
  return sub(j.raw, from, from + j[NUMBERS + i] - 1)
end

-- New texts stand at -i until `dump` writes them.
local function set_text(j, i, value)
  j[-i] = value
  if i > (j.last or 0) then
    j.last = i
  end
end

local function dump(j)
  local last = j.last or 0
  local parts, from = {''}, HEADER_SIZE + 1
  for i = 1, last do
    local size = j[NUMBERS + i]
    local value = j[-i] or sub(j.raw, from, from + size - 1)
    from = from + size
    j[NUMBERS + i] = #value
    parts[i + 1] = value
  end
  parts[last + 2] = sub(j.raw, from)
  parts[1] = pack(HEADER, unpack(j, 1, NUMBERS + STRINGS))
  return table.concat(parts)
end

-- Time ------------------------------------------------------------------------

local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1]
local ageing = tonumber(ARGV[2])

