#pragma once

#include "config/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::store {

/// Where something listens.
struct redis_endpoint {
  std::string host;
  std::uint16_t port = 0;

  bool operator==(const redis_endpoint&) const = default;
};

/// Where a Redis server is and who we are there.
struct redis_address {
  std::string host; ///< empty: `socket` is used
  std::uint16_t port = 6379;
  std::string socket;   ///< path of a Unix socket
  std::string user;     ///< empty: the default user
  std::string password; ///< empty: none
  std::uint32_t database = 0;
  /// Not empty: they know where the server is, which `master` names.
  std::vector<redis_endpoint> sentinels;
  std::string master;

  bool operator==(const redis_address&) const = default;
};

/// Reads one of these, percent-encoded; `bad_config` for anything else:
/// - `redis://[[user]:password@]host[:port][/db]`
/// - `redis+unix://[[user]:password@]/path[?db=N]`
/// - `redis+sentinel://[[user]:password@]host[:port],…/name[/db]`
[[nodiscard]] result<redis_address> read_redis_url(std::string_view url);

/// `host:port`, or the path of the socket.
[[nodiscard]] std::string place_of(const redis_address& it);

} // namespace troupe::store
