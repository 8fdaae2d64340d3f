#pragma once

#include <string_view>

namespace troupe::media {

/// True if something that plays the RFC 6381 string `known` plays `wanted`:
/// the same codec, of the same or a lower profile, level and depth as far as
/// both tell. A bare name stands for all of its codec.
[[nodiscard]] bool plays(std::string_view known, std::string_view wanted);

} // namespace troupe::media
