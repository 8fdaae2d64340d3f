#pragma once

#include "actors/store/job.hpp"
#include "actors/store/redis_connection.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace troupe::store {

/// lua/apply.lua, which is refused or not when the server is out of memory.
enum class redis_script : std::uint8_t {
  apply,         ///< lets jobs end, which frees memory
  apply_if_room, ///< for what adds jobs
};
inline constexpr std::size_t redis_script_count = 2;

/// How much of the memory that the server may use is in use.
struct redis_memory {
  std::uint64_t used = 0;
  std::uint64_t limit = 0; ///< 0: none

  [[nodiscard]] bool above(double share) const noexcept {
    return limit != 0 && static_cast<double>(used) > share * limit;
  }
};

/// A connection that mends itself: it opens again within the next call after
/// it was lost (not more often than a growing pause allows), checks that the
/// server is still fit and loads the scripts where they are missing.
///
/// Invariant: while the connection is open, `shas_` names scripts that the
/// server has had in this connection's time.
class redis_client {
public:
  redis_client(redis_address address, std::int64_t timeout_ms);

  /// Opens at once. `bad_config` for an evicting server, for data of another
  /// layout or for a wrong password; `unavailable` for no answer.
  result<void> open();

  /// Sends all commands in one go. One reply each, none an error but OOM;
  /// another error fails the whole.
  result<std::vector<redis_reply_ptr>>
  run(std::span<const redis_args> commands);

  /// Runs a script, with `redis_keys` for its keys. `queue_full` when the
  /// server has no room.
  result<redis_reply_ptr> eval(redis_script which, const redis_args& args);

  /// As `redis_connection::ask`, on a connection that mends itself.
  result<redis_reply_ptr> ask(const redis_args& args);

  /// Asks the server.
  result<redis_memory> memory();

  /// What the server's configuration promised when it was last connected.
  [[nodiscard]] durability level() const noexcept {
    return level_;
  }

private:
  using clock = std::chrono::steady_clock;

  result<void> ensure_open();
  result<void> inspect();
  result<void> load_scripts();
  redis_connection connection_;
  std::array<std::string, redis_script_count> shas_;
  bool has_flags_ = false; ///< the server knows `#!lua flags=…`
  durability level_ = durability::memory;
  clock::time_point next_try_{};
  std::chrono::milliseconds pause_{0};
};

} // namespace troupe::store
