#pragma once

#include "config/result.hpp"

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace troupe::store {

/// Crockford's base 32.
inline constexpr std::string_view base32_digits =
  "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Mints ids of jobs: ULIDs (github.com/ulid/spec), 26 characters of
/// Crockford's base 32, so URL-safe and sorted by time. Ids of one minter
/// strictly ascend, also within a millisecond and when the clock steps back.
///
/// Invariant: `last_ms_` and `random_` are those of the newest id.
class ulid_minter {
public:
  /// Random bits from the system's source.
  ulid_minter();

  /// @param now milliseconds since the Unix epoch.
  [[nodiscard]] std::string mint(timestamp_ms now);

private:
  void increment() noexcept;
  [[nodiscard]] std::string encode() const;

  std::mt19937_64 generator_;
  std::uint64_t last_ms_ = 0;
  std::array<std::uint8_t, 10> random_{};
};

} // namespace troupe::store
