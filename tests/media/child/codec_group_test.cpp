#include "media/child/codec_group.hpp"

#include "tests/media/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdlib>
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

TEST_F(CodecGroup, StandsBesideOursWhereWhatHoldsThemIsDelegated) {
  const auto own = folder_.path() / "server";
  fs::create_directory(own);
  EXPECT_EQ(home_of_groups(own), own);

  for (const auto* mark : {"0", "1"}) {
    if (::setxattr(folder_.path().c_str(), "user.delegate", mark, 1, 0) != 0)
      GTEST_SKIP() << "no attributes in " << folder_.path();
    EXPECT_EQ(home_of_groups(own), *mark == '1' ? folder_.path() : own);
  }
}

/// Against the kernel's own, where this process may make groups.
TEST_F(CodecGroup, IsOneOfTheKernels) {
  const auto own = own_group();
  if (!own)
    GTEST_SKIP() << own.error().message();
  const auto name = "troupe-test." + std::to_string(::getpid());
  auto made = codec_group::make(home_of_groups(*own), name, {64u << 20, 50});
  if (!made)
    GTEST_SKIP() << "no group beneath " << *own << ": "
                 << made.error().message();

  // A program that wants three times of what the group may have.
  const auto pid = ::fork();
  if (pid == 0) {
    ::raise(SIGSTOP);
    const std::size_t size = 192u << 20;
    auto* bytes = static_cast<volatile char*>(std::malloc(size));
    for (std::size_t i = 0; bytes && i < size; i += 4096)
      bytes[i] = 1;
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, WUNTRACED), pid);
  const auto before = oom_kills(made->events());
  EXPECT_TRUE(made->take(pid));
  ::kill(pid, SIGCONT);
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);

  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  EXPECT_EQ(oom_kills(made->events()), before + 1);
  EXPECT_EQ(text_of(made->events().parent_path() / "pids.max"), "50\n");
}

TEST_F(CodecGroup, CountsWhomTheKernelKilled) {
  std::ofstream{folder_.path() / "memory.events"}
    << "low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\noom_group_kill 5\n";

  EXPECT_EQ(oom_kills(folder_.path() / "memory.events"), 4u);
  EXPECT_EQ(oom_kills(folder_.path() / "none"), 0u);
}

TEST_F(CodecGroup, IsNoneWithoutItsControllers) {
  delegate("cpu pids");

  const auto made = codec_group::make(folder_.path(), "g", {1000, 7});

  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message().find("memory"), std::string::npos);
}

} // namespace troupe::media
