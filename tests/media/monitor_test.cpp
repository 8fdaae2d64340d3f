#include "media/monitor/host_reader.hpp"
#include "temporary_folder.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

namespace troupe::media {
namespace {

using namespace std::chrono_literals;

class HostReader : public ::testing::Test {
protected:
  HostReader() {
    stat("cpu  100 0 100 700 100 0 0 0 0 0");
    put("meminfo", "MemTotal:       1000 kB\nMemFree: 1 kB\n"
                   "MemAvailable:    400 kB\n");
    put("loadavg", "0.50 1.25 2.00 1/99 4242\n");
    put("net/sockstat", "sockets: used 70\nTCP: inuse 12 orphan 0\n");
    network(1000, 500);
  }

  void put(const std::string& name, const std::string& text) {
    write(root.path() / "proc" / name, text);
  }
  void stat(const std::string& line) {
    put("stat", line + "\ncpu0 1 2 3\n");
  }
  void network(int received, int sent) {
    put("net/dev", "Inter-|   Receive  |  Transmit\n"
                   " face |bytes    packets|bytes\n"
                   "    lo: 9 9 9 9 9 9 9 9 9\n  eth0: "
                     + std::to_string(received) + " 1 0 0 0 0 0 0 "
                     + std::to_string(sent) + " 1\n");
  }

  temporary_folder root;
  host_reader reader{{{"data", root.path()}}, root.path()};
  host_reader::clock::time_point start{1h};
};

TEST_F(HostReader, ReadsWhatTheKernelTells) {
  const auto now = reader.read(start);

  EXPECT_EQ(now.memory, 1000u << 10);
  EXPECT_EQ(now.memory_available, 400u << 10);
  EXPECT_DOUBLE_EQ(now.load5, 1.25);
  EXPECT_DOUBLE_EQ(now.load15, 2);
  EXPECT_EQ(now.sockets, 70u);
  EXPECT_EQ(now.tcp, 12u);
  EXPECT_FALSE(now.pressure) << "this kernel has none";
  EXPECT_GT(now.process_memory, 0u);
  EXPECT_GT(now.descriptors, 0u);
  ASSERT_EQ(now.disks.size(), 1u);
  EXPECT_GT(now.disks[0].size, now.disks[0].free);
}

TEST_F(HostReader, MeasuresSharesAndRatesBetweenTwoLooks) {
  EXPECT_EQ(reader.read(start).cpu, 0) << "nothing to compare with";
  stat("cpu  160 0 115 700 125 0 0 0 0 0");
  network(5000, 2500);

  const auto now = reader.read(start + 2s);

  EXPECT_DOUBLE_EQ(now.cpu, 0.75) << "waiting for a disk is not busy";
  EXPECT_DOUBLE_EQ(now.received_per_s, 2000);
  EXPECT_DOUBLE_EQ(now.sent_per_s, 1000);
}

TEST_F(HostReader, TakesTheMemoryOfItsControlGroup) {
  write(root.path() / "sys/fs/cgroup/memory.max", "512000\n");
  write(root.path() / "sys/fs/cgroup/memory.current", "400000\n");
  write(root.path() / "sys/fs/cgroup/memory.stat",
        "anon 1\ninactive_file 100000\n");

  const auto now = reader.read(start);

  EXPECT_EQ(now.memory, 512000u);
  EXPECT_EQ(now.memory_available, 212000u);
}

TEST_F(HostReader, TakesAGroupWithoutALimitForTheMachine) {
  write(root.path() / "sys/fs/cgroup/memory.max", "max\n");

  EXPECT_EQ(reader.read(start).memory, 1000u << 10);
}

TEST_F(HostReader, ReadsPressureWhereThereIsSome) {
  for (const auto* name : {"cpu", "memory", "io"})
    put(std::string{"pressure/"} + name,
        "some avg10=12.50 avg60=1 avg300=0 total=7\nfull avg10=3.00\n");

  const auto now = reader.read(start);

  ASSERT_TRUE(now.pressure);
  EXPECT_DOUBLE_EQ(now.pressure->memory, 0.125);
}

TEST_F(HostReader, ReadsNothingWhereThereIsNothing) {
  host_reader blind{{{"data", root.path() / "none"}}, root.path() / "none"};

  const auto now = blind.read(start);

  EXPECT_EQ(now.memory, 0u);
  EXPECT_DOUBLE_EQ(now.memory_share(), 1) << "nobody is stopped for that";
}

TEST_F(HostReader, ReadsTheDiskOfAFolderThatIsStillToBeMade) {
  host_reader early{{{"data", root.path() / "none" / "data"}}, root.path()};

  const auto now = early.read(start);

  ASSERT_EQ(now.disks.size(), 1u);
  EXPECT_GT(now.disks[0].size, 0u);
}

TEST(Children, AreFoundWithTheirMemory) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const auto child = ::fork();
  if (child == 0) {
    ::close(ends[1]);
    char byte;
    _exit(::read(ends[0], &byte, 1) == 0 ? 0 : 1);
  }
  ::close(ends[0]);

  const auto all = read_children();
  ::close(ends[1]);
  ::waitpid(child, nullptr, 0);

  const auto at = std::ranges::find(all, child, &child_figures::pid);
  ASSERT_NE(at, all.end());
  EXPECT_GT(at->memory, 0u);
  EXPECT_FALSE(at->name.empty());
}

} // namespace
} // namespace troupe::media
