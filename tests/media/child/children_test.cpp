#include "media/child/zygote_link.hpp"
#include "tests/media/child/children_fixture.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <set>
#include <vector>

namespace troupe::media {

TEST_F(Children, OneDoesATaskAndIsReaped) {
  auto made = start(task_named("echo", "words"));
  const auto end = made.wait();

  EXPECT_EQ(end.code, errc::none) << end.message;
  EXPECT_EQ(end.result, "words");
  EXPECT_EQ(*made.reports, 1);
  EXPECT_EQ(*made.lines, 1);
  EXPECT_GT(end.usage.max_memory, 0u);
  EXPECT_EQ(children_.count(), 0u);
  EXPECT_EQ(zombie(), "");
}

TEST_F(Children, AResultOfMegabytesArrivesWhole) {
  const auto end = run("large", "2000001");

  ASSERT_EQ(end.code, errc::none) << end.message;
  EXPECT_EQ(end.result, std::string(2000001, 'x'));
}

TEST_F(Children, AResultInPartsIsWholeWhateverIsSaidBetweenThem) {
  one_task made = start(task_named("piecemeal"));

  const auto end = made.wait();

  ASSERT_EQ(end.code, errc::none) << end.message;
  EXPECT_EQ(end.result, "beginning" + std::string(60000, 'b')
                          + std::string(7000, 'c') + std::string(3000, 'd'));
  EXPECT_EQ(*made.lines, 2);
  EXPECT_EQ(*made.reports, 1);
}

TEST_F(Children, WhatIsLeftOfABrokenResultIsInNoOther) {
  one_task seat;
  seat.child = children_.open(child_life::lasting);
  give(seat, task_named("break_off"));
  const auto broken = seat.wait();
  EXPECT_EQ(broken.code, errc::invalid_media);
  EXPECT_EQ(broken.message, "half of it is missing");

  give(seat, task_named("echo", "words"));

  EXPECT_EQ(seat.wait().result, "words");
}

TEST_F(Children, AResultBeyondItsLimitIsNotTaken) {
  auto task = task_named("large", "3000000");
  task.max_result = 1u << 20;

  EXPECT_EQ(run(std::move(task)).code, errc::crashed);
}

TEST_F(Children, ALastingOneDoesManyTasksAndKeepsNoDescriptor) {
  one_task seat;
  seat.child = children_.open(child_life::lasting);
  std::set<std::string> pids;
  std::set<std::string> counts;

  for (int i = 0; i < 20; ++i) {
    auto task = task_named("descriptors");
    task.files.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    give(seat, std::move(task));
    counts.insert(seat.wait().result);
    give(seat, task_named("pid"));
    pids.insert(seat.wait().result);
  }

  EXPECT_EQ(pids.size(), 1u);
  EXPECT_EQ(counts, std::set<std::string>{"6"});
  EXPECT_EQ(children_.count(), 1u);
}

TEST_F(Children, ALastingOneThatDiedIsBornAnewForTheNextTask) {
  one_task seat;
  seat.child = children_.open(child_life::lasting);
  give(seat, task_named("crash"));
  EXPECT_EQ(seat.wait().code, errc::crashed);

  give(seat, task_named("echo", "again"));

  EXPECT_EQ(seat.wait().result, "again");
}

TEST_F(Children, ThoseOfBatchWorkAreNiced) {
  const auto nice_of = [this](child_rank rank) {
    one_task made;
    made.child =
      children_.open(child_life::lasting, child_profile::media, rank);
    give(made, task_named("pid"));
    const auto pid = static_cast<id_t>(std::stoi(made.wait().result));
    return ::getpriority(PRIO_PROCESS, pid);
  };

  EXPECT_EQ(nice_of(child_rank::batch), 10);
  EXPECT_EQ(nice_of(child_rank::waited_for), ::getpriority(PRIO_PROCESS, 0));
}

TEST_F(Children, TheyAreOursNotTheZygotes) {
  one_task seat;
  seat.child = children_.open(child_life::lasting);
  give(seat, task_named("pid"));
  const auto pid = std::stoi(seat.wait().result);

  siginfo_t facts{};
  EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &facts,
                     WEXITED | WNOHANG | WNOWAIT),
            0);
}

TEST_F(Children, TenRunningTasksOutliveTheirZygote) {
  std::vector<one_task> running;
  for (int i = 0; i < 10; ++i)
    running.push_back(start(task_named("nap", "1000")));
  for (const auto& each : running)
    ASSERT_TRUE(comes([&each] { return *each.reports > 0; }));

  const auto first = zygote();
  ::kill(first, SIGKILL);

  for (auto& each : running)
    EXPECT_EQ(each.wait().result, "rested");
  EXPECT_NE(zygote(), first);
}

TEST_F(Children, TasksAskedForWhileZygotesDieAreDoneAllTheSame) {
  std::vector<one_task> running;
  for (int i = 0; i < 30; ++i) {
    running.push_back(start(task_named("nap", "50")));
    if (i % 10 == 5)
      ::kill(zygote(), SIGKILL);
  }

  for (auto& each : running) {
    const auto end = each.wait();
    EXPECT_EQ(end.code, errc::none) << end.message;
  }
  EXPECT_TRUE(comes([] { return zombie().empty(); })) << zombie();
}

