#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace troupe::media {

/// What a request says it takes beyond the usual formats.
struct accepted_formats {
  bool avif = false;
  bool webp = false;
  bool operator==(const accepted_formats&) const = default;
};

/// Reads `Accept` (RFC 9110, 12.5.1): a format counts if it is named itself
/// with a weight above 0; `*/*` and `image/*` name none.
[[nodiscard]] accepted_formats read_accept(std::string_view field);

/// What client hints say of the place that an image is for.
struct size_hints {
  std::optional<double> dpr; ///< at most 3, rounded up to quarters
  std::optional<int> width;  ///< physical pixels, rounded up to a step
};

/// Reads `Sec-CH-DPR` or `DPR`, and `Sec-CH-Width` or `Width`; what is no
/// number of a sensible size is not there.
/// @param steps widths, in any order; what is wider than all is the widest
[[nodiscard]] size_hints read_hints(std::string_view dpr,
                                    std::string_view width,
                                    std::span<const std::uint32_t> steps);

} // namespace troupe::media
