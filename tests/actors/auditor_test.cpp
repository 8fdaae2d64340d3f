#include "actors/auditor.hpp"
#include "actors/store/sqlite_db.hpp"
#include "config/metrics.hpp"
#include "tests/store/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <atomic>

namespace troupe::actors::testing {
namespace {

using namespace std::chrono_literals;

class Auditor : public ::testing::Test {
protected:
  std::string path() const {
    return (folder_.path() / "jobs.db").string();
  }

  result<std::unique_ptr<store::job_store>> open() {
    store::store_options options;
    options.url = "sqlite:" + path();
    ++opened_;
    return store::open_store(options);
  }

  void submit() {
    store::submit_op op;
    op.draft.id = "a";
    op.draft.type = op.draft.queue = "noop";
    const std::vector<store::operation> ops{op};
    ASSERT_TRUE((*open())->apply(ops).has_value());
  }

  void break_counters() {
    auto db = store::sqlite_db::open(path(), 1000);
    ASSERT_TRUE(db.has_value());
    (*db)->run("UPDATE depth SET jobs = jobs + 1");
    ASSERT_FALSE((*db)->failed());
  }

  auditor_options eager() {
    auditor_options options;
    options.open = [this] {
      return open();
    };
    options.metrics = &metrics_;
    options.every = 0ms;
    options.parts = 1;
    return options;
  }

  /// Waits until the metrics have this line.
  bool comes(const std::string& line) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (std::chrono::steady_clock::now() < deadline) {
      if (metrics_.text().find("\n" + line + "\n") != std::string::npos)
        return true;
      std::this_thread::yield();
    }
    return false;
  }

  store::testing::scratch_folder folder_;
  config::metrics metrics_;
  std::atomic<int> opened_ = 0;
};

TEST_F(Auditor, TellsHowManyInvariantsAreBroken) {
  submit();
  const auditor works{eager()};
  EXPECT_TRUE(comes("troupe_audit_findings 0"));

  break_counters();

  EXPECT_TRUE(comes("troupe_audit_findings 1"));
  EXPECT_EQ(metrics_.text().find("\ntroupe_audit_last_seconds 0\n"),
            std::string::npos);
}

TEST_F(Auditor, EndsAtOnceWhileItRests) {
  submit();
  auto options = eager();
  options.every = 1h;
  const auto begun = std::chrono::steady_clock::now();
  { const auditor rests{std::move(options)}; }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
  EXPECT_EQ(opened_, 1);
}

} // namespace
} // namespace troupe::actors::testing
