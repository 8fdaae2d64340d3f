#pragma once

#include "media/image/options.hpp"

#include <vips/vips8>

#include <string>

namespace troupe::codec {

/// A text in Pango's markup, white on nothing unless it says otherwise; in
/// memory. Throws `vips::VError`. @pre the child sees fonts
[[nodiscard]] vips::VImage draw_text(const std::string& markup);

/// An image with a watermark over it, in the same bands and format.
/// @param image in sRGB
/// @param mark in sRGB, in memory
[[nodiscard]] vips::VImage put_mark(const vips::VImage& image,
                                    vips::VImage mark,
                                    const media::watermark_rule& rule,
                                    double dpr);

} // namespace troupe::codec
