#pragma once

#include "media/egress/account.hpp"
#include "media/egress/lookup.hpp"
#include "media/egress/target.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <string>
#include <vector>

namespace troupe::media {

/// Completion as a tuple that begins with an error code.
inline constexpr auto as_result =
  boost::asio::as_tuple(boost::asio::use_awaitable);

/// What all sessions of a proxy share; lives on the io thread.
struct egress_context {
  egress_context(const boost::asio::any_io_executor& executor,
                 address_guard address_rules, egress_options settings)
    : io(executor), guard(std::move(address_rules)),
      options(std::move(settings)), names(executor, options.resolve) {}

  boost::asio::any_io_executor io;
  address_guard guard;
  egress_options options;
  lookup names;
};

/// A client's connection and the one to its origin. Everything happens on the
/// io thread. Invariant: while it lives, its watch cuts it at `deadline_`;
/// whoever waits for a peer moves the deadline first. Once cut, both sockets
/// are closed and every operation on them fails.
class link final : public egress_connection,
                   public std::enable_shared_from_this<link> {
public:
  link(std::shared_ptr<egress_context> shared,
       boost::asio::ip::tcp::socket client);

  /// Starts the watch. Called once.
  void watch();
  void cut() override;
  void expect_within(std::chrono::milliseconds longest);
  [[nodiscard]] std::chrono::milliseconds idle_timeout() const {
    return shared->options.idle_timeout;
  }
  /// From now on what is received is this account's.
  void belong_to(std::shared_ptr<account_state> owner);

  /// Resolves, asks the guard, connects to an address that it let in.
  /// `source_forbidden` (reported to the account) if it let in none,
  /// `source_unavailable` otherwise.
  boost::asio::awaitable<result<void>> connect(const proxy_target& target);

  /// Accounts for bytes from the origin and keeps them to the rate. False if
  /// they are too many: everything of the account is cut then.
  boost::asio::awaitable<bool> receive(std::size_t bytes);

  /// Copies both ways until both ends have ended; a half-closed side may
  /// still be written to. @param early bytes that the client sent already.
  boost::asio::awaitable<void> tunnel(std::string early);

  /// Says goodbye so that the client sees all that was written.
  boost::asio::awaitable<void> close_gently();

  const std::shared_ptr<egress_context> shared;
  boost::asio::ip::tcp::socket client;
  boost::asio::ip::tcp::socket origin;
  std::shared_ptr<account_state> account;
  /// For bytes on their way to the client.
  std::vector<char> block;

private:
  void rearm();
  boost::asio::awaitable<boost::system::error_code>
  connect_to(boost::asio::ip::address address, std::uint16_t port);
  boost::asio::awaitable<void> copy_down();
  boost::asio::awaitable<void> copy_up(std::string early);

  boost::asio::steady_timer watch_;
  boost::asio::steady_timer pause_;
  std::chrono::steady_clock::time_point deadline_;
};

} // namespace troupe::media
