#pragma once

#include "media/egress/link.hpp"

#include <functional>
#include <memory>
#include <string>

namespace troupe::media {

/// Finds the account of a token; null if there is none.
using find_account =
  std::function<std::shared_ptr<account_state>(const std::string& token)>;

/// Serves one client connection to its end (RFC 9110, 9112): CONNECT becomes
/// a tunnel, absolute-form requests are forwarded, all else is refused.
boost::asio::awaitable<void> serve_client(std::shared_ptr<link> between,
                                          find_account accounts);

} // namespace troupe::media
