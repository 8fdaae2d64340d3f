#pragma once

#include "config/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::store {

/// Where a Redis server is and who we are there.
struct redis_address {
  std::string host; ///< empty: `socket` is used
  std::uint16_t port = 6379;
  std::string socket;   ///< path of a Unix socket
  std::string user;     ///< empty: the default user
  std::string password; ///< empty: none
  std::uint32_t database = 0;

  bool operator==(const redis_address&) const = default;
};

/// Reads `redis://[[user]:password@]host[:port][/db]` or
/// `unix://[[user]:password@]/path[?db=N]`, percent-encoded. `bad_config` for
/// anything else.
[[nodiscard]] result<redis_address> read_redis_url(std::string_view url);

} // namespace troupe::store
