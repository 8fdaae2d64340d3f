#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe::net {

/// A part of a representation: `length` bytes from `offset`.
struct byte_range {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

enum class range_verdict : std::uint8_t {
  whole,         ///< no range asked for, or none that we serve
  part,          ///< the one range in `byte_range`
  unsatisfiable, ///< 416
};

/// Reads a `Range` field (RFC 9110, 14.2) for a representation of `size`
/// bytes: one range, `first-`, or a suffix. Several ranges, other units and
/// what is malformed are ignored, as the RFC allows.
[[nodiscard]] range_verdict read_range(std::string_view field,
                                       std::uint64_t size, byte_range& out);

} // namespace troupe::net