/// Its lifeline has ended before it was born: it never says a word.
TEST_F(Children, OneThatSaysNothingIsKnownAllTheSame) {
  birth_book births;
  auto zygote = spawn_zygote(TROUPE_TEST_CODEC, births.file());
  ASSERT_TRUE(zygote.process);
  int ends[2]{-1, -1};
  int pipe[2]{-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  const descriptor socket{ends[0]};
  descriptor theirs{ends[1]};
  descriptor read_end{pipe[0]};
  ::close(pipe[1]);
  const auto line = births.take().value();
  const spawn_order order{little_memory(), line};
  const int given[]{theirs.get(), read_end.get()};
  ASSERT_TRUE(send_frame(zygote.control.get(),
                         {frame_kind::spawn, 0, payload_of(order)}, given));
  theirs.reset();
  read_end.reset();
  frame_buffer buffer;
  ASSERT_EQ(receive_frame(socket.get(), buffer).status, frame_status::closed);

  const auto pid = births.read(line);

  ASSERT_GT(pid, 0);
  siginfo_t facts{};
  EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &facts, WEXITED), 0);
  EXPECT_EQ(facts.si_pid, pid);
  zygote.control.reset();
  const auto parent = static_cast<id_t>(zygote.process.get());
  EXPECT_EQ(::waitid(P_PIDFD, parent, &facts, WEXITED), 0);
}

/// At any instant: in the middle of a birth, too.
TEST_F(Children, NoneIsLeftBehindByZygotesThatAreKilled) {
  for (int i = 0; i < 6; ++i) {
    std::vector<one_task> running;
    for (int j = 0; j < 20; ++j)
      running.push_back(start(task_named("echo", "x")));
    if (const auto pid = children_.zygote(); pid > 0)
      ::kill(pid, SIGKILL);
    for (auto& each : running)
      EXPECT_EQ(each.wait().code, errc::none);
  }

  EXPECT_EQ(children_.count(), 0u);
  EXPECT_TRUE(comes([] { return zombie().empty(); })) << zombie();
}

TEST_F(Children, AStoppedZygoteIsReplaced) {
  const auto first = zygote();
  ::kill(first, SIGSTOP);

  const auto end = run("echo", "late");

  EXPECT_EQ(end.result, "late") << end.message;
  EXPECT_NE(children_.zygote(), first);
}

TEST_F(Children, ABusyOneDiesWhenItsLifelineEnds) {
  birth_book births;
  auto zygote = spawn_zygote(TROUPE_TEST_CODEC, births.file());
  ASSERT_TRUE(zygote.process);
  int ends[2]{-1, -1};
  int pipe[2]{-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  descriptor socket{ends[0]};
  descriptor lifeline{pipe[1]};
  {
    const descriptor theirs{ends[1]};
    const descriptor read_end{pipe[0]};
    const spawn_order order{little_memory(), births.take().value()};
    const int given[]{theirs.get(), read_end.get()};
    ASSERT_TRUE(send_frame(zygote.control.get(),
                           {frame_kind::spawn, 0, payload_of(order)}, given));
  }
  frame_buffer buffer;
  descriptor child;
  std::int32_t pid = 0;
  const auto word = receive_frame(socket.get(), buffer);
  ASSERT_EQ(word.what.kind, frame_kind::ready);
  ASSERT_TRUE(read_payload(word.what.payload, pid));
  child.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  using namespace std::string_view_literals;
  ASSERT_TRUE(send_frame(socket.get(), {frame_kind::task, 1, "dawdle\0"sv}));
  EXPECT_EQ(receive_frame(socket.get(), buffer).what.kind,
            frame_kind::progress);

  lifeline.reset();

  siginfo_t facts{};
  const auto process = static_cast<id_t>(child.get());
  ASSERT_EQ(::waitid(P_PIDFD, process, &facts, WEXITED), 0);
  EXPECT_EQ(facts.si_status, SIGKILL);
  zygote.control.reset();
  const auto parent = static_cast<id_t>(zygote.process.get());
  ASSERT_EQ(::waitid(P_PIDFD, parent, &facts, WEXITED), 0);
  EXPECT_EQ(facts.si_code, CLD_EXITED);
}

TEST_F(Children, TheyEndWithTheirOwner) {
  one_task seat;
  pid_t pid = 0;
  {
    runtime threads;
    codec_children own{threads, TROUPE_TEST_CODEC, little_memory()};
    seat.child = own.open(child_life::lasting);
    give(seat, task_named("pid"));
    pid = std::stoi(seat.wait().result);
    give(seat, task_named("hang"));
    seat.child.reset();
  }

  EXPECT_NE(::kill(pid, 0), 0);
}

TEST_F(Children, ACancelledTaskEndsWithItsReason) {
  auto made = start(task_named("hang"));
  made.child->stop(errc::cancelled);

  EXPECT_EQ(made.wait().code, errc::cancelled);
  EXPECT_EQ(children_.count(), 0u);
}

TEST_F(Children, AMissingProgramFailsTheTask) {
  runtime threads;
  codec_children none{threads, "/nowhere/troupe-codec"};
  one_task made;
  made.child = none.open(child_life::one_task);
  give(made, task_named("echo"));

  EXPECT_EQ(made.wait().code, errc::io_error);
}

TEST_F(Children, TheirSandboxIsDescribedLayerByLayer) {
  const auto layers = children_.describe_sandbox();

  ASSERT_TRUE(layers) << layers.error().message();
  std::set<std::string> names;
  for (const auto& layer : *layers) {
    names.insert(layer.name);
    EXPECT_EQ(layer.active, layer.why_not.empty()) << layer.name;
  }
  EXPECT_EQ(names, (std::set<std::string>{"landlock", "limits", "namespaces",
                                          "privileges", "root", "seccomp"}));
}

} // namespace troupe::media
