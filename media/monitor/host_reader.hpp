#pragma once

#include "media/monitor/host_figures.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace troupe::media {

/// Looks at this machine. Reads a dozen small files and asks each folder's file
/// system, which may block: not for scheduler or io threads. One thread at a
/// time.
class host_reader {
public:
  using clock = std::chrono::steady_clock;
  /// By the name that its figures get.
  using named_folder = std::pair<std::string, std::filesystem::path>;

  /// @param root where `proc` and `sys` lie; tests put files there
  explicit host_reader(std::vector<named_folder> folders,
                       std::filesystem::path root = "/");

  /// Rates and shares are those since the last call; the first one has none.
  [[nodiscard]] host_figures read(clock::time_point now);

private:
  struct counters {
    std::uint64_t busy = 0;  ///< ticks of all cores
    std::uint64_t total = 0; ///< ticks of all cores
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
    double process_cpu_s = 0;
  };

  void read_cpu(host_figures& out, counters& now) const;
  void read_memory(host_figures& out) const;
  void read_network(host_figures& out, counters& now) const;
  void read_pressure(host_figures& out) const;
  void read_process(host_figures& out, counters& now) const;
  void read_disks(host_figures& out) const;

  std::vector<named_folder> folders_;
  std::filesystem::path proc_;
  std::filesystem::path cgroup_;
  counters last_;
  clock::time_point last_at_{};
};

/// The processes below this one, the largest first.
[[nodiscard]] std::vector<child_figures> read_children();

} // namespace troupe::media
