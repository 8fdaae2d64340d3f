#include "actors/store/sqlite_db.hpp"
#include "tests/store/audited_store.hpp"
#include "tests/store/scratch_folder.hpp"

#include <algorithm>
#include <fstream>

namespace troupe::store::testing {
namespace {

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
    breakage{"StateOfWords", "job",
             "UPDATE job SET state = 'abc' WHERE seq = 7"},
    breakage{"SwappedDrafts", "job",
             "UPDATE draft SET seq = -seq WHERE seq IN (6, 7);"
             "UPDATE draft SET seq = 13 + seq WHERE seq < 0"},
    breakage{"DraftOfAnother", "job",
             "UPDATE draft SET body = (SELECT body FROM draft WHERE seq = 6)"
             " WHERE seq = 7"},
    breakage{"Renamed", "index", "UPDATE job SET id = 'waits2' WHERE seq = 6"},
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
    breakage{"Score", "score",
             "UPDATE job SET score = score + 99999999 WHERE id = 'waits'"},
    breakage{"ReadyTime", "score",
             "UPDATE job SET run_at = run_at + 999999999 WHERE id = 'later'"},
    breakage{"NobodysLease", "lease",
             "UPDATE job SET node = '' WHERE id = 'busy1'"},
    breakage{"EndlessLease", "lease",
             "UPDATE job SET lease_until = 9000000000000000 WHERE id ="
             " 'committed'"},
    breakage{"LostJob", "orphan", "DELETE FROM job WHERE id = 'waits'"},
    breakage{"LostRecordOfABatch", "batch",
             "DELETE FROM record WHERE kind = 98 AND key = 'b1'"},
    breakage{"UnreadableBatch", "record",
             "UPDATE record SET body = x'00' WHERE kind = 98 AND key = 'b1'"},
    breakage{"UnreadableCallback", "record",
             "UPDATE record SET body = x'00' WHERE kind = 119"},
    breakage{"UnlistedCallback", "link", "DELETE FROM link WHERE kind = 99"},
    breakage{"UnlistedSchedule", "link", "DELETE FROM link WHERE kind = 115"},
    breakage{"ListedNothing", "orphan",
             "INSERT INTO link VALUES(115, '', 'nothing')"},
    breakage{"LogOfNobody", "orphan",
             "INSERT INTO record VALUES(108, 'nobody', 0, 0, x'00')"},
    breakage{"StagedOfNoBatch", "orphan",
             "INSERT INTO record VALUES(115, 'nobody/0', 0, 0, x'00')"},
    breakage{"Answer", "answer", "UPDATE answer SET job = x'00'"},
    breakage{"AnswerForEver", "answer",
             "UPDATE answer SET created_at = 9000000000000000"},
    breakage{"LostIndexes", "index",
             "DROP INDEX job_state; DROP INDEX job_ready;"
             "DROP INDEX record_due"},
    breakage{"DroppedHeads", "table", "DROP TABLE head"},
    breakage{"DroppedDepths", "table", "DROP TABLE depth"},
    breakage{"DroppedTallies", "table", "DROP TABLE tally"},
    breakage{"DroppedGroups", "table", "DROP TABLE held"},
    breakage{"DroppedClock", "table", "DROP TABLE clock"},
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

TEST_F(SqliteAudit, RowsThatContradictEachOtherHoldUpNobodyElse) {
  run("UPDATE draft SET seq = -seq WHERE seq IN (6, 7);"
      "UPDATE draft SET seq = 13 + seq WHERE seq < 0");

  expect_others_served(*it_, {"waits", "calm1"});
}

TEST_F(SqliteAudit, LeasesOfNobodyAndWithoutAnEndAreMended) {
  expect_leases_mended(*it_);
}

TEST_F(SqliteAudit, AJobThatIsLostIsToldToHaveFailed) {
  run("DELETE FROM job WHERE id = 'waits'");
  expect_lost_job_told(*it_);
}

TEST_F(SqliteAudit, AScheduleThatCannotBeReadIsRemoved) {
  run("UPDATE record SET body = x'00' WHERE kind = 99");
  expect_schedule_removed(*it_);
}

TEST_F(SqliteAudit, ARecordOfAnotherVersionStays) {
  run("INSERT INTO record VALUES(7, 'x', 0, 5, x'00')");
  expect_unknown_stays(*it_);
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

TEST_F(SqliteAudit, WhatDroppedTablesHeldIsToldToBeLost) {
  for (const std::string table : {"record", "link", "answer", "flow", "draft"})
    run("DROP TABLE " + table);

  const auto first = it_->store->audit({true});

  ASSERT_TRUE(first);
  EXPECT_EQ(std::ranges::count(first->findings,
                               "it is gone, with all that it held",
                               &audit_finding::detail),
            5);
  it_->audit(true);
  it_->audit(true);
  EXPECT_EQ(kinds_of(it_->audit()), std::set<std::string>{});
  expect_corrupt(*it_, "waits");
}

TEST_F(SqliteAudit, OfADroppedTableOfJobsTheirIdsAreLeft) {
  run("DROP TABLE job");

  it_->audit(true);
  it_->audit(true);

  EXPECT_EQ(kinds_of(it_->audit()), std::set<std::string>{});
  expect_corrupt(*it_, "waits");
}

TEST_F(SqliteAudit, AnIndexThatLacksJobsIsFoundAndMadeAnew) {
  // A leaf without entries is no damage to SQLite.
  std::string leaf{"\x0a\0\0\0\0\x10\0\0", 8};
  leaf.resize(4096);
  overwrite("job_ready", leaf);

  expect_mended(*it_, {"", "index", ""});
  expect_to_end(*it_);
}

} // namespace
} // namespace troupe::store::testing
