#include "media/egress/link.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>

namespace troupe::media {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t down_block = 64u << 10;
constexpr std::size_t up_block = 16u << 10;
/// How long a client may take to read a last answer.
constexpr auto goodbye = 2s;

std::string named(const std::string& host, const asio::ip::address& address) {
  const auto text = address.to_string();
  return host == text ? text : host + " (" + text + ")";
}

/// Why an address was not let in, and what would let it in.
std::string refusal_of(const std::string& host,
                       const asio::ip::address& address, bool is_first) {
  auto out = named(host, address);
  if (is_first)
    out += " may not be fetched from";
  else
    out = "a redirect or link of the source led to " + out
          + ", which may not be fetched from";
  return out + ": it is no public address. To let it in, add \""
         + address.to_string() + (address.is_v4() ? "/32" : "/128")
         + "\" to sources.allow";
}

} // namespace

link::link(std::shared_ptr<egress_context> context, tcp::socket from)
  : shared(std::move(context)), client(std::move(from)), origin(shared->io),
    block(down_block), watch_(shared->io), pause_(shared->io),
    deadline_(steady::now() + shared->options.header_timeout) {
  error_code ignored;
  client.set_option(tcp::no_delay{true}, ignored);
}

void link::watch() {
  rearm();
}

void link::rearm() {
  watch_.expires_at(deadline_);
  watch_.async_wait([weak = weak_from_this()](error_code stopped) {
    const auto self = weak.lock();
    if (stopped || !self || !self->client.is_open())
      return;
    if (steady::now() >= self->deadline_)
      self->cut();
    else
      self->rearm();
  });
}

void link::cut() {
  error_code ignored;
  client.close(ignored);
  origin.close(ignored);
  pause_.cancel();
}

void link::expect_within(std::chrono::milliseconds longest) {
  const auto wanted = steady::now() + longest;
  const bool sooner = wanted < deadline_;
  deadline_ = wanted;
  if (sooner && client.is_open())
    rearm();
}

void link::belong_to(std::shared_ptr<account_state> owner) {
  if (account == owner)
    return;
  account = std::move(owner);
  account->add(weak_from_this());
}

asio::awaitable<error_code> link::connect_to(asio::ip::address address,
                                             std::uint16_t port) {
  error_code wrong;
  origin.close(wrong);
  const tcp::endpoint endpoint{address, port};
  origin.open(endpoint.protocol(), wrong);
  if (wrong)
    co_return wrong;
  pause_.expires_after(shared->options.connect_timeout);
  pause_.async_wait([weak = weak_from_this()](error_code stopped) {
    if (const auto self = weak.lock(); self && !stopped)
      self->origin.close(stopped);
  });
  std::tie(wrong) = co_await origin.async_connect(endpoint, as_result);
  pause_.cancel();
  if (!wrong)
    origin.set_option(tcp::no_delay{true}, wrong);
  co_return wrong;
}

asio::awaitable<result<void>> link::connect(const proxy_target& target) {
  const auto& options = shared->options;
  const bool is_first = account->asks_first_for(target.host);
  expect_within(options.resolve_timeout + 1s);
  const auto found =
    co_await shared->names.addresses_of(target.host, options.resolve_timeout);
  if (!found) {
    const bool unknown = found.error().code == errc::source_not_found;
    account->saw_failure(unknown ? errc::source_not_found
                                 : errc::source_unavailable,
                         found.error().detail);
    co_return found.error();
  }
  auto refusal = fail(errc::source_forbidden);
  auto failed = fail(errc::source_unavailable);
  result<void> reached;
  for (const auto& address : *found) {
    if (!shared->guard.allows(address)) {
      refusal.detail = refusal_of(target.host, address, is_first);
      continue;
    }
    if (!client.is_open() || !account->is_open())
      co_return failed;
    expect_within(options.connect_timeout + 1s);
    const auto wrong = co_await connect_to(address, target.port);
    if (!wrong)
      co_return reached;
    // The limit ends a try by closing its socket.
    const bool late = wrong == asio::error::operation_aborted;
    failed.detail = named(target.host, address) + ": "
                    + (late ? "no answer in time" : wrong.message());
  }
  if (!failed.detail.empty()) {
    account->saw_failure(errc::source_unavailable, failed.detail);
    co_return failed;
  }
  account->refuse(errc::source_forbidden, refusal.detail);
  co_return refusal;
}

asio::awaitable<bool> link::receive(std::size_t bytes) {
  if (!account->count(bytes)) {
    account->cut_all();
    cut();
    co_return false;
  }
  const auto until = account->pace(bytes);
  const auto now = steady::now();
  if (until > now) {
    expect_within(
      std::chrono::duration_cast<std::chrono::milliseconds>(until - now)
      + idle_timeout());
    pause_.expires_at(until);
    co_await pause_.async_wait(as_result);
  }
  expect_within(idle_timeout());
  co_return client.is_open();
}

asio::awaitable<void> link::copy_down() {
  for (;;) {
    expect_within(idle_timeout());
    const auto room = asio::buffer(block, account->block_size());
    const auto [wrong, size] = co_await origin.async_read_some(room, as_result);
    if (wrong == asio::error::eof)
      break;
    if (wrong)
      co_return cut();
    const bool fits = co_await receive(size);
    if (!fits)
      co_return;
    const auto part = asio::buffer(block, size);
    const auto [unwritten, written] =
      co_await asio::async_write(client, part, as_result);
    if (unwritten)
      co_return cut();
  }
  error_code ignored;
  client.shutdown(tcp::socket::shutdown_send, ignored);
}

asio::awaitable<void> link::copy_up(std::string early) {
  const auto first = asio::buffer(early);
  auto [unsent, count] = co_await asio::async_write(origin, first, as_result);
  if (unsent)
    co_return cut();
  std::vector<char> bytes(up_block);
  for (;;) {
    const auto room = asio::buffer(bytes);
    const auto [wrong, size] = co_await client.async_read_some(room, as_result);
    if (wrong == asio::error::eof)
      break;
    if (wrong)
      co_return cut();
    expect_within(idle_timeout());
    const auto part = asio::buffer(bytes, size);
    const auto [unwritten, written] =
      co_await asio::async_write(origin, part, as_result);
    if (unwritten)
      co_return cut();
  }
  error_code ignored;
  origin.shutdown(tcp::socket::shutdown_send, ignored);
}

asio::awaitable<void> link::tunnel(std::string early) {
  auto up = [](std::shared_ptr<link> self,
               std::string bytes) -> asio::awaitable<void> {
    co_await self->copy_up(std::move(bytes));
  };
  asio::co_spawn(shared->io, up(shared_from_this(), std::move(early)),
                 asio::detached);
  co_await copy_down();
}

asio::awaitable<void> link::close_gently() {
  error_code ignored;
  client.shutdown(tcp::socket::shutdown_send, ignored);
  expect_within(goodbye);
  std::array<char, 4096> waste;
  for (;;) {
    const auto room = asio::buffer(waste);
    const auto [wrong, size] = co_await client.async_read_some(room, as_result);
    if (wrong)
      co_return cut();
  }
}

} // namespace troupe::media
