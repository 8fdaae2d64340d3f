#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace troupe::store::testing {

struct redis_server_options {
  std::string fsync = "everysec"; ///< empty: no append-only file
  bool tcp = false;               ///< on a free port, else on a Unix socket
  std::vector<std::string> more;  ///< further arguments, "--name", "value"
  std::string sentinel = {}; ///< not empty: a Sentinel, with this configuration
};

/// A real redis-server of our own, in a temporary folder. It ends with its
/// object, or with the process.
///
/// Invariant: `pid_` is a child not yet reaped, or -1.
class redis_server {
public:
  explicit redis_server(redis_server_options options = {});
  ~redis_server();
  redis_server(const redis_server&) = delete;
  redis_server& operator=(const redis_server&) = delete;

  /// As `open_redis_store` takes it.
  [[nodiscard]] std::string url() const;

  /// 0 on a Unix socket.
  [[nodiscard]] int port() const noexcept {
    return port_;
  }

  /// Starts it (again, with what it had synced) and waits until it answers.
  void start();
  /// SIGKILL, then waits for its end.
  void kill();
  /// SIGSTOP, waits until it stands still; SIGCONT.
  void freeze();
  void thaw();

  /// Bytes of its append-only file, and all but so many of them cut off, as if
  /// they had never been synced. @pre for the latter it was killed
  [[nodiscard]] std::uintmax_t log_size() const;
  void cut_log(std::uintmax_t size);

  /// One command over a connection of its own: its reply, or the elements of
  /// it in lines. Throws when there is none or it is an error.
  std::string command(const std::vector<std::string>& args) const;

private:
  [[nodiscard]] std::vector<std::string> arguments() const;
  [[nodiscard]] bool answers() const;
  [[nodiscard]] std::filesystem::path log_file() const;

  redis_server_options options_;
  std::filesystem::path folder_;
  int port_ = 0;
  pid_t pid_ = -1;
};

} // namespace troupe::store::testing
