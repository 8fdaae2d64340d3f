#pragma once

#include "actors/store/redis_url.hpp"
#include "config/result.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

struct redisContext;
struct redisReply;

namespace troupe::store {

struct free_redis_context {
  void operator()(redisContext* it) const noexcept;
};
struct free_redis_reply {
  void operator()(redisReply* it) const noexcept;
};
using redis_context_ptr = std::unique_ptr<redisContext, free_redis_context>;
using redis_reply_ptr = std::unique_ptr<redisReply, free_redis_reply>;

/// Whole commands, each a list of binary arguments.
using redis_args = std::vector<std::string_view>;

/// One blocking connection. Every call ends within the timeout of each of its
/// reads and writes.
///
/// Invariant: a context exists exactly while no command failed on it, so that
/// replies always belong to the commands just sent.
class redis_connection {
public:
  redis_connection(redis_address address, std::int64_t timeout_ms);

  [[nodiscard]] bool is_open() const noexcept {
    return context_ != nullptr;
  }

  /// Connects, authenticates and selects the database. `unavailable`, or
  /// `bad_config` when the server knows neither password nor database.
  result<void> open();
  /// Connects, and says nothing yet. `unavailable`.
  result<void> connect();
  void close() noexcept;

  /// Where the next `open` goes, who we are there as before.
  void aim_at(redis_endpoint where);
  [[nodiscard]] const redis_address& address() const noexcept {
    return address_;
  }

  /// From now on every read and write gets so long.
  /// @pre is_open()
  result<void> set_timeout(std::int64_t ms);

  /// Sends all commands, then reads all replies, error replies included.
  /// `unavailable` closes the connection.
  /// @pre is_open()
  result<std::vector<redis_reply_ptr>>
  run(std::span<const redis_args> commands);

  /// One command, same rules, but an error reply is an error: see
  /// `sort_redis_error`.
  result<redis_reply_ptr> ask(const redis_args& command);

private:
  void send(const redis_args& command);
  result<redis_reply_ptr> receive();
  failure lost();
  result<void> introduce();

  redis_address address_;
  std::int64_t timeout_ms_;
  redis_context_ptr context_;
};

/// What a server's error reply means to callers: `unavailable` when it may
/// pass by itself (LOADING, READONLY, MISCONF, NOAUTH, BUSY, …), `queue_full`
/// for OOM, else `corrupt`.
[[nodiscard]] failure sort_redis_error(std::string_view reply);

} // namespace troupe::store
