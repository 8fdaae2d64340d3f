#include "actors/store/sqlite_db.hpp"
#include "actors/store/sqlite_schema.hpp"
#include "actors/store/sqlite_store.hpp"
#include "tests/store/scratch_folder.hpp"
#include "tests/store/store_fixture.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <fstream>

#include <sys/mount.h>
#include <sys/resource.h>

/// What only a store in a file can meet.
namespace troupe::store::testing {
namespace {

/// Lets this process write no file beyond a size; writes fail there.
class file_size_limit {
public:
  explicit file_size_limit(rlim_t bytes) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  file_size_limit(const file_size_limit&) = delete;
  file_size_limit& operator=(const file_size_limit&) = delete;
  ~file_size_limit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

private:
  rlimit before_{};
  void (*handler_)(int) = SIG_DFL;
};

/// A disk with room for 2 MiB, where there was a folder.
class small_disk {
public:
  explicit small_disk(std::filesystem::path where)
    : where_{std::move(where)}, there_{::mount("none", where_.c_str(), "tmpfs",
                                               0, "size=2m")
                                       == 0} {}
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  ~small_disk() {
    if (there_)
      ::umount(where_.c_str());
  }

  [[nodiscard]] bool there() const noexcept {
    return there_;
  }

private:
  std::filesystem::path where_;
  bool there_;
};

class SqliteStore : public ::testing::Test {
protected:
  std::string path() const {
    return (folder_.path() / "jobs.db").string();
  }

  result<std::unique_ptr<job_store>> open() {
    store_options options;
    options.url = "sqlite:" + path();
    options.timeout_ms = 50;
    return open_store(options);
  }

  void run(const char* sql) {
    auto db = sqlite_db::open(path(), 1000);
    ASSERT_TRUE(db);
    (*db)->run(sql);
    ASSERT_FALSE((*db)->failed()) << sql;
  }

  static operation submit_of(const std::string& id) {
    job_draft draft;
    draft.id = id;
    draft.type = draft.queue = "noop";
    return submit_op{draft, {}};
  }

  scratch_folder folder_;
};

TEST_F(SqliteStore, RefusesAFileThatIsNoDatabase) {
  std::ofstream{path()} << std::string(5000, 'x');

  const auto opened = open();

  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, errc::corrupt);
  EXPECT_TRUE(opened.error().detail.starts_with(path()));
}

TEST_F(SqliteStore, ReadsAndRaisesADatabaseOfTheVersionBefore) {
  {
    auto made = submit_of("a");
    std::get<submit_op>(made).draft.batch = "b";
    ASSERT_TRUE((*open())->apply({&made, 1}));
  }
  run("DROP TABLE record; DROP TABLE link; DROP TABLE tally;"
      "DROP TABLE flow; DROP TABLE held; DROP INDEX head_parked;"
      "DROP INDEX head_order; ALTER TABLE head DROP COLUMN parked;"
      "CREATE INDEX head_order ON head(queue, score, seq);"
      "UPDATE draft SET body ="
      " CAST(x'01' || substr(body, 2, length(body) - 6) AS BLOB);"
      "UPDATE job SET live ="
      " CAST(x'01' || substr(live, 2, length(live) - 8) AS BLOB);"
      "PRAGMA user_version = 1");

  auto opened = open();

  ASSERT_TRUE(opened) << opened.error().message();
  const auto it = (*opened)->get("a");
  ASSERT_TRUE(it) << it.error().message();
  EXPECT_EQ(it->state, job_state::queued);
  EXPECT_EQ(it->type, "noop");
  EXPECT_EQ((*opened)->claim({"noop", "node", 7, 1, 1000})->jobs.size(), 1u);
  opened->reset();
  EXPECT_TRUE(open());
}

TEST_F(SqliteStore, RefusesTheDatabaseOfAnotherProgram) {
  run("CREATE TABLE recipes(name TEXT)");

  const auto opened = open();

  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, errc::bad_config);
}

TEST_F(SqliteStore, RefusesADatabaseOfANewerVersion) {
  ASSERT_TRUE(open());
  run("PRAGMA user_version = 99");

  const auto opened = open();

  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, errc::bad_config);
}

TEST_F(SqliteStore, RefusesAPathInAFolderThatIsMissing) {
  store_options options;
  options.url = "sqlite:" + (folder_.path() / "none" / "jobs.db").string();

  const auto opened = open_store(options);

  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, errc::bad_config);
}

TEST_F(SqliteStore, AnUnknownKindOfStoreIsBadConfiguration) {
  for (const std::string url : {"", "sqlite:", "mysql://x", "jobs.db"}) {
    store_options options;
    options.url = url;
    const auto opened = open_store(options);
    ASSERT_FALSE(opened) << url;
    EXPECT_EQ(opened.error().code, errc::bad_config) << url;
  }
}

TEST_F(SqliteStore, AWriteThatFailsTakesBackItsGroupAndNothingElse) {
  const auto store = open();
  ASSERT_TRUE(store);
  ASSERT_TRUE((*store)->apply(std::vector{submit_of("first")}));
  auto big = submit_of("big");
  std::get<submit_op>(big).draft.params = std::string(16u << 20, 'x');
  const file_size_limit limit{8u << 20};

  const auto answer = (*store)->apply(std::vector{submit_of("second"), big});

  ASSERT_FALSE(answer);
  EXPECT_EQ((*store)->get("second").error().code, errc::not_found);
  EXPECT_TRUE((*store)->get("first"));
  EXPECT_TRUE((*store)->apply(std::vector{submit_of("third")}));
}

