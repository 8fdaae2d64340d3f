#include "tests/store/audited_store.hpp"
#include "tests/store/redis_server.hpp"

namespace troupe::store::testing {
namespace {

class RedisAudit : public ::testing::Test {
protected:
  static redis_server& server() {
    static redis_server one;
    return one;
  }

  RedisAudit() {
    server().command({"FLUSHALL"});
    store_options options;
    options.url = server().url();
    it_ = std::make_unique<audited_store>(options);
  }

  /// `call` and `k` (a key's name) are at hand; `job` finds a member by what
  /// it ends with.
  static void run(const std::string& lua) {
    server().command({"EVAL",
                      "local call = redis.call\n"
                      "local function k(name) return '{troupe}:' .. name end\n"
                      "local function job(set, id)\n"
                      "  for _, m in ipairs(call('ZRANGE', k(set), 0, -1)) do\n"
                      "    if m:sub(-#id) == id then return m end\n"
                      "  end\n"
                      "end\n"
                        + lua,
                      "0"});
  }

  std::unique_ptr<audited_store> it_;
};

class RedisAuditOf : public RedisAudit,
                     public ::testing::WithParamInterface<breakage> {};

TEST_P(RedisAuditOf, FindsAndMendsWhatWasBroken) {
  ASSERT_EQ(kinds_of(it_->audit()), std::set<std::string>{});
  run(GetParam().how);
  expect_mended(*it_, GetParam());
  expect_to_end(*it_);
}

INSTANTIATE_TEST_SUITE_P(
  Invariants, RedisAuditOf,
  ::testing::Values(
    breakage{"Job", "job", "call('HSET', k'jobs', 'later', 'x')"},
    breakage{"SwappedJobs", "job",
             "local a, b = call('HGET', k'jobs', 'waits'),"
             " call('HGET', k'jobs', 'calm1');"
             "call('HSET', k'jobs', 'waits', b, 'calm1', a)"},
    breakage{"JobOfAnother", "job",
             "call('HSET', k'jobs', 'calm1', call('HGET', k'jobs', 'waits'))"},
    breakage{"EmptyJob", "job", "call('HSET', k'jobs', 'waits', '')"},
    breakage{"LostJob", "orphan", "call('HDEL', k'jobs', 'later')"},
    breakage{"State", "state",
             "call('ZREM', k'states', job('states','waits'))"},
    breakage{"TwoStates", "state",
             "call('ZADD', k'states', 0, '4' .. job('states','waits'):sub(2))"},
    breakage{"StrayState", "orphan",
             "call('ZADD', k'states', 0, job('states','waits') .. ' x')"},
    breakage{"JunkAmongStates", "orphan",
             "call('ZADD', k'states', 0, 'no member of ours at all')"},
    breakage{"Ready", "ready", "call('ZREM', k'ready', job('ready','calm1'))"},
    breakage{"StrayReady", "ready",
             "call('ZADD', k'ready', 0, job('ready','waits'):sub(1, -6)"
             " .. 'busy1')"},
    breakage{"OrphanedReady", "orphan",
             "call('ZADD', k'ready', 0, job('ready','waits') .. 'x')"},
    breakage{"Schedule", "schedule", "call('ZREM', k'schedule', 'later')"},
    breakage{"WrongSchedule", "schedule",
             "call('ZADD', k'schedule', 5, 'later')"},
    breakage{"StraySchedule", "schedule",
             "call('ZADD', k'schedule', 9e15, 'waits')"},
    breakage{"Lease", "lease", "call('ZREM', k'leases', 'busy1')"},
    breakage{"StrayLease", "lease", "call('ZADD', k'leases', 9e15, 'waits')"},
    breakage{"Finished", "finished",
             "call('ZREM', k'finished', job('finished','done'))"},
    breakage{"Batch", "batch",
             "call('ZREM', k'batches', job('batches','waits'))"},
    breakage{"OrphanedBatch", "orphan",
             "call('ZADD', k'batches', 0, job('batches','waits') .. 'x')"},
    breakage{"Unique", "unique", "call('HDEL', k'unique', 'key of waits')"},
    breakage{"StrayUnique", "unique",
             "call('HSET', k'unique', 'key of done', 'done')"},
    breakage{"LostHeads", "head",
             "for _, m in ipairs(call('ZRANGE', k'heads', 0, -2)) do"
             " call('ZREM', k'heads', m) end"},
    breakage{"WrongHead", "head",
             "local m = call('ZRANGE', k'heads', 0, 0)[1];"
             "call('ZADD', k'heads', 0, m:sub(1, 9) .. ('x'):rep(16)"
             " .. m:sub(26))"},
    breakage{"LostParking", "head",
             "for _, m in ipairs(call('ZRANGE', k'parked', 0, -1)) do"
             " if m:sub(1, 1) == 'g' then call('ZREM', k'parked', m) end end"},
    breakage{"Parked", "parked", "call('HDEL', k'limits', 'kbusy')"},
    breakage{"Depth", "counter", "call('HINCRBY', k'depth', '2download', 1)"},
    breakage{"DepthOfQueues", "counter",
             "call('HINCRBY', k'depth', '2download', 1);"
             "call('HINCRBY', k'depth', '2other', -1)"},
    breakage{"Running", "group", "call('HSET', k'running', 'kbusy', 3)"},
    breakage{"LostRunning", "group", "call('DEL', k'running')"},
    breakage{"LostLink", "pending", "call('DEL', k'links')"},
    breakage{"OrphanedLink", "orphan",
             "call('ZADD', k'links', 0, 'w' .. struct.pack('<I4', 6)"
             " .. 'nobodychild')"},
    breakage{"ForgottenEnd", "release",
             "call('ZADD', k'links', 0, 'w' .. struct.pack('<I4', 4)"
             " .. 'donechild')"},
    breakage{"StaleLink", "orphan",
             "call('ZADD', k'links', 0, 'h' .. struct.pack('<I4', 5)"
             " .. 'busy1done')"},
    breakage{"JobOfABatch", "job",
             "local it = call('HGET', k'jobs', 'b1a');"
             "call('HSET', k'jobs', 'b1a', it:sub(1, -9))"},
    breakage{"UnknownJobOfABatch", "job", "call('HSET', k'jobs', 'b1a', 'x')"},
    breakage{"LostJobOfABatch", "orphan", "call('HDEL', k'jobs', 'b1a')"},
    breakage{"LostDue", "due", "call('DEL', k'due')"},
    breakage{"LostCalls", "due", "call('DEL', k'calls')"},
    breakage{"CallbackInAnAge", "due",
             "call('ZADD', k'calls', 9e15, job('calls', 'told.2'))"},
    breakage{"OrphanedDue", "orphan", "call('ZADD', k'due', 9e15, 'bx')"},
    breakage{"OrphanedCall", "orphan", "call('ZADD', k'calls', 1, 'wx')"},
    breakage{"Limit", "limit", "call('HSET', k'limits', 'kbusy', 'junk')"},
    breakage{"TokenInAnAge", "token", "call('ZADD', k'tokens', 9e15, 'kbusy')"},
    breakage{"TokenNever", "token", "call('ZADD', k'tokens', '+inf', 'kbusy')"},
    breakage{"QueueInAnAge", "token",
             "call('ZADD', k'tokens', 9e15, 'qdownload')"},
    breakage{"ClockAhead", "clock",
             "call('HSET', k'meta', 'alive', '9000000000000000')"},
    breakage{"GraceAhead", "clock",
             "call('HSET', k'meta', 'grace', '9000000000000000')"},
    breakage{"Score", "score",
             "local it = call('HGET', k'jobs', 'waits');"
             "call('HSET', k'jobs', 'waits', it:sub(1, 19)"
             " .. string.char((it:byte(20) + 1) % 256) .. it:sub(21))"},
    breakage{"LostRecordOfABatch", "batch", "call('HDEL', k'records', 'bb1')"},
    breakage{"UnreadableBatch", "record",
             "call('HSET', k'records', 'bb1', 'junk')"},
    breakage{"UnreadableCallback", "record",
             "call('HSET', k'records', 'wtold.2', 'junkjunkjunk')"},
    breakage{"UnlistedCallback", "link",
             "call('ZREM', k'links', 'c' .. struct.pack('<I4', 4)"
             " .. 'toldtold.2')"},
    breakage{"UnlistedSchedule", "link",
             "call('ZREM', k'links', 's' .. struct.pack('<I4', 0)"
             " .. 'nightly')"},
    breakage{"ListedNothing", "orphan",
             "call('ZADD', k'links', 0, 's' .. struct.pack('<I4', 0)"
             " .. 'nothing')"},
    breakage{"LogOfNobody", "orphan",
             "call('HSET', k'records', 'lnobody', '12345678x')"},
    breakage{"StagedOfNoBatch", "orphan",
             "call('HSET', k'records', 'snobody/0', '12345678x')"},
    breakage{"Answer", "answer", "call('HSET', k'answers', 'scope', 'junk')"},
    breakage{"LostForgetting", "answer", "call('DEL', k'forget')"},
    breakage{"ForgottenNever", "answer",
             "call('ZADD', k'forget', '+inf', 'scope')"},
    breakage{"ForgetsNothing", "orphan",
             "call('ZADD', k'forget', 1, 'nobody')"},
    breakage{"Sequence", "sequence", "call('HSET', k'meta', 'seq', '0')"},
    breakage{"LostSequence", "sequence", "call('HDEL', k'meta', 'seq')"},
    breakage{"LostTallies", "tally", "call('DEL', k'tallies')"},
    breakage{"ReadyOfAnotherKind", "key", "call('SET', k'ready', 'x')"},
    breakage{"DepthOfAnotherKind", "key",
             "call('DEL', k'depth'); call('SADD', k'depth', 'x')"},
    breakage{"StatesOfAnotherKind", "key",
             "call('DEL', k'states'); call('LPUSH', k'states', 'x')"},
    breakage{"Tally", "tally", "call('HINCRBY', k'tallies', '2batch', 1)"}),
  ::testing::PrintToStringParamName());

TEST_F(RedisAudit, JobsThatContradictEachOtherHoldUpNobodyElse) {
  run("local a, b = call('HGET', k'jobs', 'waits'), call('HGET', k'jobs',"
      " 'calm1'); call('HSET', k'jobs', 'waits', b, 'calm1', a)");

  expect_others_served(*it_, {"waits", "calm1"});
}

TEST_F(RedisAudit, LeasesOfNobodyAndWithoutAnEndAreMended) {
  expect_leases_mended(*it_);
}

TEST_F(RedisAudit, AJobThatIsLostIsToldToHaveFailed) {
  run("call('HDEL', k'jobs', 'waits')");
  expect_lost_job_told(*it_);
}

TEST_F(RedisAudit, AScheduleThatCannotBeReadIsRemoved) {
  run("call('HSET', k'records', 'cnightly', 'junkjunkjunk')");
  expect_schedule_removed(*it_);
}

TEST_F(RedisAudit, ARecordOfAnotherVersionStays) {
  run("call('HSET', k'records', 'zjunk', 'junkjunkjunk')");
  expect_unknown_stays(*it_);
}

TEST_F(RedisAudit, AJobThatCannotBeReadBecomesOneThatFailed) {
  run("call('HSET', k'jobs', 'later', 'x');"
      "local it = call('HGET', k'jobs', 'waits');"
      "call('HSET', k'jobs', 'waits', it:sub(1, -9))");

  it_->audit(true);

  expect_corrupt(*it_, "waits");
  expect_corrupt(*it_, "later");
  EXPECT_EQ(it_->store->get("waits")->type, "download");
  it_->follow();
  EXPECT_EQ(it_->store->get("child")->state, job_state::failed);
}

} // namespace
} // namespace troupe::store::testing
