#include "actors/store/folder_lock.hpp"

#include "tests/store/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <optional>

#include <unistd.h>

namespace troupe::store::testing {
namespace {

TEST(FolderLock, RefusesASecondHolderAndNamesTheFirst) {
  const scratch_folder folder;
  auto first = folder_lock::take(folder.path() / "data");
  ASSERT_TRUE(first) << first.error().message();

  const auto second = folder_lock::take(folder.path() / "data");

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, errc::locked);
  EXPECT_TRUE(second.error().detail.ends_with(std::to_string(::getpid())))
    << second.error().detail;
}

TEST(FolderLock, IsFreeAgainWhenItsHolderIsGone) {
  const scratch_folder folder;
  {
    const auto first = folder_lock::take(folder.path());
    ASSERT_TRUE(first);
  }

  EXPECT_TRUE(folder_lock::take(folder.path()));
}

TEST(FolderLock, MakesAFolderForItsUserAloneAndLeavesOthersAsTheyAre) {
  namespace fs = std::filesystem;
  const scratch_folder folder;
  const auto old = folder.path() / "old";
  fs::create_directory(old);
  fs::permissions(old, fs::perms{0755});

  const auto one = folder_lock::take(folder.path() / "deep" / "data");
  const auto other = folder_lock::take(old);

  ASSERT_TRUE(one && other);
  EXPECT_EQ(fs::status(folder.path() / "deep" / "data").permissions(),
            fs::perms{0700});
  EXPECT_EQ(fs::status(folder.path() / "deep" / "data" / "lock").permissions(),
            fs::perms{0600});
  EXPECT_EQ(fs::status(old).permissions(), fs::perms{0755});
}

TEST(FolderLock, AFileInPlaceOfTheFolderIsBadConfiguration) {
  const scratch_folder folder;
  std::ofstream{folder.path() / "data"} << "x";

  const auto taken = folder_lock::take(folder.path() / "data");

  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, errc::bad_config);
}

TEST(NodeId, StaysTheSameInItsFolderAndDiffersFromAnother) {
  const scratch_folder one;
  const scratch_folder other;

  const auto first = node_id_of(one.path());
  const auto again = node_id_of(one.path());
  const auto foreign = node_id_of(other.path());

  ASSERT_TRUE(first && again && foreign);
  EXPECT_EQ(first->size(), 16u);
  EXPECT_EQ(*first, *again);
  EXPECT_NE(*first, *foreign);
}

TEST(NodeId, AFileThatHoldsNoneIsBadConfiguration) {
  const scratch_folder folder;
  std::ofstream{folder.path() / "node-id"} << "../../etc\n";

  const auto id = node_id_of(folder.path());

  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().code, errc::bad_config);
}

} // namespace
} // namespace troupe::store::testing
