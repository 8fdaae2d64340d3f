#include "media/descriptor.hpp"
#include "media/tool/lines.hpp"
#include "media/tool/order.hpp"
#include "media/tool/tool.hpp"
#include "tests/media/temporary_folder.hpp"

#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

namespace troupe::media {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using lines = std::vector<std::string>;
using steady = std::chrono::steady_clock;

/// All that one tool said, for a test to wait on.
class record {
public:
  tool_listener listener() {
    tool_listener made;
    made.on_output_line = [this](std::string_view line) {
      add(output, line);
    };
    made.on_error_line = [this](std::string_view line) {
      add(errors, line);
    };
    made.on_exit = [this](tool_exit how) {
      const std::lock_guard guarded{mutex_};
      exit = std::move(how);
      changed_.notify_all();
    };
    return made;
  }

  template <class Condition>
  bool wait(Condition&& holds) {
    std::unique_lock guarded{mutex_};
    return changed_.wait_for(guarded, 20s, holds);
  }
  bool wait_for_exit() {
    return wait([this] { return exit.has_value(); });
  }
  bool wait_for_lines(std::size_t count) {
    return wait([this, count] { return output.size() >= count; });
  }

  lines output;
  lines errors;
  std::optional<tool_exit> exit;

private:
  void add(lines& to, std::string_view line) {
    const std::lock_guard guarded{mutex_};
    to.emplace_back(line);
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
};

template <class Condition>
bool eventually(Condition&& holds) {
  const auto deadline = steady::now() + 10s;
  while (steady::now() < deadline) {
    if (holds())
      return true;
    std::this_thread::yield();
  }
  return false;
}

bool is_alive(pid_t pid) {
  const auto status = content_of("/proc/" + std::to_string(pid) + "/status");
  return !status.empty() && status.find("State:\tZ") == std::string::npos;
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(
    std::distance(fs::directory_iterator{"/proc/self/fd"}, {}));
}

class tools : public testing::Test {
protected:
  tool_command shell(const std::string& script) {
    tool_command command;
    command.argv = {"/bin/sh", "-c", script};
    command.folder = folder_.path();
    return command;
  }

  /// Runs a script to its end.
  std::unique_ptr<record> run(const std::string& script) {
    return run(shell(script));
  }
  std::unique_ptr<record> run(tool_command command) {
    auto heard = std::make_unique<record>();
    auto started = runner_->run(std::move(command), heard->listener());
    EXPECT_TRUE(started) << started.error().message();
    EXPECT_TRUE(heard->wait_for_exit());
    return heard;
  }

  [[nodiscard]] const fs::path& folder() const {
    return folder_.path();
  }

  temporary_folder folder_;
  runtime threads_;
  std::unique_ptr<tool_runner> runner_ =
    std::make_unique<tool_runner>(threads_, TROUPE_TEST_GUARD);
};

/// A tree of three, each in a session of its own and deaf to SIGTERM; prints
/// its process ids.
constexpr auto stubborn_tree = R"(
  trap '' TERM
  deaf='trap "" TERM; echo $$; while :; do sleep 0.05; done'
  setsid sh -c "$deaf" &
  setsid sh -c "setsid sh -c '$deaf' & $deaf" &
  echo $$
  while :; do sleep 0.05; done)";

std::vector<pid_t> numbers_in(const lines& output) {
  std::vector<pid_t> numbers;
  for (const auto& line : output)
    numbers.push_back(std::stoi(line));
  return numbers;
}

TEST_F(tools, TellsTheExitCode) {
  EXPECT_EQ(run("exit 0")->exit->status, 0);
  const auto heard = run("exit 42");
  EXPECT_EQ(heard->exit->status, 42);
  EXPECT_EQ(heard->exit->signal, 0);
  EXPECT_EQ(heard->exit->guard_error, "");
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

TEST_F(tools, AMissingProgramIsAnErrorOfItsOwn) {
  auto command = shell("");
  for (const auto* program : {"/no/such/program", "/etc/passwd", "/usr"}) {
    command.argv = {program};
    const auto started = runner_->run(command, {});
    ASSERT_FALSE(started) << program;
    EXPECT_EQ(started.error().code, errc::tool_missing);
  }
}

TEST_F(tools, SaysWhyNothingWasStarted) {
  auto elsewhere = shell("true");
  elsewhere.folder = folder() / "none";
  EXPECT_THAT(run(elsewhere)->exit->guard_error, HasSubstr("chdir: No such"));

  write(folder() / "script", "#!/no/such/interpreter\n");
  fs::permissions(folder() / "script", fs::perms::owner_all);
  auto broken = shell("");
  broken.argv = {(folder() / "script").string()};
  EXPECT_THAT(run(broken)->exit->guard_error, HasSubstr("exec: No such"));

  auto unlockable = shell("true");
  unlockable.lock_file = folder() / "none" / "lock";
  EXPECT_THAT(run(unlockable)->exit->guard_error, HasSubstr("lock: No such"));
}

TEST_F(tools, AGuardThatCannotBeStartedIsAnError) {
  tool_runner broken{threads_, "/no/such/troupe"};

  const auto started = broken.run(shell("true"), {});

  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, errc::io_error);
}

TEST_F(tools, WritesOnlyInItsFolder) {
  if (landlock_abi() == 0)
    GTEST_SKIP() << "the kernel has no Landlock";
  const temporary_folder other;
  write(other.path() / "secret", "x");
  const auto elsewhere = other.path().string();

  const auto heard = run("echo a > inside && mkdir sub && mv inside sub/ && "
                         "cat sub/inside && echo x > /dev/null && echo fine; "
                         "echo b > "
                         + elsewhere
                         + "/outside; "
                           "cat "
                         + elsewhere
                         + "/secret; ls /root; ls /; "
                           "rm /etc/hostname");

  EXPECT_THAT(heard->output, ElementsAre("a", "fine"));
  EXPECT_THAT(heard->errors, SizeIs(5));
  EXPECT_TRUE(fs::exists("/etc/hostname"));
  EXPECT_FALSE(fs::exists(other.path() / "outside"));
}

TEST_F(tools, ReadsWhatItWasGiven) {
  const temporary_folder other;
  write(other.path() / "tool", "#!/bin/sh\ncat $1; echo x > $1\n");
  write(other.path() / "given", "words\n");
  fs::permissions(other.path() / "tool", fs::perms::owner_all);
  auto command = shell("");
  command.argv = {(other.path() / "tool").string(),
                  (other.path() / "given").string()};
  command.readable = {other.path() / "given"};

  const auto heard = run(std::move(command));

  EXPECT_THAT(heard->output, ElementsAre("words"));
  EXPECT_EQ(content_of(other.path() / "given") == "words\n",
            landlock_abi() != 0);
}

/// A loopback port that takes connections.
class open_port {
public:
  open_port() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_.get(), raw, size), 0);
    EXPECT_EQ(::listen(socket_.get(), 8), 0);
    EXPECT_EQ(::getsockname(socket_.get(), raw, &size), 0);
    number = ntohs(address.sin_port);
  }
  std::uint16_t number = 0;

