#pragma once

#include "config/result.hpp"

namespace troupe::media {

/// Category "origin_pause": a source's server answers 429, and the code is how
/// many seconds it wants to be left alone.
[[nodiscard]] const std::error_category& origin_pause_category() noexcept;

/// @param seconds bounded to an hour
[[nodiscard]] failure pause_of(double seconds);

} // namespace troupe::media
