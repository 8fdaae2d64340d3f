#pragma once

#include "media/egress/address_guard.hpp"
#include "net/problem.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace troupe::net {

inline constexpr std::size_t max_url_bytes = 8192;

/// Why a URL cannot be the source of a download, as far as its text tells: not
/// an absolute `http(s)` URL (RFC 3986), no host, too long; with code
/// `source_forbidden` for a host that the guard refuses. The pointer is empty.
[[nodiscard]] std::optional<field_error>
source_url_fault(std::string_view url, const media::address_guard& guard);

/// The same of a source in any of its forms: `local:///path` beneath a media
/// root, `job:ID`, `http(s)://…`.
[[nodiscard]] std::optional<field_error>
source_fault(std::string_view source, const media::address_guard& guard);

/// The same of `local:///folder`, which may be a root itself.
[[nodiscard]] std::optional<field_error> folder_fault(std::string_view source);

} // namespace troupe::net
