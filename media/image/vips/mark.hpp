#pragma once

#include "media/image/options.hpp"

#include <vips/vips8>

namespace troupe::codec {

/// An image with a watermark over it, in the same bands and format.
/// @param image in sRGB
/// @param mark in sRGB, in memory
[[nodiscard]] vips::VImage put_mark(const vips::VImage& image,
                                    vips::VImage mark,
                                    const media::watermark_rule& rule,
                                    double dpr);

} // namespace troupe::codec
