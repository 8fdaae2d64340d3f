#pragma once

#include "media/descriptor.hpp"

#include <spawn.h>
#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace troupe::media {

/// A copy at a number above all that a program is handed, so that handing it
/// over overwrites no other; none with errno if there is none.
[[nodiscard]] descriptor moved_up(int low);

struct socket_ends {
  descriptor ours;
  descriptor theirs; ///< `moved_up`
};

/// Two ends of packets, closed on exec; none with errno.
[[nodiscard]] socket_ends make_socket_ends();

struct started_process {
  pid_t pid = 0;      ///< its own until it is reaped
  descriptor process; ///< pidfd
};

/// How a program of ours is started: in a session of its own, with nothing to
/// read, no signals blocked or ignored, and no descriptors, environment or
/// arguments but those that it is given.
class process_start {
public:
  process_start();
  process_start(const process_start&) = delete;
  process_start& operator=(const process_start&) = delete;
  ~process_start();

  /// @pre `from` is `moved_up`
  void hand_over(const descriptor& from, int to);
  /// What is written there is lost.
  void mute(int fd);

  /// No process with errno if not. Closes what lies above `last`.
  [[nodiscard]] started_process run(const std::filesystem::path& program,
                                    std::vector<std::string> words,
                                    std::vector<std::string> environment,
                                    int last);

private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

/// As execve takes words; they belong to `texts` and end with null.
[[nodiscard]] std::vector<char*> pointers_to(std::vector<std::string>& texts);

} // namespace troupe::media
