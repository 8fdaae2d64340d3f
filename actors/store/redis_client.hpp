#pragma once

#include "actors/store/job.hpp"
#include "actors/store/redis_connection.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::store {

/// Our scripts. The first nine stand in the order of `operation`.
enum class redis_script : std::uint8_t {
  submit,
  checkpoint,
  commit,
  succeed,
  fail,
  release,
  cancel,
  retry,
  purge,
  claim,
  promote,
  renew,
  expire,
  adopt,
  trim,
  list,
  depths,
};
inline constexpr std::size_t redis_script_count = 17;

/// A script with its arguments; what is not kept elsewhere is kept here.
class script_call {
public:
  explicit script_call(redis_script which) : which_{which} {
    // nop
  }

  // Copied arguments would refer to the texts of the original.
  script_call(script_call&&) = default;
  script_call& operator=(script_call&&) = default;

  /// @param arg outlives the call.
  void refer(std::string_view arg) {
    args_.push_back(arg);
    bytes_ += arg.size();
  }

  void keep(std::string arg) {
    refer(kept_.emplace_back(std::move(arg)));
  }

  [[nodiscard]] redis_script which() const noexcept {
    return which_;
  }

  [[nodiscard]] const redis_args& args() const noexcept {
    return args_;
  }

  /// Of all arguments.
  [[nodiscard]] std::size_t bytes() const noexcept {
    return bytes_;
  }

private:
  redis_script which_;
  redis_args args_;
  std::deque<std::string> kept_; ///< its elements never move
  std::size_t bytes_ = 0;
};

/// What every script is told.
struct script_settings {
  std::int64_t clock_offset_ms = 0;
  std::int64_t ageing_ms = 0;
  std::uint64_t max_queued = 0;
  std::int64_t lease_ms = 0;       ///< the usual one
  std::int64_t given_lease_ms = 0; ///< of leases that the script gives
};

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

  /// Runs all scripts in one go, in order. One reply each, none an error but
  /// OOM; another error fails the whole.
  result<std::vector<redis_reply_ptr>> run(std::span<const script_call> calls,
                                           const script_settings& settings);

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
  result<void> resend(std::span<const redis_args> commands,
                      std::vector<redis_reply_ptr>& replies);
  redis_args evalsha(const script_call& call,
                     std::span<const std::string> settings) const;

  redis_connection connection_;
  std::array<std::string, redis_script_count> shas_;
  bool has_flags_ = false; ///< the server knows `#!lua flags=…`
  durability level_ = durability::memory;
  clock::time_point next_try_{};
  std::chrono::milliseconds pause_{0};
};

/// Names of our keys, by what `lua/job.lua` calls them.
namespace redis_key {
inline constexpr std::string_view jobs = "{troupe}:jobs";
inline constexpr std::string_view leases = "{troupe}:leases";
inline constexpr std::string_view meta = "{troupe}:meta";
} // namespace redis_key

} // namespace troupe::store
