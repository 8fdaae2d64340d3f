#include "actors/store/sqlite_db.hpp"
#include "tests/store/redis_server.hpp"
#include "tests/store/scratch_folder.hpp"
#include "tests/store/store_suite.hpp"

#include <algorithm>
#include <fstream>
#include <set>

/// Each invariant is broken by hand, found, and mended.
namespace troupe::store::testing {
namespace {

struct breakage {
  std::string name;  ///< of the test
  std::string found; ///< the invariant of one of the findings
  std::string how;   ///< SQL, or Lua for Redis
};

std::ostream& operator<<(std::ostream& out, const breakage& it) {
  return out << it.name;
}

/// A store with a job of every kind. The fixture tells how to break it.
class audited_store {
public:
  explicit audited_store(store_options options) {
    options.clock_offset_ms = [this] {
      return offset_;
    };
    options_ = options;
    reopen();
    fill();
  }

  void reopen() {
    auto opened = open_store(options_);
    if (!opened)
      throw std::runtime_error(opened.error().message());
    store = std::move(*opened);
  }

  /// All steps of an audit, each of few rows.
  std::vector<audit_finding> audit(bool repair = false) {
    std::vector<audit_finding> all;
    audit_request request{.repair = repair, .cursor = "", .max = 2};
    do {
      auto step = store->audit(request);
      if (!step)
        throw std::runtime_error(step.error().message());
      std::ranges::move(step->findings, std::back_inserter(all));
      request.cursor = step->next_cursor;
    } while (!request.cursor.empty());
    return all;
  }

  /// Ends what runs, then claims and ends all that waits.
  std::size_t drain() {
    std::size_t ended = 0;
    store->apply(std::vector<operation>{put_limit_op{"busy", 0, 0}});
    for (;;) {
      auto some = claim(100);
      if (some.empty())
        return ended;
      ended += some.size();
      for (const auto& it : some)
        apply(succeed_op{it.id, it.fence, "{}"});
    }
  }

