#pragma once

#include "media/image/geometry.hpp"

#include <vips/vips8>

#include <optional>

/// The way of pixels from a decoded frame to what is stored. Throws
/// `vips::VError` where a picture cannot be computed.
namespace troupe::codec {

/// Without a border of one colour; the image must be in memory.
[[nodiscard]] vips::VImage trim(vips::VImage image,
                                const media::trim_rule& rule);

/// The region that `c` leaves, in the size that is wanted; as stored, not
/// turned yet.
/// @param frame decoded, perhaps smaller than `by.stored`
[[nodiscard]] vips::VImage scale_region(vips::VImage frame,
                                        const media::image_options& options,
                                        const media::image_geometry& by);
/// The same, of a larger image that came from the same region.
[[nodiscard]] vips::VImage scale(vips::VImage image,
                                 const media::image_geometry& by);

/// What one output's frames share: where a smart gravity found something.
struct shape_memory {
  std::optional<media::pixel_box> cut;
};

/// All that follows: colours, turning, cutting, filters, edges, background and
/// watermark.
/// @param as what it will be stored as
/// @param mark null: none
[[nodiscard]] vips::VImage
finish(vips::VImage image, const media::image_options& options,
       const media::image_geometry& by, media::image_format as,
       const vips::VImage* mark, shape_memory& memory);

/// In sRGB of 8 bits, by the profile that it has.
[[nodiscard]] vips::VImage to_srgb(const vips::VImage& image);

} // namespace troupe::codec
