#include "net/server.hpp"

#include "config/log.hpp"
#include "media/loop_watch.hpp"
#include "net/pacer.hpp"
#include "net/response_text.hpp"
#include "net/session.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include <fcntl.h>

#include <charconv>
#include <optional>
#include <thread>

namespace troupe::net {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);

/// How exactly the connections' deadlines are kept.
constexpr auto tick = 250ms;
/// How often it is looked at whether the loop is held, while there are any.
constexpr auto lag_period = 250ms;
/// Between tries to accept when descriptors have run out.
constexpr auto accept_pause = 100ms;
/// What connections get for ending after they were cut.
constexpr auto cut_grace = 1s;

/// A connection's coroutine throws for a defect alone; it ends with it.
void report(const std::exception_ptr& defect) {
  if (!defect)
    return;
  try {
    std::rethrow_exception(defect);
  } catch (const std::exception& what) {
    log::error("a connection ended by a defect", {{"error", what.what()}});
  }
}

media::option_rules rules_of_images(const server_parts& of) {
  return media::rules_of(of.image_settings ? *of.image_settings
                                           : config::image_settings{});
}

} // namespace

struct server::impl {
  impl(const config::http_settings& settings, server_parts parts)
    : at{settings,
         parts,
         asks,
         submit_reader{parts.guard, rules_of_images(parts)},
         schedule_reader{parts.guard, rules_of_images(parts)},
         batch_reader{parts.guard, rules_of_images(parts)},
         submit_reader{parts.guard, rules_of_images(parts)}} {
    if (parts.image_settings && parts.images && parts.crew) {
      at.images = std::make_unique<image_site>(*parts.image_settings);
      routes =
        router{all_routes(), parts.image_settings->path_prefix, &image_route()};
    }
    if (parts.bandwidth)
      pace = pacer::make(io.get_executor(), *parts.bandwidth, parts.metrics);
    at.pace = pace.get();
    at.files = files.get_executor();
    at.batch_thread = batches.get_executor();
    auto tell = [&metrics = at.parts.metrics](double seconds) {
      metrics.loop_lag("edge", seconds);
    };
    auto goes_on = [this] {
      return !host->sessions.empty();
    };
    watch = std::make_shared<media::loop_watch>(
      io.get_executor(), lag_period, std::move(tell), std::move(goes_on));
  }

  result<std::uint16_t> listen(listener at_port);
  asio::awaitable<void> accept_all();
  void welcome(tcp::socket socket);
  void turn_away(tcp::socket socket);
  void keep_time();
  void begin_stop(std::chrono::milliseconds grace);
  void cut_all();

  // Destroyed from the end: connections that were never finished go with the
  // context, and refer to what stands before it.
  edge at;
  router routes{all_routes()};
  std::optional<origin_guard> guard;
  std::optional<session_host> host;
  asio::io_context io{1};
  asio::thread_pool files{2};
  asio::thread_pool batches{1};
  ask_desk asks{io.get_executor()};
  std::unique_ptr<pacer> pace; ///< null: no limits
  tcp::acceptor acceptor{io};
  asio::steady_timer ticker{io};
  asio::steady_timer grace_timer{io};
  std::shared_ptr<media::loop_watch> watch;
  bool ticking = false;
  std::thread thread;
};

result<std::uint16_t> server::impl::listen(listener at_port) {
  const auto protocol = at_port.is_v6() ? tcp::v6() : tcp::v4();
  const auto address = at_port.address();
  const auto port = at_port.port();
  auto socket = std::move(at_port).take();
  error_code error;
  acceptor.assign(protocol, socket.get(), error);
  if (error)
    return failure{error, "http.listen " + at.settings.listen};
  static_cast<void>(socket.release());
  guard.emplace(at.settings, address, port, true);
  host.emplace(session_host{at, routes, *guard});
  return port;
}

asio::awaitable<void> server::impl::accept_all() {
  asio::steady_timer pause{io};
  while (acceptor.is_open()) {
    auto [error, socket] = co_await acceptor.async_accept(as_tuple);
    if (error == asio::error::operation_aborted)
      co_return;
    if (!error) {
      ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
      welcome(std::move(socket));
      continue;
    }
    log::warn("cannot accept a connection", {{"error", error.message()}});
    pause.expires_after(accept_pause);
    co_await pause.async_wait(as_tuple);
  }
}

void server::impl::welcome(tcp::socket socket) {
  if (host->sessions.size() >= at.settings.max_connections)
    return turn_away(std::move(socket));
  auto one = std::make_shared<session>(*host, std::move(socket));
  auto serving = one->run();
  asio::co_spawn(io, std::move(serving),
                 [one](std::exception_ptr defect) { report(defect); });
  keep_time();
  watch->start();
}

/// Says 503 without reading; a peer that has sent its request already may see
/// a reset instead.
void server::impl::turn_away(tcp::socket socket) {
  problem what{problem_code::queue_full, "too many connections"};
  what.retry_after_s = 1;
  const auto out = answer(what);
  std::string text;
  append_head(text, out, request_id_of({}), connection_use::closed, {});
  text += out.body;
  error_code ignored; // nobody is left to tell
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(text), ignored);
  socket.shutdown(asio::socket_base::shutdown_send, ignored);
}

/// Looks at all connections' deadlines as long as there are any.
void server::impl::keep_time() {
  if (ticking || host->sessions.empty())
    return;
  ticking = true;
  ticker.expires_after(tick);
  ticker.async_wait([this](error_code error) {
    ticking = false;
    if (error)
      return;
    const auto now = session::clock::now();
    for (auto* each : host->sessions)
      each->check_time(now);
    keep_time();
  });
}

void server::impl::begin_stop(std::chrono::milliseconds grace) {
  error_code ignored; // closed either way
  acceptor.close(ignored);
  if (!host || host->stopping)
    return;
  host->stopping = true;
  host->emptied = [this] {
    io.stop();
  };
  if (host->sessions.empty())
    return io.stop();
  for (auto* each : host->sessions)
    each->stop();
  grace_timer.expires_after(grace);
  grace_timer.async_wait([this](error_code error) {
    if (!error)
      cut_all();
  });
}

void server::impl::cut_all() {
  for (auto* each : host->sessions)
    each->cut();
  asks.close();
  grace_timer.expires_after(cut_grace);
  grace_timer.async_wait([this](error_code error) {
    if (!error)
      io.stop();
  });
}

server::server(const config::http_settings& settings, server_parts parts)
  : impl_{std::make_unique<impl>(settings, std::move(parts))} {}

server::~server() {
  stop(0ms);
}

result<std::uint16_t> server::listen() {
  auto bound = listener::open(impl_->at.settings.listen);
  return bound ? listen(std::move(*bound)) : bound.error();
}

result<std::uint16_t> server::listen(listener bound) {
  return impl_->listen(std::move(bound));
}

void server::run() {
  auto accepting = impl_->accept_all();
  asio::co_spawn(impl_->io, std::move(accepting), report);
  impl_->thread = std::thread{[this] {
    const auto kept = asio::make_work_guard(impl_->io);
    impl_->io.run();
  }};
}

void server::drain() {
  impl_->at.draining = true;
}

void server::stop(std::chrono::milliseconds grace) {
  if (!impl_->thread.joinable())
    return;
  asio::post(impl_->io, [this, grace] { impl_->begin_stop(grace); });
  impl_->thread.join();
}

} // namespace troupe::net
