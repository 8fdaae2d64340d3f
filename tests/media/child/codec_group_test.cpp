#include "media/child/codec_group.hpp"

#include "tests/media/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>

/// Against a folder that looks like the kernel's.
namespace troupe::media {

namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

class CodecGroup : public testing::Test {
protected:
  /// The kernel makes the files of a group with its folder; here they wait.
  void delegate(const char* controllers) {
    std::ofstream{folder_.path() / "cgroup.controllers"} << controllers << '\n';
    std::ofstream{folder_.path() / "cgroup.subtree_control"};
    fs::create_directory(folder_.path() / "g");
    for (const auto* name : {"memory.max", "pids.max", "cgroup.procs"})
      std::ofstream{folder_.path() / "g" / name};
  }

  temporary_folder folder_;
};

TEST_F(CodecGroup, LimitsMemoryAndTasksOfWhatItTakes) {
  delegate("cpu memory pids");

  const auto made = codec_group::make(folder_.path(), "g", {1000, 7});

  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(text_of(folder_.path() / "cgroup.subtree_control"),
            "+memory +pids");
  EXPECT_EQ(text_of(folder_.path() / "g/memory.max"), "1000");
  EXPECT_EQ(text_of(folder_.path() / "g/pids.max"), "7");
  EXPECT_TRUE(made->take(42));
  EXPECT_EQ(text_of(folder_.path() / "g/cgroup.procs"), "42");
}

TEST_F(CodecGroup, IsNoneWithoutItsControllers) {
  delegate("cpu pids");

  const auto made = codec_group::make(folder_.path(), "g", {1000, 7});

  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message().find("memory"), std::string::npos);
}

} // namespace troupe::media
