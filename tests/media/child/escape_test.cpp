#include "tests/media/child/children_fixture.hpp"

#include "tests/media/temporary_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <string>

/// Each promise of the sandbox, tried from inside.
namespace troupe::media {

class Sandbox : public Children {
protected:
  void SetUp() override {
    const auto layers = children_.describe_sandbox();
    ASSERT_TRUE(layers) << layers.error().message();
    for (const auto& layer : *layers)
      if (!layer.active && (layer.name == "seccomp" || layer.name == "limits"))
        GTEST_SKIP() << layer.name << " is not active: " << layer.why_not;
  }
};

TEST_F(Sandbox, HostileCallsKillAndBlameNobodysFile) {
  const auto self = std::to_string(::getpid());
  for (const auto* name : {"fork", "socket", "exec", "ptrace", "kill"}) {
    const auto end = run(name, self);
    EXPECT_EQ(end.code, errc::sandbox) << name << ": " << end.message;
    EXPECT_FALSE(may_pass(end.code));
  }
}

TEST_F(Sandbox, WhatNoCodecNeedsIsRefused) {
  const auto self = std::to_string(::getpid());
  EXPECT_EQ(run("open", "/etc/passwd").result, "refused");
  EXPECT_EQ(run("open", "/proc/self/mem").result, "refused");
  EXPECT_EQ(run("open", "/").result, "refused");
  EXPECT_EQ(run("make").result, "refused");
  EXPECT_EQ(run("stat").result, "refused");
  EXPECT_EQ(run("code").result, "refused");
  EXPECT_EQ(run("gain").result, "refused");
  EXPECT_EQ(run("tgkill", self).result, "refused");
}

TEST_F(Sandbox, NothingButWhatWasGivenCanBeWritten) {
  const temporary_folder folder;
  const auto path = folder.path() / "film";
  std::ofstream{path} << "film";

  EXPECT_EQ(run("write").result, "refused");
  auto task = task_named("write_input");
  task.files.emplace_back(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(run(std::move(task)).result, "refused");
}

TEST_F(Sandbox, AFileCannotGrowThoughItIsGivenForWriting) {
  const temporary_folder folder;
  const auto path = folder.path() / "film";
  auto task = task_named("write_input");
  task.files.emplace_back(
    ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));

  // SIGXFSZ, which nobody handles.
  EXPECT_EQ(run(std::move(task)).code, errc::crashed);
  EXPECT_EQ(std::filesystem::file_size(path), 0u);
}

TEST_F(Sandbox, ThreadsWork) {
  EXPECT_EQ(run("thread").result, "42");
}

} // namespace troupe::media
