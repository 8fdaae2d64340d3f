#include "tests/media/tools_fixture.hpp"

namespace troupe::media::testing_tools {

namespace {

TEST_F(tools, TellsTheExitCode) {
  EXPECT_EQ(run("exit 0")->exit->status, 0);
  const auto heard = run("exit 42");
  EXPECT_EQ(heard->exit->status, 42);
  EXPECT_EQ(heard->exit->signal, 0);
  EXPECT_EQ(heard->exit->guard_error, "");
}

TEST_F(tools, TellsWhatItsTreeUsed) {
  const auto heard =
    run("(dd if=/dev/zero of=/dev/null bs=100M count=20 2>/dev/null) & wait");

  EXPECT_GT(heard->exit->used.peak_memory, 100u << 20);
  EXPECT_LT(heard->exit->used.peak_memory, 1000u << 20);
  EXPECT_GT(heard->exit->used.cpu_ms, 0u);
}

TEST_F(tools, TellsTheSignalThatEndedIt) {
  EXPECT_EQ(run("kill -SEGV $$")->exit->signal, SIGSEGV);
}

TEST_F(tools, PassesOnEachLineOfBothStreams) {
  const auto heard =
    run("echo one; echo; echo warn >&2; printf 'last without newline'");

  EXPECT_THAT(heard->output, ElementsAre("one", "", "last without newline"));
  EXPECT_THAT(heard->errors, ElementsAre("warn"));
}

TEST_F(tools, CutsEndlessLines) {
  auto command = shell("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo ok");
  command.max_line = 1000;

  const auto heard = run(std::move(command));

  EXPECT_THAT(heard->output, ElementsAre(std::string(1000, 'x'), "ok"));
}

TEST_F(tools, PassesOnALongLineWhole) {
  const auto heard = run("head -c 3000000 /dev/zero | tr '\\0' x");

  ASSERT_THAT(heard->output, SizeIs(1));
  EXPECT_THAT(heard->output[0], SizeIs(3000000));
}

TEST_F(tools, GetsOnlyTheEnvironmentThatWasGiven) {
  ::setenv("TROUPE_SECRET", "x", 1);
  auto command = shell("exec env");
  command.environment = {"LANG=C", "http_proxy=http://127.0.0.1:1"};

  const auto heard = run(std::move(command));

  EXPECT_THAT(heard->output,
              testing::UnorderedElementsAre(
                "LANG=C", "http_proxy=http://127.0.0.1:1",
                "HOME=" + folder().string(), "TMPDIR=" + folder().string(),
                "PATH=/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE=1",
                testing::StartsWith("TROUPE_TOOL="),
                // The shell's own.
                "PWD=" + folder().string()));
}

TEST_F(tools, InheritsNoDescriptorNoMaskAndAnEmptyInput) {
  const descriptor open_one{::open("/dev/null", O_RDONLY)};
  sigset_t mask;
  ::sigemptyset(&mask);
  ::sigaddset(&mask, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &mask, nullptr);
  ::signal(SIGPIPE, SIG_IGN);

  const auto heard = run("cat; exec python3 -I -c '\n"
                         "import os\n"
                         "for fd in range(64):\n"
                         "  try: os.fstat(fd); print(fd)\n"
                         "  except OSError: pass'");
  const auto signals = run("exec grep -E 'SigBlk|SigIgn' /proc/self/status");
  ::pthread_sigmask(SIG_UNBLOCK, &mask, nullptr);
  ::signal(SIGPIPE, SIG_DFL);

  EXPECT_THAT(heard->output, ElementsAre("0", "1", "2"));
  // The two that glibc keeps for itself, 32 and 33, may be ignored.
  EXPECT_THAT(
    signals->output,
    ElementsAre("SigBlk:\t0000000000000000",
                testing::MatchesRegex("SigIgn:\t0000000[01][08]0000000")));
}

TEST_F(tools, StopsAWholeStubbornTreeWithinTwoSeconds) {
  record heard;
  const auto started = runner_->run(shell(stubborn_tree), heard.listener());
  ASSERT_TRUE(started);
  ASSERT_TRUE(heard.wait_for_lines(4));
  const auto begun = steady::now();

  (*started)->stop(500ms);

  ASSERT_TRUE(heard.wait_for_exit());
  EXPECT_LT(steady::now() - begun, 2s);
  EXPECT_GE(steady::now() - begun, 450ms);
  EXPECT_EQ(heard.exit->signal, SIGKILL);
  for (const auto pid : numbers_in(heard.output))
    EXPECT_FALSE(is_alive(pid));
}

TEST_F(tools, LetsAPoliteToolEndByItself) {
  record heard;
  const auto started = runner_->run(
    shell(
      "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done"),
    heard.listener());
  ASSERT_TRUE(started);
  ASSERT_TRUE(heard.wait_for_lines(1));

  (*started)->stop(10s);

  ASSERT_TRUE(heard.wait_for_exit());
  EXPECT_THAT(heard.output, ElementsAre("up", "bye"));
  EXPECT_EQ(heard.exit->status, 3);
}

TEST_F(tools, LeavesNothingBehindWhenItEndsItself) {
  const auto heard =
    run("setsid sh -c 'trap \"\" TERM; while :; do sleep 0.05; done' & "
        "echo $!");

  EXPECT_EQ(heard->exit->status, 0);
  EXPECT_FALSE(is_alive(numbers_in(heard->output).at(0)));
}

TEST_F(tools, DestroyingAToolKillsItInSilence) {
  record heard;
  auto started = runner_->run(shell(stubborn_tree), heard.listener());
  ASSERT_TRUE(started);
  ASSERT_TRUE(heard.wait_for_lines(4));

  started->reset();
  runner_.reset();

  EXPECT_FALSE(heard.exit);
  for (const auto pid : numbers_in(heard.output))
    EXPECT_FALSE(is_alive(pid));
}

} // namespace

} // namespace troupe::media::testing_tools
