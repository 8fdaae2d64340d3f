#pragma once

#include "actors/store/job.hpp"
#include "actors/store/redis_connection.hpp"
#include "actors/store/redis_pace.hpp"
#include "actors/store/redis_sync.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <random>
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

/// What a server is like.
struct redis_facts {
  int major_version = 0;
  durability level = durability::memory;
  bool has_log = false;        ///< one that holds all that there is
  bool waits_for_disk = false; ///< it knows WAITAOF and has a log
  std::string life;            ///< its run id
  std::uint32_t replicas = 0;  ///< that follow it now
};

/// How much of the memory that the server may use is in use.
struct redis_memory {
  std::uint64_t used = 0;
  std::uint64_t limit = 0; ///< 0: none

  [[nodiscard]] bool above(double share) const noexcept {
    return limit != 0 && static_cast<double>(used) > share * limit;
  }
  /// With so many bytes more.
  [[nodiscard]] redis_memory plus(std::uint64_t bytes) const noexcept {
    return {used + bytes, limit};
  }
};

/// A connection that mends itself: it opens again within the next call after
/// it was lost (not more often than a growing pause allows), checks that the
/// server is still fit and loads the scripts where they are missing. Behind
/// Sentinels it follows the master: a server that is one no longer is left
/// within a second.
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
  /// @param jobs that it changes, for the pace
  result<redis_reply_ptr> eval(redis_script which, const redis_args& args,
                               std::size_t jobs = 0);

  /// As `redis_connection::ask`, on a connection that mends itself.
  result<redis_reply_ptr> ask(const redis_args& args);

  /// Asks the server for this, and what it promises now. One that has begun to
  /// evict keys is away until it stops: `unavailable`.
  result<redis_memory> memory();

  /// Bytes of all that scripts were given, ever.
  [[nodiscard]] std::uint64_t written() const noexcept {
    return written_;
  }
  [[nodiscard]] const redis_pace& pace() const noexcept {
    return pace_;
  }

  /// What the server's configuration promises, as of the newest `memory`.
  [[nodiscard]] durability level() const noexcept {
    return facts_.level;
  }
  /// What it reaches if it is asked to; as of the newest `memory`.
  [[nodiscard]] durability best() const noexcept;

  /// See `job_store`.
  [[nodiscard]] const std::string& life() const noexcept {
    return facts_.life;
  }
  result<bool> synced(sync_watch& watch);

  /// Waits until all that was written over this connection is as safe as
  /// asked. @return what was reached, in time
  durability secure(durability asked);

private:
  using clock = std::chrono::steady_clock;

  result<void> try_open();
  result<void> ensure_open();
  result<void> find_server();
  result<void> check_master();
  failure judge(const redisReply& reply);
  bool is_copied();
  result<void> load_scripts();
  redis_connection connection_;
  std::array<std::string, redis_script_count> shas_;
  redis_facts facts_;
  redis_pace pace_;
  clock::duration read_took_{0}; ///< the newest `run`
  std::uint64_t written_ = 0;
  const std::int64_t timeout_ms_;
  clock::time_point master_checked_{};
  std::minstd_rand random_{std::random_device{}()};
  clock::time_point next_try_{};
  std::chrono::milliseconds pause_{0};
};

} // namespace troupe::store
