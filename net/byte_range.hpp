#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace troupe::net {

/// A part of a representation: `length` bytes from `offset`.
struct byte_range {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

enum class range_verdict : std::uint8_t {
  whole,         ///< no range asked for, or none that we serve
  part,          ///< what was read
  unsatisfiable, ///< 416
};

inline constexpr std::size_t most_ranges = 16;

/// Reads a `Range` field (RFC 9110, 14.2) for a representation of `size`
/// bytes: `first-last`, `first-` or a suffix, or several of them, of which
/// those beyond its end are dropped. Other units, what is malformed, and more
/// ranges or more bytes than we serve are ignored, as the RFC allows.
[[nodiscard]] range_verdict read_ranges(std::string_view field,
                                        std::uint64_t size,
                                        std::vector<byte_range>& out);

} // namespace troupe::net
