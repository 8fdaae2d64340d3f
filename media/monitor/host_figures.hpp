#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe::media {

/// How full the file system of a folder is, as far as we may use it.
struct disk_figures {
  std::string name; ///< `data` or `library`
  std::string path;
  std::uint64_t size = 0; ///< bytes
  std::uint64_t free = 0; ///< bytes

  /// 1 where nothing is known.
  [[nodiscard]] double free_share() const noexcept {
    return size == 0 ? 1
                     : static_cast<double>(free) / static_cast<double>(size);
  }
};

/// A process that this one has started, or one of theirs.
struct child_figures {
  std::int64_t pid = 0;
  std::string name; ///< of its program, at most 15 bytes
  std::uint64_t memory = 0;
  double cpu_s = 0;
};

/// Shares of the last ten seconds in which some task stood still for want of
/// it (Documentation/accounting/psi.rst).
struct pressure_figures {
  double cpu = 0;
  double memory = 0;
  double io = 0;
};

/// What the kernel tells of this machine at one moment (proc(5)); 0 where it
/// does not. Within a control group, its memory is that of the group.
struct host_figures {
  double cores = 0;
  double cpu = 0; ///< share of all cores that was busy since the last look
  double load1 = 0;
  double load5 = 0;
  double load15 = 0;
  std::uint64_t memory = 0;           ///< bytes
  std::uint64_t memory_available = 0; ///< bytes
  std::vector<disk_figures> disks;
  std::uint64_t sockets = 0; ///< of the machine
  std::uint64_t tcp = 0;     ///< connections among them
  double received_per_s = 0; ///< bytes, all links but loopback
  double sent_per_s = 0;
  std::optional<pressure_figures> pressure; ///< none: the kernel has no PSI

  // This process and what it has started.
  double process_cpu = 0; ///< cores in use since the last look
  std::uint64_t process_memory = 0;
  std::uint64_t descriptors = 0;
  std::uint64_t max_descriptors = 0;
  std::uint64_t threads = 0;
  double started = 0; ///< seconds since the Unix epoch
  std::uint64_t child_count = 0;
  std::uint64_t child_memory = 0;      ///< bytes of all
  std::vector<child_figures> children; ///< the largest, at most 64

  /// 1 where nothing is known.
  [[nodiscard]] double memory_share() const noexcept {
    return memory == 0 ? 1
                       : static_cast<double>(memory_available)
                           / static_cast<double>(memory);
  }
};

} // namespace troupe::media
