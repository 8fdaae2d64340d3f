#pragma once

#include "config/result.hpp"
#include "media/egress/address_guard.hpp"
#include "media/errc.hpp"
#include "media/runtime.hpp"

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe::media {

/// What one client of the proxy may do.
struct egress_policy {
  /// Received in all; 0: no limit. Counts what comes over the wire, headers
  /// and TLS included: leave room for them.
  std::uint64_t max_bytes = 0;
  std::uint64_t rate = 0; ///< bytes per second received; 0: no limit
};

/// What the proxy saw of one client; a snapshot.
struct egress_report {
  std::uint64_t received = 0;
  errc refused = errc::none;  ///< source_forbidden or too_large, the first seen
  std::string refused_detail; ///< what, why and what to do, for people
  int last_error_status = 0;  ///< newest HTTP status ≥ 400 over plain HTTP
  double retry_after_s = 0;   ///< of the newest 429 or 503; 0: none seen
  std::string last_failure;   ///< newest host not resolved or not reached
  /// What that makes of the source: source_not_found for a name that nobody
  /// has, else source_unavailable.
  errc unreached = errc::none;
};

/// The addresses of a name. May block; called on threads of the proxy's own.
using resolve_function =
  std::function<result<std::vector<boost::asio::ip::address>>(
    const std::string& host)>;

struct egress_options {
  std::chrono::milliseconds header_timeout{30'000};  ///< for a request header
  std::chrono::milliseconds idle_timeout{120'000};   ///< without a byte
  std::chrono::milliseconds connect_timeout{10'000}; ///< for each address
  std::chrono::milliseconds resolve_timeout{10'000};
  resolve_function resolve; ///< empty: the system's resolver
};

/// One client's account. Destroying it cuts its connections. Thread-safe.
class egress_account {
public:
  virtual ~egress_account() = default;
  /// `http://{token}:x@127.0.0.1:{port}`, for `--proxy`.
  [[nodiscard]] virtual std::string url() const = 0;
  [[nodiscard]] virtual egress_report report() const = 0;
};

/// Our own loopback HTTP proxy: every connection of a tool goes through it. It
/// resolves names itself, asks the guard about each address and connects to
/// just the address it asked about, so that redirects, embedded URLs,
/// manifests and rebinding names are all caught. CONNECT is tunnelled,
/// absolute-form requests are forwarded (RFC 9112, 3.2.2). Runs on the
/// runtime's io thread. Thread-safe.
class egress_proxy {
public:
  egress_proxy(runtime& threads, address_guard guard,
               egress_options options = {});
  ~egress_proxy();

  /// Listens on 127.0.0.1 at a port that the system picks.
  [[nodiscard]] result<void> start();
  /// Of the listener, once started: what a tool must be able to connect to.
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::unique_ptr<egress_account> open(egress_policy policy);

private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

} // namespace troupe::media
