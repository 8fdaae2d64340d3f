#include "media/egress/proxy.hpp"

#include "config/log.hpp"
#include "media/egress/session.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <openssl/rand.h>

#include <array>
#include <atomic>
#include <stdexcept>
#include <unordered_map>

namespace troupe::media {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

/// How long to wait when there are no descriptors for another connection.
constexpr auto accept_pause = 100ms;

std::string make_token() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    throw std::runtime_error("no random bytes");
  constexpr std::string_view digits = "0123456789abcdef";
  std::string token;
  for (const auto byte : bytes) {
    token += digits[byte >> 4];
    token += digits[byte & 15];
  }
  return token;
}

} // namespace

/// Invariant: `accounts_` holds every account that is open; its lock is held
/// by nobody who waits.
struct egress_proxy::impl : std::enable_shared_from_this<impl> {
  impl(runtime& threads, address_guard guard, egress_options options)
    : shared(std::make_shared<egress_context>(threads.io(), std::move(guard),
                                              std::move(options))),
      acceptor(threads.io()) {}

  asio::awaitable<void> accept_all() {
    const auto self = shared_from_this();
    const find_account find = [weak = weak_from_this()](const auto& token) {
      const auto alive = weak.lock();
      return alive ? alive->find(token) : nullptr;
    };
    for (;;) {
      auto [wrong, client] = co_await acceptor.async_accept(as_result);
      if (!acceptor.is_open())
        co_return;
      if (wrong) {
        log::warn("the egress proxy cannot accept",
                  {{"error", wrong.message()}});
        asio::steady_timer pause{shared->io, accept_pause};
        co_await pause.async_wait(as_result);
        continue;
      }
      auto between = std::make_shared<link>(shared, std::move(client));
      between->watch();
      asio::co_spawn(shared->io, serve_client(std::move(between), find),
                     asio::detached);
    }
  }

  std::shared_ptr<account_state> find(const std::string& token) {
    const std::lock_guard guarded{mutex};
    const auto found = accounts.find(token);
    return found == accounts.end() ? nullptr : found->second;
  }

  void close(const std::shared_ptr<account_state>& account) {
    account->close();
    {
      const std::lock_guard guarded{mutex};
      accounts.erase(account->token());
    }
    asio::post(shared->io, [account] { account->cut_all(); });
  }

  void close_all() {
    std::vector<std::shared_ptr<account_state>> all;
    {
      const std::lock_guard guarded{mutex};
      for (const auto& [token, account] : accounts)
        all.push_back(account);
    }
    for (const auto& account : all)
      close(account);
  }

  std::shared_ptr<egress_context> shared;
  tcp::acceptor acceptor;
  std::uint16_t port = 0;
  std::mutex mutex;
  std::unordered_map<std::string, std::shared_ptr<account_state>> accounts;

  class handle final : public egress_account {
  public:
    handle(std::weak_ptr<impl> proxy, std::shared_ptr<account_state> state,
           std::uint16_t port)
      : proxy_(std::move(proxy)), state_(std::move(state)), port_(port) {}

    ~handle() override {
      if (const auto alive = proxy_.lock())
        alive->close(state_);
    }
    std::string url() const override {
      return "http://" + state_->token()
             + ":x@127.0.0.1:" + std::to_string(port_);
    }
    egress_report report() const override {
      return state_->report();
    }

  private:
    std::weak_ptr<impl> proxy_;
    std::shared_ptr<account_state> state_;
    std::uint16_t port_;
  };
};

egress_proxy::egress_proxy(runtime& threads, address_guard guard,
                           egress_options options)
  : impl_(
    std::make_shared<impl>(threads, std::move(guard), std::move(options))) {}

egress_proxy::~egress_proxy() {
  impl_->close_all();
  asio::post(impl_->shared->io, [proxy = impl_] {
    error_code ignored;
    proxy->acceptor.close(ignored);
  });
}

result<void> egress_proxy::start() {
  auto& acceptor = impl_->acceptor;
  const tcp::endpoint loopback{asio::ip::address_v4::loopback(), 0};
  error_code wrong;
  acceptor.open(loopback.protocol(), wrong);
  if (!wrong)
    acceptor.bind(loopback, wrong);
  if (!wrong)
    acceptor.listen(tcp::acceptor::max_listen_connections, wrong);
  if (!wrong)
    impl_->port = acceptor.local_endpoint(wrong).port();
  if (wrong)
    return fail(errc::io_error, "the egress proxy: " + wrong.message());
  asio::co_spawn(impl_->shared->io, impl_->accept_all(), asio::detached);
  return {};
}

std::uint16_t egress_proxy::port() const {
  return impl_->port;
}

std::unique_ptr<egress_account> egress_proxy::open(egress_policy policy) {
  auto state = std::make_shared<account_state>(policy, make_token());
  {
    const std::lock_guard guarded{impl_->mutex};
    impl_->accounts.emplace(state->token(), state);
  }
  return std::make_unique<impl::handle>(impl_, std::move(state), impl_->port);
}

} // namespace troupe::media
