#include "media/egress/lookup.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <netdb.h>

#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

namespace troupe::media {

namespace {

namespace asio = boost::asio;
using addresses = std::vector<asio::ip::address>;

constexpr unsigned most_threads = 16;

asio::ip::address address_of(const addrinfo& info) {
  if (info.ai_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, info.ai_addr, sizeof v4);
    return asio::ip::address_v4{ntohl(v4.sin_addr.s_addr)};
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, info.ai_addr, sizeof v6);
  asio::ip::address_v6::bytes_type bytes;
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  return asio::ip::address_v6{bytes, v6.sin6_scope_id};
}

failure unknown_host(const std::string& host) {
  return fail(errc::source_not_found, host + ": there is no host of this name");
}

result<addresses> ask_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  const int wrong = ::getaddrinfo(host.c_str(), nullptr, &hints, &first);
  if (wrong == EAI_NONAME)
    return unknown_host(host);
  if (wrong != 0)
    return fail(errc::source_unavailable, host + ": " + ::gai_strerror(wrong));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned{
    first, &::freeaddrinfo};
  addresses found;
  for (const auto* at = first; at != nullptr; at = at->ai_next)
    if (at->ai_family == AF_INET || at->ai_family == AF_INET6)
      found.push_back(address_of(*at));
  return found;
}

/// A question and, once the timer is cancelled, its answer. Only touched on
/// the io thread, save `host`.
struct question {
  question(const asio::any_io_executor& io, std::string name)
    : host(std::move(name)), timer(io) {}
  const std::string host;
  asio::steady_timer timer;
  std::optional<result<addresses>> answer;
};

} // namespace

/// Invariant: there are `threads` workers, each busy; `waiting` is empty unless
/// there are `most_threads` of them. `open` says that `io` is still there.
struct lookup::core : std::enable_shared_from_this<core> {
  core(asio::any_io_executor executor, resolve_function function)
    : io(std::move(executor)), resolve(std::move(function)) {}

  void ask(std::weak_ptr<question> asked, std::string host) {
    const std::lock_guard guarded{mutex};
    waiting.emplace_back(std::move(asked), std::move(host));
    if (threads == most_threads)
      return;
    std::thread worker{[self = shared_from_this()] {
      self->work();
    }};
    ++threads;
    worker.detach();
  }

  void work() {
    std::unique_lock guarded{mutex};
    while (open && !waiting.empty()) {
      const auto [asked, host] = std::move(waiting.front());
      waiting.pop_front();
      guarded.unlock();
      auto answer = resolve(host);
      guarded.lock();
      if (open)
        asio::post(io, [asked = asked, answer = std::move(answer)]() mutable {
          deliver(asked, std::move(answer));
        });
    }
    --threads;
  }

  static void deliver(const std::weak_ptr<question>& asked,
                      result<addresses> answer) {
    const auto question = asked.lock();
    if (!question)
      return;
    question->answer = std::move(answer);
    question->timer.cancel();
  }

  std::mutex mutex;
  bool open = true;
  unsigned threads = 0;
  std::deque<std::pair<std::weak_ptr<question>, std::string>> waiting;
  asio::any_io_executor io;
  resolve_function resolve;
};

lookup::lookup(asio::any_io_executor io, resolve_function resolve)
  : core_(std::make_shared<core>(std::move(io),
                                 resolve ? std::move(resolve) : &ask_system)) {}

lookup::~lookup() {
  const std::lock_guard guarded{core_->mutex};
  core_->open = false;
}

asio::awaitable<result<addresses>>
lookup::addresses_of(std::string host, std::chrono::milliseconds longest) {
  boost::system::error_code wrong;
  const auto literal = asio::ip::make_address(host, wrong);
  if (!wrong)
    co_return addresses{literal};
  const auto asked = std::make_shared<question>(core_->io, host);
  asked->timer.expires_after(longest);
  core_->ask(asked, host);
  co_await asked->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!asked->answer)
    co_return fail(errc::source_unavailable, host + ": no answer in time");
  if (*asked->answer && asked->answer->value().empty())
    co_return unknown_host(host);
  co_return *asked->answer;
}

} // namespace troupe::media
