#include "net/cli/data_folder.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace troupe::cli {
namespace {

namespace fs = std::filesystem;

class DataFolder : public ::testing::Test {
protected:
  DataFolder() {
    std::string name = ::testing::TempDir() + "troupe-data-XXXXXX";
    root_ = mkdtemp(name.data());
  }
  ~DataFolder() override {
    fs::remove_all(root_);
  }

  fs::path root_;
};

TEST_F(DataFolder, BelongsToOneServerAtATime) {
  {
    auto first = data_folder::hold(root_);
    auto second = data_folder::hold(root_);

    ASSERT_TRUE(first);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, make_error_code(store::errc::locked));
  }
  EXPECT_TRUE(data_folder::hold(root_));
}

TEST_F(DataFolder, NamesItsServerWhileThatLives) {
  {
    auto held = data_folder::hold(root_);
    ASSERT_TRUE(held->announce("http://127.0.0.1:81"));

    std::string url;
    std::getline(std::ifstream{root_ / "address"}, url);
    EXPECT_EQ(url, "http://127.0.0.1:81");
  }
  EXPECT_FALSE(fs::exists(root_ / "address"));
}

} // namespace
} // namespace troupe::cli