TEST_F(SqliteStore, TellsAFullDiskFromAStoreThatIsAway) {
  const small_disk disk{folder_.path()};
  if (!disk.there())
    GTEST_SKIP() << "may not mount a small file system";
  const auto filler = folder_.path() / "filler";
  std::ofstream{filler} << std::string(512u << 10, 'x');
  {
    const auto store = open();
    ASSERT_TRUE(store);
    ASSERT_TRUE((*store)->apply(std::vector{submit_of("first")}));
    auto big = submit_of("big");
    std::get<submit_op>(big).draft.params = std::string(4u << 20, 'x');

    const auto answer = (*store)->apply({&big, 1});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, errc::disk_full);
    EXPECT_TRUE((*store)->apply(std::vector{submit_of("small")}));

    auto refused = (*store)->apply(std::vector{submit_of("0")});
    for (int i = 1; refused && i < 10000; ++i)
      refused = (*store)->apply(std::vector{submit_of(std::to_string(i))});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, errc::disk_full);
    EXPECT_TRUE((*store)->get("first"));
    EXPECT_TRUE((*store)->list({}));

    std::filesystem::remove(filler);
    EXPECT_TRUE((*store)->apply(std::vector{submit_of("again")}));
  }
}

TEST_F(SqliteStore, AnotherWriterMakesItUnavailableForATime) {
  auto store = open();
  ASSERT_TRUE(store);
  auto other = sqlite_db::open(path(), 0);
  ASSERT_TRUE(other);
  (*other)->begin(true);

  const auto refused = (*store)->apply(std::vector{submit_of("a")});
  ASSERT_TRUE((*other)->end());
  const auto taken = (*store)->apply(std::vector{submit_of("a")});

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::unavailable);
  ASSERT_TRUE(taken);
  EXPECT_TRUE(taken->at(0).changed);
}

TEST_F(SqliteStore, ARecordThatCannotBeReadIsPutOff) {
  auto store = open();
  ASSERT_TRUE(store);
  put_schedule_op op;
  op.schedule.name = "nightly";
  op.schedule.cron = "@hourly";
  op.schedule.job.type = op.schedule.job.queue = "noop";
  ASSERT_TRUE((*store)->apply(std::vector<operation>{op}));
  run("UPDATE record SET body = x'00', due = 1");

  const auto first = (*store)->sweep({"node", 1, 1000, 256});
  const auto second = (*store)->sweep({"node", 1, 1000, 256});

  ASSERT_TRUE(second);
  EXPECT_FALSE(second->more);
  EXPECT_GT(second->next_due, first->now + 60'000);
  audit_request request;
  std::size_t findings = 0;
  do {
    const auto step = (*store)->audit(request);
    ASSERT_TRUE(step);
    findings += step->findings.size();
    request.cursor = step->next_cursor;
  } while (!request.cursor.empty());
  EXPECT_EQ(findings, 1u);
}

TEST_F(SqliteStore, AnAuditGivesUpAFileThatTakesTooLong) {
  auto store = open();
  ASSERT_TRUE(store);
  run("CREATE TABLE large(body);"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
      " WHERE i < 200) INSERT INTO large SELECT zeroblob(400000) FROM n");
  audit_request request;
  const auto whole = (*store)->audit(request);
  request.file_ms = 1;
  auto hasty = (*store)->audit(request);
  const auto deadline =
    std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (hasty && !hasty->gave_up
         && std::chrono::steady_clock::now() < deadline)
    hasty = (*store)->audit(request);

  ASSERT_TRUE(whole);
  EXPECT_FALSE(whole->gave_up);
  ASSERT_TRUE(hasty);
  EXPECT_TRUE(hasty->gave_up);
  EXPECT_TRUE(hasty->findings.empty());
  EXPECT_EQ(hasty->next_cursor, whole->next_cursor);
}

TEST_F(SqliteStore, SyncsWhatFollowsAClaimThatFailed) {
  auto opened = open_job_database(path(), 50);
  ASSERT_TRUE(opened);
  auto& db = **opened;
  store_options options;
  sqlite_store store{std::move(*opened), options, durability::disk};
  ASSERT_TRUE(store.apply(std::vector{submit_of("a")}));
  auto other = sqlite_db::open(path(), 0);
  (*other)->begin(true);
  ASSERT_FALSE(store.claim({"noop", "node", 7, 1, 1000}));
  ASSERT_TRUE((*other)->end());

  ASSERT_TRUE(store.apply(std::vector{submit_of("b")}));

  statement query{db, "PRAGMA synchronous"};
  auto row = query.start();
  ASSERT_TRUE(row.next());
  EXPECT_EQ(row.number(0), 2); // FULL
}

TEST_F(SqliteStore, AJobThatCannotBeReadHoldsNobodyUp) {
  auto store = open();
  ASSERT_TRUE(store);
  ASSERT_TRUE((*store)->apply(std::vector{submit_of("a"), submit_of("b")}));
  run("UPDATE draft SET body = x'0102' WHERE seq = 1");

  const auto leased = (*store)->claim({"noop", "node-1", 1, 5, 1000});

  ASSERT_TRUE(leased);
  ASSERT_EQ(leased->jobs.size(), 1u);
  EXPECT_EQ(leased->jobs.at(0).id, "b");
  const auto dead = (*store)->get("a");
  ASSERT_TRUE(dead);
  EXPECT_EQ(dead->state, job_state::failed);
  EXPECT_EQ(dead->queue, "noop");
  ASSERT_EQ(dead->errors.size(), 1u);
  EXPECT_EQ(dead->errors[0].code, "corrupt");
  const auto depths = (*store)->depths();
  ASSERT_TRUE(depths);
  EXPECT_EQ(depths->at(0).by_state[std::size_t(job_state::queued)], 0u);
  EXPECT_EQ(depths->at(0).by_state[std::size_t(job_state::failed)], 1u);
}

} // namespace
} // namespace troupe::store::testing
