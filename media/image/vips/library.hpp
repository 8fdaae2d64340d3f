#pragma once

#include "media/image/options.hpp"

#include <span>

namespace troupe::codec {

/// Makes libvips ready, in the zygote: what it opens, it opens now; no loader
/// is allowed yet, nothing is cached, nothing is printed. False if it cannot.
/// Starts no thread.
[[nodiscard]] bool prepare_images();

/// Allows loaders of these formats and no others.
void allow_images(std::span<const media::image_format> formats);

} // namespace troupe::codec
