#include "config/sanitizers.hpp"
#include "tests/media/tools_fixture.hpp"

namespace troupe::media::testing_tools {

namespace {

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

TEST_F(tools, KeepToTheirMemory) {
  if (is_sanitized)
    GTEST_SKIP() << "sanitizers need address space without a limit";
  auto hungry = shell("exec python3 -c 'bytes(400 << 20)'");
  hungry.limits.memory = 200u << 20;

  EXPECT_THAT(run(std::move(hungry))->errors, Contains("MemoryError"));
}

TEST_F(tools, KeepToTheirLimits) {
  auto wide = shell("exec python3 -c 'open(\"f\", \"wb\").truncate(2000)'");
  wide.limits.file_size = 1000;
  auto many = shell("ulimit -n");
  many.limits.files = 77;

  EXPECT_THAT(run(std::move(wide))->errors,
              Contains(HasSubstr("File too large")));
  EXPECT_THAT(run(std::move(many))->output, ElementsAre("77"));
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
    EXPECT_LT(steady::now() - begun, is_sanitized ? 2000ms : 500ms);
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
  order.limits = {std::uint64_t{3} << 40, 7, 9};
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

} // namespace troupe::media::testing_tools
