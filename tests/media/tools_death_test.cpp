#include "tests/media/tools_fixture.hpp"

namespace troupe::media::testing_tools {

namespace {

/// A stand-in for the server, to be killed.
class host {
public:
  host(const fs::path& folder, std::string script) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    out_.reset(ends[0]);
    const descriptor theirs{ends[1]};
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), 1);
    std::string words[]{TROUPE_TEST_GUARD, "host", folder, std::move(script)};
    char* argv[]{words[0].data(), words[1].data(), words[2].data(),
                 words[3].data(), nullptr};
    EXPECT_EQ(
      ::posix_spawn(&pid_, TROUPE_TEST_GUARD, &actions, nullptr, argv, environ),
      0);
    ::posix_spawn_file_actions_destroy(&actions);
  }
  ~host() {
    kill();
  }

  std::vector<pid_t> numbers(std::size_t count) {
    lines heard;
    line_splitter splitter{100};
    char block[100];
    while (heard.size() < count) {
      const auto size = ::read(out_.get(), block, sizeof block);
      if (size <= 0)
        break;
      splitter.feed({block, static_cast<std::size_t>(size)},
                    [&](std::string_view line) { heard.emplace_back(line); });
    }
    return numbers_in(heard);
  }

  void kill() {
    if (pid_ == 0)
      return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

private:
  pid_t pid_ = 0;
  descriptor out_;
};

TEST_F(tools, DieWithTheirServer) {
  host server{folder(), stubborn_tree};
  const auto pids = server.numbers(4);
  ASSERT_THAT(pids, SizeIs(4));
  const auto begun = steady::now();

  server.kill();

  for (const auto pid : pids)
    EXPECT_TRUE(eventually([pid] { return !is_alive(pid); }));
  EXPECT_LT(steady::now() - begun, 2s);
}

TEST_F(tools, ASecondAttemptWaitsForTheFirstOfADeadServer) {
  host server{folder(), stubborn_tree};
  const auto pids = server.numbers(4);
  ASSERT_THAT(pids, SizeIs(4));
  server.kill();
  auto command = shell("echo mine");
  command.lock_file = folder() / "lock";

  record heard;
  bool first_was_alive = false;
  auto listener = heard.listener();
  listener.on_output_line = [&, pids](std::string_view) {
    for (const auto pid : pids)
      first_was_alive = first_was_alive || is_alive(pid);
  };
  const auto started = runner_->run(std::move(command), std::move(listener));

  ASSERT_TRUE(started);
  ASSERT_TRUE(heard.wait_for_exit());
  EXPECT_EQ(heard.exit->guard_error, "");
  EXPECT_FALSE(first_was_alive);
}

TEST_F(tools, DieWithTheirGuard) {
  record heard;
  const auto started = runner_->run(
    shell("echo $PPID; " + std::string{stubborn_tree}), heard.listener());
  ASSERT_TRUE(started);
  ASSERT_TRUE(heard.wait_for_lines(5));

  ::kill(numbers_in(heard.output).at(0), SIGKILL);

  ASSERT_TRUE(heard.wait_for_exit());
  EXPECT_THAT(heard.exit->guard_error, HasSubstr("guard was killed"));
  for (const auto pid : numbers_in(heard.output))
    EXPECT_FALSE(is_alive(pid));
}

TEST_F(tools, TheNextAttemptEndsWhatDeadGuardAndServerLeft) {
  host server{folder(), "echo $PPID; " + std::string{stubborn_tree}};
  const auto pids = server.numbers(5);
  ASSERT_THAT(pids, SizeIs(5));
  // The server first, but stopped: it must not clean up after its guard.
  ::kill(pids[0], SIGSTOP);
  server.kill();
  ::kill(pids[0], SIGKILL);
  auto command = shell("echo mine");
  command.lock_file = folder() / "lock";

  const auto heard = run(std::move(command));

  EXPECT_THAT(heard->output, ElementsAre("mine"));
  for (const auto pid : pids)
    EXPECT_FALSE(is_alive(pid));
}

TEST_F(tools, AHeldLockIsWaitedForByAStoppableGuard) {
  record first;
  auto command = shell("echo up; exec sleep 60");
  command.lock_file = folder() / "lock";
  const auto holding = runner_->run(command, first.listener());
  ASSERT_TRUE(holding);
  ASSERT_TRUE(first.wait_for_lines(1));

  record second;
  const auto waiting = runner_->run(command, second.listener());
  ASSERT_TRUE(waiting);
  (*waiting)->stop(0ms);

  ASSERT_TRUE(second.wait_for_exit());
  EXPECT_THAT(second.exit->guard_error, HasSubstr("stopped before it began"));
  EXPECT_FALSE(first.exit);
}

} // namespace

} // namespace troupe::media::testing_tools