  /// Ends what follows from what has ended.
  void follow() {
    for (bool more = true; more;) {
      auto step = store->follow({"node", 1, 15'000, 256});
      if (!step)
        throw std::runtime_error(step.error().message());
      more = step->more;
    }
  }

  /// Two hours later, once.
  bool fires_its_schedule() {
    offset_ += 2 * 3'600'000;
    follow();
    list_query query;
    query.type = "nightly";
    return !store->list(query)->jobs.empty();
  }

  std::unique_ptr<job_store> store;

private:
  job apply(operation op) {
    auto done = store->apply(std::vector{std::move(op)});
    if (!done || done->at(0).error != errc::none)
      throw std::runtime_error("not applied");
    return done->at(0).job;
  }

  job submit(const std::string& id, const std::string& key = "",
             std::int64_t delay_ms = 0) {
    job_draft made;
    made.id = id;
    made.type = made.queue = "download";
    made.concurrency_key = key;
    made.delay_ms = delay_ms;
    made.batch = "batch";
    made.unique_key = "key of " + id;
    return apply(submit_op{made, {}});
  }

  std::vector<job> claim(std::uint32_t max) {
    auto found = store->claim({"download", "node", 7, max, 60'000});
    if (!found)
      throw std::runtime_error(found.error().message());
    return std::move(found->jobs);
  }

  /// Runs: one of "busy", which may run one, and one that is committed.
  void fill() {
    submit("done");
    const auto done = claim(1).at(0);
    apply(succeed_op{done.id, done.fence, "{}"});
    apply(put_limit_op{"busy", 1, 0});
    submit("busy1", "busy");
    submit("busy2", "busy");
    submit("busy3", "busy");
    submit("committed", "calm");
    for (const auto& it : claim(2))
      if (it.id == "committed")
        apply(commit_op{it.id, it.fence, "{}", some_files()});
    if (!claim(1).empty())
      throw std::runtime_error("the group is not limited");
    submit("waits");
    submit("calm1", "calm");
    submit("calm2", "calm");
    submit("later", "", 3'600'000);
    job_draft child;
    child.id = "child";
    child.type = child.queue = "download";
    child.depends_on = {"later"};
    apply(submit_op{child, {}});
    fill_beside();
  }

  /// A callback, a schedule, a batch.
  void fill_beside() {
    job_draft told;
    told.id = "told";
    told.type = told.queue = "download";
    told.callback_url = "http://localhost/";
    apply(submit_op{told, {}});
    apply(cancel_op{"told"});
    put_schedule_op nightly;
    nightly.schedule.name = "nightly";
    nightly.schedule.cron = "@hourly";
    nightly.schedule.catch_up = catch_up_policy::one;
    nightly.schedule.job.type = nightly.schedule.job.queue = "nightly";
    apply(nightly);
    std::vector<job_draft> jobs(2, told);
    jobs[0].id = "b1a";
    jobs[1].id = "b1b";
    jobs[0].callback_url = jobs[1].callback_url = "";
    if (!store->submit_batch({"b1", "", {}, ""}, jobs, {}))
      throw std::runtime_error("no batch");
  }

  store_options options_;
  std::int64_t offset_ = 0;
};

std::set<std::string> kinds_of(const std::vector<audit_finding>& all) {
  std::set<std::string> kinds;
  for (const auto& it : all)
    kinds.insert(it.invariant);
  return kinds;
}

void expect_mended(audited_store& it, const breakage& broken) {
  const auto found = it.audit();
  EXPECT_TRUE(kinds_of(found).contains(broken.found))
    << ::testing::PrintToString(kinds_of(found));
  for (const auto& one : found)
    EXPECT_FALSE(one.repaired);

  // What is mended late may show what was looked at early in another light.
  for (int pass = 0; pass < 3; ++pass)
    for (const auto& one : it.audit(true))
      EXPECT_TRUE(one.repaired) << one.invariant << ": " << one.detail;
  EXPECT_EQ(kinds_of(it.audit()), std::set<std::string>{});
  // What it waits for has not ended, or is gone.
  EXPECT_NE(it.store->get("child")->state, job_state::queued);
  EXPECT_EQ(it.store->take_callbacks(10)->size(), 1u);
  for (const auto* id : {"busy1", "waits", "calm1", "later", "child", "b1a"}) {
    const auto job = it.store->get(id);
    EXPECT_TRUE(job || job.error().code == make_error_code(errc::not_found))
      << id;
  }
}

/// All goes on as if nothing had been broken.
void expect_to_end(audited_store& it) {
  EXPECT_GE(it.drain(), 4u);
  it.follow();
  EXPECT_NE(it.store->get_batch("b1")->finished_at, 0);
  EXPECT_TRUE(it.fires_its_schedule());
}

void expect_corrupt(audited_store& it, const std::string& id) {
  const auto found = it.store->get(id);
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->state, job_state::failed);
  ASSERT_FALSE(found->errors.empty());
  EXPECT_EQ(found->errors.back().code, "corrupt");
  EXPECT_NE(found->finished_at, 0);
}

// -- SQLite -------------------------------------------------------------------

class SqliteAudit : public ::testing::Test {
protected:
  SqliteAudit() : path_{(folder_.path() / "jobs.db").string()} {
    store_options options;
    options.url = "sqlite:" + path_;
    it_ = std::make_unique<audited_store>(options);
  }

  void run(const std::string& sql) {
    auto db = sqlite_db::open(path_, 1000);
    ASSERT_TRUE(db.has_value());
    (*db)->begin(true);
    (*db)->run(sql.c_str());
    ASSERT_TRUE((*db)->end().has_value());
  }

  /// Writes the first page of an index while nobody has the file open.
  void overwrite(const std::string& index, const std::string& page) {
    it_->store.reset();
    std::int64_t root = 0;
    {
      auto db = sqlite_db::open(path_, 1000);
      statement query{**db, "SELECT rootpage FROM sqlite_schema"
                            " WHERE name = ?1"};
      auto row = query.start(index);
      ASSERT_TRUE(row.next());
      root = row.number(0);
    }
    std::fstream file{path_, std::ios::in | std::ios::out | std::ios::binary};
    file.seekp((root - 1) * std::int64_t(page.size()));
    file << page;
    file.close();
    it_->reopen();
  }

  scratch_folder folder_;
  std::string path_;
  std::unique_ptr<audited_store> it_;
};

class SqliteAuditOf : public SqliteAudit,
                      public ::testing::WithParamInterface<breakage> {};

TEST_P(SqliteAuditOf, FindsAndMendsWhatWasBroken) {
  ASSERT_EQ(kinds_of(it_->audit()), std::set<std::string>{});
  run(GetParam().how);
  expect_mended(*it_, GetParam());
  expect_to_end(*it_);
}

INSTANTIATE_TEST_SUITE_P(
  Invariants, SqliteAuditOf,
  ::testing::Values(
    breakage{"Draft", "job", "UPDATE draft SET body = x'00' WHERE seq = 7"},
    breakage{"LostDraft", "job", "DELETE FROM draft WHERE seq = 7"},
    breakage{"Live", "job", "UPDATE job SET live = x'00' WHERE seq = 2"},
    breakage{"State", "job", "UPDATE job SET state = 12 WHERE seq = 7"},
    breakage{"OrphanedDraft", "orphan", "INSERT INTO draft VALUES(999, x'00')"},
    breakage{"Group", "index", "UPDATE job SET grp = 'z' WHERE seq = 6"},
    breakage{"UniqueKey", "index",
             "UPDATE job SET unique_key = 'z' WHERE seq = 6"},
    breakage{"Batch", "index", "UPDATE job SET batch = NULL WHERE seq = 6"},
    breakage{"LostLease", "lease",
             "UPDATE job SET lease_until = 0 WHERE id = 'busy1'"},
    breakage{"StrayLease", "lease",
             "UPDATE job SET lease_until = 5 WHERE id = 'waits'"},
    breakage{"Finished", "finished",
             "UPDATE job SET finished_at = 0 WHERE id = 'done'"},
    breakage{"Publishing", "publishing",
             "UPDATE job SET state = 2, lease_until = 0 WHERE id ="
             " 'committed'"},
    breakage{"LostHead", "head", "DELETE FROM head WHERE grp = 'calm'"},
    breakage{"WrongHead", "head",
             "UPDATE head SET seq = seq + 1 WHERE grp = 'calm'"},
    breakage{"StrayHead", "head",
             "INSERT INTO head VALUES('download', 'q', 5, 1, 1, 0)"},
    breakage{"Parked", "parked", "UPDATE head SET parked = 1 WHERE grp = ''"},
    breakage{"Depth", "counter", "UPDATE depth SET jobs = jobs + 1"},
    breakage{"LostDepth", "counter", "DELETE FROM depth WHERE state = 2"},
    breakage{"Held", "group", "UPDATE held SET jobs = 3 WHERE grp = 'busy'"},
    breakage{"LostHeld", "group", "DELETE FROM held"},
    breakage{"LostLink", "pending", "DELETE FROM link"},
    breakage{"OrphanedLink", "orphan",
             "INSERT INTO link VALUES(119, 'nobody', 'child')"},
    breakage{"ForgottenEnd", "release",
             "INSERT INTO link VALUES(119, 'done', 'child')"},
    breakage{"StaleLink", "orphan",
             "INSERT INTO link VALUES(104, 'busy1', 'done')"},
    breakage{"JobOfABatch", "job",
             "UPDATE job SET live = x'00' WHERE id = 'b1a'"},
    breakage{"LostJobOfABatch", "tally",
             "DELETE FROM draft WHERE seq = (SELECT seq FROM job WHERE id ="
             " 'b1a'); DELETE FROM job WHERE id = 'b1a'"},
    breakage{"CallbackNotDue", "due",
             "UPDATE record SET due = 0 WHERE kind = 119"},
    breakage{"CallbackInAnAge", "due",
             "UPDATE record SET due = 9000000000000000 WHERE kind = 119"},
    breakage{"CallbackInAWrongLane", "due",
             "UPDATE record SET lane = 0 WHERE kind = 119"},
    breakage{"ScheduleNotDue", "due",
             "UPDATE record SET due = 0 WHERE kind = 99"},
    breakage{"ScheduleInAnAge", "due",
             "UPDATE record SET due = 9000000000000000 WHERE kind = 99"},
    breakage{"Limit", "limit", "UPDATE flow SET body = x'00'"},
    breakage{"LostLimit", "group", "DELETE FROM flow"},
    breakage{"TokenInAnAge", "limit", "UPDATE flow SET due = 9000000000000000"},
    breakage{"LostClock", "clock", "DELETE FROM clock"},
    breakage{"ClockAhead", "clock",
             "UPDATE clock SET alive = 9000000000000000"},
    breakage{"GraceAhead", "clock",
             "UPDATE clock SET grace_until = 9000000000000000"},
    breakage{"Tally", "tally", "UPDATE tally SET jobs = jobs + 1"},
    breakage{"LostTally", "tally", "DELETE FROM tally"}),
  ::testing::PrintToStringParamName());

TEST_F(SqliteAudit, AJobThatCannotBeReadBecomesOneThatFailed) {
  run("UPDATE job SET live = x'00' WHERE id = 'waits';"
      "DELETE FROM draft WHERE seq = (SELECT seq FROM job WHERE id = 'later')");

  it_->audit(true);

  expect_corrupt(*it_, "waits");
  expect_corrupt(*it_, "later");
  EXPECT_EQ(it_->store->get("waits")->type, "download");
  it_->follow();
  EXPECT_EQ(it_->store->get("child")->state, job_state::failed);
}

TEST_F(SqliteAudit, AnIndexThatIsDestroyedIsFoundAndMadeAnew) {
  overwrite("job_finished", std::string(4096, '\0'));

  const auto first = it_->store->audit({});
  ASSERT_TRUE(first);
  ASSERT_FALSE(first->findings.empty());
  EXPECT_EQ(first->findings[0].invariant, "file");
  for (const auto& one : it_->audit(true))
    EXPECT_TRUE(one.repaired) << one.detail;

  EXPECT_EQ(kinds_of(it_->audit()), std::set<std::string>{});
  expect_to_end(*it_);
}

TEST_F(SqliteAudit, AnIndexThatLacksJobsIsFoundAndMadeAnew) {
  // A leaf without entries is no damage to SQLite.
  std::string leaf{"\x0a\0\0\0\0\x10\0\0", 8};
  leaf.resize(4096);
  overwrite("job_ready", leaf);

  expect_mended(*it_, {"", "index", ""});
  expect_to_end(*it_);
}

// -- Redis --------------------------------------------------------------------

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
    breakage{"LostJob", "orphan", "call('HDEL', k'jobs', 'later')"},
    breakage{"State", "state",
             "call('ZREM', k'states', job('states','waits'))"},
    breakage{"TwoStates", "state",
             "call('ZADD', k'states', 0, '4' .. job('states','waits'):sub(2))"},
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
    breakage{"ClockAhead", "clock",
             "call('HSET', k'meta', 'alive', '9000000000000000')"},
    breakage{"GraceAhead", "clock",
             "call('HSET', k'meta', 'grace', '9000000000000000')"},
    breakage{"LostTallies", "tally", "call('DEL', k'tallies')"},
    breakage{"Tally", "tally", "call('HINCRBY', k'tallies', '2batch', 1)"}),
  ::testing::PrintToStringParamName());

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
