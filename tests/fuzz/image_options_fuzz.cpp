#include "media/image/geometry.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

/// Sizes are positive, and within what the options allow.
bool makes_sense(const troupe::media::image_options& options,
                 troupe::media::pixel_size source, int orientation) {
  const auto made = troupe::media::geometry_of(source, orientation, options);
  const auto& [width, height] = made.result;
  return width > 0 && height > 0 && made.region.width > 0
         && made.region.left >= 0 && made.region.top >= 0
         && (options.max_side == 0
             || std::max(width, height) <= options.max_side);
}

} // namespace

/// A path is read or refused; what was read has one canonical text, which says
/// the same again, and sizes for any source.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace troupe::media;
  if (size > 4000)
    return 0;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  option_rules rules;
  rules.has_watermark = true;
  const auto read = parse_image_path(text, rules);
  if (!read) {
    if (read.error().detail.empty())
      std::abort();
    return 0;
  }
  const auto once = canonical_text(read->options);
  const auto again = parse_options(once, rules);
  if (!again || canonical_text(*again) != once)
    std::abort();
  const int orientation = static_cast<int>(size % 9);
  if (!makes_sense(read->options, {4000, 3000}, orientation)
      || !makes_sense(read->options, {1, 9000}, orientation))
    std::abort();
  return 0;
}
