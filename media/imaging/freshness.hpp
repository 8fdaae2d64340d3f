#pragma once

#include <chrono>

namespace troupe::media {

/// How far something that was looked at may be believed.
enum class freshness : std::uint8_t {
  fresh, ///< as it is
  stale, ///< served as it is, and looked at again meanwhile
  gone,  ///< looked at again first
};

/// For how long what was seen of remote sources counts (RFC 5861, 3).
struct freshness_rules {
  std::chrono::milliseconds fresh{300'000};
  std::chrono::milliseconds stale{86'400'000}; ///< after that

  using clock = std::chrono::steady_clock;
  [[nodiscard]] freshness of(clock::time_point checked,
                             clock::time_point now) const {
    const auto age = now - checked;
    if (age < fresh)
      return freshness::fresh;
    return age < fresh + stale ? freshness::stale : freshness::gone;
  }
};

} // namespace troupe::media
