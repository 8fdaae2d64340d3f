#pragma once

#include "media/image/vips/source.hpp"

#include <string>

namespace troupe::codec {

/// What an image is like, as a JSON object: format, size as shown, frames,
/// EXIF, light, sharpness, dominant colour, BlurHash, ThumbHash and a
/// perceptual hash. `invalid_media` if it cannot be decoded.
[[nodiscard]] result<std::string> analyse_image(const image_source& source);

} // namespace troupe::codec
