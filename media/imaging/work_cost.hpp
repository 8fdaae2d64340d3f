#pragma once

#include "media/imaging/work.hpp"

#include <span>

namespace troupe::media {

/// What an image's header says of its sizes. Nothing where it says it in no
/// place that is known here; not proved. Reads some bytes. Blocks.
[[nodiscard]] image_extent extent_of(int file, image_format format);

/// Milliseconds that one task for works of one source usually takes on one
/// core: reading it once, by pixels and format, and making each image.
[[nodiscard]] double usual_cost_ms(std::span<const work_ptr> works);

} // namespace troupe::media
