#pragma once

#include "media/egress/address_guard.hpp"
#include "net/problem.hpp"

#include <optional>
#include <string_view>

namespace troupe::net {

/// Why a URL cannot be the source of a download, as far as its text tells: not
/// an absolute `http(s)` URL (RFC 3986), no host, too long; with code
/// `source_forbidden` for a host that the guard refuses. The pointer is empty.
[[nodiscard]] std::optional<field_error>
source_url_fault(std::string_view url, const media::address_guard& guard);

} // namespace troupe::net
