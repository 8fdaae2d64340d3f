#include "tests/media/child/children_fixture.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

namespace troupe::media {

using namespace std::chrono_literals;

TEST_F(Children, ACrashIsToldByItsSignal) {
  const auto end = run("crash");

  EXPECT_EQ(end.code, errc::crashed);
  if (!is_sanitized) {
    EXPECT_NE(end.message.find("signal 11"), std::string::npos) << end.message;
  }
}

TEST_F(Children, AnAbortIsACrashThoughNoSignalCanBeSent) {
  EXPECT_EQ(run("abort").code, errc::crashed);
}

TEST_F(Children, AChildThatExitsWithoutAnAnswerIsACrash) {
  const auto end = run("leave");

  EXPECT_EQ(end.code, errc::crashed);
  EXPECT_NE(end.message.find("status 7"), std::string::npos) << end.message;
}

TEST_F(Children, AHangEndsForWantOfProgress) {
  auto task = task_named("hang");
  task.stall = 100ms;

  const auto end = run(std::move(task));

  EXPECT_EQ(end.code, errc::timeout);
  EXPECT_NE(end.message.find("no progress"), std::string::npos) << end.message;
}

TEST_F(Children, TheSameProgressAgainIsNone) {
  auto task = task_named("mark_time");
  task.stall = 300ms;

  const auto end = run(std::move(task));

  EXPECT_EQ(end.code, errc::timeout);
  EXPECT_NE(end.message.find("no progress"), std::string::npos) << end.message;
}

TEST_F(Children, ProcessorTimeOfAllThreadsHasALimit) {
  auto task = task_named("burn");
  task.stall = 60s;
  task.cpu = 200ms;

  const auto end = run(std::move(task));

  EXPECT_EQ(end.code, errc::timeout);
  EXPECT_NE(end.message.find("processor"), std::string::npos) << end.message;
  EXPECT_GE(end.usage.cpu_s, 0.2);
}

TEST_F(Children, ALastingOneTellsWhatEachTaskUsed) {
  one_task seat;
  seat.child = children_.open(child_life::lasting);
  auto task = task_named("burn");
  task.stall = 60s;
  task.cpu = 300ms;
  give(seat, std::move(task));
  EXPECT_GE(seat.wait().usage.cpu_s, 0.3);

  give(seat, task_named("echo"));

  EXPECT_LT(seat.wait().usage.cpu_s, 0.3);
}

TEST_F(Children, ProgressWithoutEndEndsWithItsTime) {
  auto task = task_named("dawdle");
  task.life = 400ms;

  const auto end = run(std::move(task));

  EXPECT_EQ(end.code, errc::timeout);
  EXPECT_NE(end.message.find("too long"), std::string::npos) << end.message;
}

TEST_F(Children, AStoppedChildEndsForWantOfProgress) {
  one_task seat;
  seat.child = children_.open(child_life::lasting);
  give(seat, task_named("pid"));
  const auto pid = std::stoi(seat.wait().result);
  auto task = task_named("dawdle");
  task.stall = 300ms;
  give(seat, std::move(task));
  ASSERT_TRUE(comes([&seat] { return *seat.reports > 0; }));

  ::kill(pid, SIGSTOP);

  EXPECT_EQ(seat.wait().code, errc::timeout);
}

TEST_F(Children, OneThatIsKilledFromOutsideIsNoCrash) {
  for (const int signal : {SIGKILL, SIGTERM, SIGSEGV}) {
    one_task seat;
    seat.child = children_.open(child_life::lasting);
    give(seat, task_named("pid"));
    const auto pid = std::stoi(seat.wait().result);
    give(seat, task_named("dawdle"));
    ASSERT_TRUE(comes([&seat] { return *seat.reports > 0; }));

    ::kill(pid, signal);

    const auto end = seat.wait();
    EXPECT_EQ(end.code, signal == SIGSEGV ? errc::crashed : errc::killed)
      << signal;
    give(seat, task_named("echo", "the next one"));
    EXPECT_EQ(seat.wait().result, "the next one");
  }
}

TEST_F(Children, OneThatTheKernelKillsForWantOfMemoryIsNoCrash) {
  const auto events = std::filesystem::temp_directory_path()
                      / ("oom." + std::to_string(::getpid()));
  const auto write = [&events](int kills) {
    std::ofstream{events} << "low 0\nhigh 0\nmax 4\noom 1\noom_kill " << kills
                          << "\noom_group_kill 0\n";
  };
  write(3);
  codec_children watched{
    threads_, TROUPE_TEST_CODEC, little_memory(), {}, events};
  const auto killed = [&watched](const auto& meanwhile) {
    one_task seat;
    seat.child = watched.open(child_life::lasting);
    give(seat, task_named("pid"));
    const auto pid = std::stoi(seat.wait().result);
    give(seat, task_named("dawdle"));
    EXPECT_TRUE(comes([&seat] { return *seat.reports > 0; }));
    meanwhile();
    ::kill(pid, SIGKILL);
    return seat.wait().code;
  };

  EXPECT_EQ(killed([] {}), errc::killed);
  EXPECT_EQ(killed([&write] { write(4); }), errc::memory);
  EXPECT_EQ(killed([] {}), errc::killed) << "that was another one's";
  std::filesystem::remove(events);
}

TEST_F(Children, TooMuchMemoryIsToldAsSuch) {
  if (is_sanitized)
    GTEST_SKIP() << "a sanitizer maps terabytes";

  EXPECT_EQ(run("eat").code, errc::memory);
}

TEST_F(Children, AFloodedLogIsCutAtAThousandLines) {
  auto made = start(task_named("flood"));

  EXPECT_EQ(made.wait().result, "done");
  EXPECT_EQ(*made.lines, 1000);
}

TEST_F(Children, WhoBreaksTheProtocolIsKilled) {
  for (const auto* name : {"garbage", "close", "unasked", "understate"})
    EXPECT_EQ(run(name).code, errc::crashed) << name;
}

TEST_F(Children, ASecondAnswerIsNotHeard) {
  EXPECT_EQ(run("twice").result, "answer");

  one_task seat;
  seat.child = children_.open(child_life::lasting);
  give(seat, task_named("twice"));
  EXPECT_EQ(seat.wait().result, "answer");
  give(seat, task_named("echo", "next"));

  const auto end = seat.wait();
  EXPECT_TRUE(end.result == "next" || end.code == errc::crashed);
}

TEST_F(Children, OneThatLeaksDescriptorsRunsOutOfItsOwnAlone) {
  run("echo");
  const auto before = open_descriptors();
  one_task seat;
  seat.child = children_.open(child_life::lasting);

  give(seat, task_named("leak"));
  const auto leaked = std::stoul(seat.wait().result);

  EXPECT_GT(leaked, 0u);
  EXPECT_LT(leaked, child_limits{}.files);
  EXPECT_EQ(run("echo", "words").result, "words");
  seat.child.reset();
  EXPECT_TRUE(comes([this] { return children_.count() == 0; }));
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Children, OneThatFailsLeavesAllOthersAlone) {
  std::vector<one_task> good;
  std::vector<one_task> bad;
  for (int i = 0; i < 5; ++i) {
    good.push_back(start(task_named("nap", "300")));
    bad.push_back(start(task_named("crash")));
  }

  for (auto& each : bad)
    EXPECT_EQ(each.wait().code, errc::crashed);
  for (auto& each : good)
    EXPECT_EQ(each.wait().result, "rested");
}

/// A birth needs a few: without them its task fails, and nobody is left.
TEST_F(Children, WantOfDescriptorsFailsTasksButLeavesNobody) {
  ASSERT_EQ(run("echo").code, errc::none);
  std::vector<descriptor> taken;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  auto few = before;
  few.rlim_cur = 256;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  for (int fd = 0; fd >= 0;)
    if (fd = ::dup(STDIN_FILENO); fd >= 0)
      taken.emplace_back(fd);

  std::vector<one_task> waiting;
  for (int spare = 0; spare < 8; ++spare) {
    waiting.push_back(start(task_named("echo", "late")));
    if (!taken.empty())
      taken.pop_back();
  }
  taken.clear();

  for (auto& each : waiting) {
    const auto code = each.wait().code;
    EXPECT_TRUE(code == errc::none || code == errc::io_error);
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(run("echo").code, errc::none);
  EXPECT_EQ(children_.count(), 0u);
  EXPECT_TRUE(comes([] { return zombie().empty(); })) << zombie();
}

/// Long form: TROUPE_TEST_CRASHES=10000.
TEST_F(Children, CrashesInARowLeaveNothingBehind) {
  const auto* wanted = std::getenv("TROUPE_TEST_CRASHES");
  const int crashes = wanted ? std::atoi(wanted) : 300;
  for (int i = 0; i < 50; ++i)
    run("crash");
  const auto before = open_descriptors();
  const auto memory = resident_kb();

  for (int i = 0; i < crashes; ++i)
    ASSERT_EQ(run("crash").code, errc::crashed);

  EXPECT_EQ(open_descriptors(), before);
  if (!is_sanitized) {
    EXPECT_LT(resident_kb(), memory + 4096);
  }
  EXPECT_EQ(children_.count(), 0u);
  EXPECT_EQ(zombie(), "");
}

} // namespace troupe::media
