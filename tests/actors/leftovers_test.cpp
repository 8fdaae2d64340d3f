#include "actors/leftovers.hpp"
#include "media/files/publish.hpp"
#include "tests/store/scratch_folder.hpp"

#include <gtest/gtest.h>

namespace troupe::actors::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// One store, and a library whose folders count as old at once.
class Leftovers : public ::testing::Test {
protected:
  void SetUp() override {
    store::store_options options;
    options.url = "memory:";
    auto opened = store::open_store(options);
    ASSERT_TRUE(opened.has_value());
    store_ = std::move(*opened);
  }

  void submit(const std::string& id) {
    store::submit_op op;
    op.draft.id = id;
    op.draft.type = op.draft.queue = "noop";
    const std::vector<store::operation> ops{op};
    ASSERT_TRUE(store_->apply(ops).has_value());
  }

  void cancel(const std::string& id) {
    const std::vector<store::operation> ops{store::cancel_op{id}};
    ASSERT_TRUE(store_->apply(ops).has_value());
  }

  fs::path leave(const std::string& id) {
    auto folder = media::staging_folder(library_.path(), id, 1);
    fs::create_directories(folder);
    fs::create_directories(media::work_folder(library_.path(), id));
    return folder;
  }

  std::size_t remove(leftover_ages ages) {
    const auto removed = remove_leftovers(*store_, library_.path(), ages);
    EXPECT_TRUE(removed.has_value());
    return removed ? *removed : 0;
  }

  std::unique_ptr<store::job_store> store_;
  store::testing::scratch_folder library_;
};

TEST_F(Leftovers, GoOnceTheirJobHasEnded) {
  submit("a");
  const auto folder = leave("a");

  EXPECT_EQ(remove({0ms, 0ms}), 0u);
  cancel("a");
  EXPECT_EQ(remove({0ms, 24h}), 1u);

  EXPECT_FALSE(fs::exists(folder));
  EXPECT_FALSE(fs::exists(media::work_folder(library_.path(), "a")));
}

TEST_F(Leftovers, StayWhileTheirServerMayStillRemoveThem) {
  submit("a");
  cancel("a");
  leave("a");

  EXPECT_EQ(remove({1h, 0ms}), 0u);
}

TEST_F(Leftovers, OfAJobUnknownHereStayForLonger) {
  leave("other");

  EXPECT_EQ(remove({0ms, 24h}), 0u);
  EXPECT_EQ(remove({0ms, 0ms}), 1u);
}

} // namespace
} // namespace troupe::actors::testing