private:
  descriptor socket_;
};

TEST_F(tools, ConnectsOnlyToThePortThatItWasGiven) {
  if (landlock_abi() < 4)
    GTEST_SKIP() << "the kernel's Landlock knows no ports";
  const open_port proxy;
  const open_port other;
  auto command =
    shell("exec python3 -I -c '\n"
          "import socket, sys\n"
          "for port in sys.argv[1:]:\n"
          "  try: socket.create_connection((\"127.0.0.1\", int(port)))"
          "; print(\"in\")\n"
          "  except PermissionError: print(\"out\")' "
          + std::to_string(proxy.number) + " " + std::to_string(other.number));
  command.connect_port = proxy.number;

  const auto heard = run(std::move(command));

  EXPECT_THAT(heard->output, ElementsAre("in", "out"));
}

TEST_F(tools, CannotSignalItsGuard) {
  if (landlock_abi() < 6)
    GTEST_SKIP() << "the kernel's Landlock knows no signals";
  const auto heard = run("kill -9 $PPID 2>/dev/null; echo $?");

  EXPECT_THAT(heard->output, ElementsAre("1"));
  EXPECT_EQ(heard->exit->guard_error, "");
}

TEST_F(tools, AFloodOfOutputHoldsUpNobody) {
  record heard;
  std::atomic<std::size_t> count{0};
  auto listener = heard.listener();
  listener.on_output_line = [&count](std::string_view) {
    ++count;
  };
  const auto started = runner_->run(shell("exec yes"), std::move(listener));
  ASSERT_TRUE(started);
  ASSERT_TRUE(eventually([&count] { return count > 1000; }));
  for (int turn = 0; turn < 200; ++turn) {
    std::promise<void> reached;
    const auto begun = steady::now();
    boost::asio::post(threads_.io(), [&reached] { reached.set_value(); });
    ASSERT_EQ(reached.get_future().wait_for(5s), std::future_status::ready);
    EXPECT_LT(steady::now() - begun, 500ms);
  }

  (*started)->stop(0ms);

  EXPECT_TRUE(heard.wait_for_exit());
}

TEST_F(tools, AThousandRunsLeakNothing) {
  run("true");
  const auto before = open_descriptors();

  constexpr int lanes = 4;
  for (int round = 0; round < 1000 / lanes; ++round) {
    record heard[lanes];
    std::vector<std::unique_ptr<tool>> started;
    for (auto& lane : heard)
      started.push_back(runner_->run(shell("true"), lane.listener()).value());
    for (auto& lane : heard) {
      ASSERT_TRUE(lane.wait_for_exit());
      ASSERT_EQ(lane.exit->guard_error, "");
      ASSERT_EQ(lane.exit->status, 0);
    }
  }

  EXPECT_TRUE(eventually([before] { return open_descriptors() <= before; }));
  siginfo_t facts{};
  EXPECT_EQ(::waitid(P_ALL, 0, &facts, WEXITED | WNOHANG | WNOWAIT), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(ToolOrder, SurvivesItsEncodingOnlyWhole) {
  guard_order order;
  order.argv = {"/bin/x", "", "a b\n"};
  order.environment = {"A=1"};
  order.folder = "/f";
  order.readable = {"/r", "/s"};
  order.nice = -3;
  order.connect_port = 65535;
  order.marker = "M=1";

  const auto bytes = encode(order);
  const auto again = decode_order(bytes);

  ASSERT_TRUE(again);
  EXPECT_EQ(encode(*again), bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_order(std::string_view{bytes}.substr(0, size)));
}

TEST(FindProgram, LooksWhereAShellWould) {
  EXPECT_THAT(find_program("sh").string(), testing::EndsWith("/sh"));
  EXPECT_EQ(find_program("/bin/sh"), "/bin/sh");
  EXPECT_THAT(find_program("no-such-program").string(), IsEmpty());
  EXPECT_THAT(find_program("/etc/passwd").string(), IsEmpty());
  EXPECT_THAT(find_program("").string(), IsEmpty());
}

} // namespace

} // namespace troupe::media
