#pragma once

#include <cstdint>
#include <span>
#include <string>

/// Small texts and numbers that stand for a picture.
namespace troupe::media {

/// Pixels row after row, red, green, blue and alpha, each 0 to 255 in sRGB.
struct rgba_view {
  int width = 0;
  int height = 0;
  std::span<const std::uint8_t> bytes; ///< width · height · 4

  [[nodiscard]] const std::uint8_t* at(int x, int y) const noexcept {
    return bytes.data()
           + (std::size_t(y) * std::size_t(width) + std::size_t(x)) * 4;
  }
};

/// https://github.com/woltapp/blurhash/blob/master/Algorithm.md, of 4 × 3
/// components. Alpha is left out.
[[nodiscard]] std::string blurhash_of(const rgba_view& image);

/// https://evanw.github.io/thumbhash/, in base64.
/// @pre at most 100 × 100 pixels
[[nodiscard]] std::string thumbhash_of(const rgba_view& image);

/// 64 bits that similar pictures share most of: which of the 8 × 8 lowest
/// frequencies are above their median.
[[nodiscard]] std::uint64_t perceptual_hash_of(const rgba_view& image);

/// What most pixels look like, as "#rrggbb"; transparent ones do not count.
[[nodiscard]] std::string dominant_color_of(const rgba_view& image);

struct light_figures {
  double brightness = 0; ///< mean of the luma, 0 to 1
  double contrast = 0;   ///< its standard deviation, 0 to 0.5
  double sharpness = 0;  ///< variance of its Laplacian; blurred: below 100
};
[[nodiscard]] light_figures light_of(const rgba_view& image);

} // namespace troupe::media
