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
  for (const auto* name :
       {"fork", "socket", "connect", "exec", "ptrace", "kill"}) {
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

/// Children that see a folder of fonts, or a node that stands for a GPU's.
class Views : public Sandbox {
protected:
  void SetUp() override {
    Sandbox::SetUp();
    const auto layers = children_.describe_sandbox();
    ASSERT_TRUE(layers);
    for (const auto& layer : *layers)
      if (!layer.active && layer.name == "landlock")
        GTEST_SKIP() << "no Landlock: " << layer.why_not;
    std::ofstream{font_} << "font";
    std::ofstream{folder_.path() / "secret"} << "secret";
  }

  std::string open_as(child_profile profile, const std::string& path) {
    one_task made;
    made.child = seeing_.open(child_life::one_task, profile);
    give(made, task_named("open", path));
    return made.wait().result;
  }

  static std::filesystem::path made(const std::filesystem::path& folder) {
    std::filesystem::create_directory(folder);
    return folder;
  }

  const temporary_folder folder_;
  const std::filesystem::path fonts_ = made(folder_.path() / "fonts");
  const std::string font_ = (fonts_ / "a.ttf").string();
  const std::string secret_ = (folder_.path() / "secret").string();
  codec_children seeing_{
    threads_, TROUPE_TEST_CODEC, little_memory(), {{fonts_}, "/dev/null"}};
};

TEST_F(Views, OfTextAreFontsAndNothingElse) {
  constexpr auto text = child_profile::text;
  EXPECT_EQ(open_as(text, font_), "open was let through");
  EXPECT_EQ(open_as(text, secret_), "refused");
  EXPECT_EQ(open_as(text, fonts_ / ".." / "secret"), "refused");
  EXPECT_EQ(open_as(text, "/etc/passwd"), "refused");
  EXPECT_EQ(open_as(text, "/dev/null"), "refused");

  one_task made;
  made.child = seeing_.open(child_life::one_task, text);
  give(made, task_named("make", fonts_ / "made"));
  EXPECT_EQ(made.wait().result, "refused");
  EXPECT_FALSE(std::filesystem::exists(fonts_ / "made"));
}

TEST_F(Views, OfMediaAreNone) {
  EXPECT_EQ(open_as(child_profile::media, font_), "refused");
  EXPECT_EQ(open_as(child_profile::media, "/dev/null"), "refused");
}

TEST_F(Views, OfAGpuAreItsNodeAndWhatItsDriverReads) {
  constexpr auto gpu = child_profile::gpu;
  EXPECT_EQ(open_as(gpu, "/dev/null"), "open was let through");
  EXPECT_EQ(open_as(gpu, "/usr/bin/env"), "open was let through");
  EXPECT_EQ(open_as(gpu, "/dev/zero"), "refused");
  EXPECT_EQ(open_as(gpu, "/etc/passwd"), "refused");
  EXPECT_EQ(open_as(gpu, font_), "refused");
}

TEST_F(Views, AreNoneWhereNothingWasNamed) {
  for (const auto profile : {child_profile::text, child_profile::gpu}) {
    one_task made;
    made.child = children_.open(child_life::one_task, profile);
    give(made, task_named("open", "/usr/bin/env"));
    EXPECT_EQ(made.wait().result, "refused");
  }
}

TEST_F(Views, LetNoOtherCallThrough) {
  for (const auto profile : {child_profile::text, child_profile::gpu})
    for (const auto* name : {"fork", "socket", "exec", "kill"}) {
      one_task made;
      made.child = seeing_.open(child_life::one_task, profile);
      give(made, task_named(name, std::to_string(::getpid())));
      EXPECT_EQ(made.wait().code, errc::sandbox) << name;
    }
}

TEST_F(Sandbox, ThreadsWork) {
  EXPECT_EQ(run("thread").result, "42");
}

} // namespace troupe::media
