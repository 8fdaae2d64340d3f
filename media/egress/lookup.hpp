#pragma once

#include "media/egress/proxy.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace troupe::media {

/// Resolves names without blocking the io thread, on a few threads of its own
/// that end when idle. They are not joined: one that hangs in a resolver holds
/// up nobody and touches nothing of ours afterwards.
class lookup {
public:
  /// @param io outlives this object.
  lookup(boost::asio::any_io_executor io, resolve_function resolve);
  ~lookup();

  /// On the io thread. `source_unavailable` if there is no address, or none
  /// in time. Literal addresses are answered at once.
  boost::asio::awaitable<result<std::vector<boost::asio::ip::address>>>
  addresses_of(std::string host, std::chrono::milliseconds longest);

private:
  struct core;
  std::shared_ptr<core> core_;
};

} // namespace troupe::media
