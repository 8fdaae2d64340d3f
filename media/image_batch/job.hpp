#pragma once

#include "config/settings.hpp"
#include "media/attempt.hpp"
#include "media/imaging/service.hpp"
#include "media/runtime.hpp"

#include <memory>

namespace troupe::media {

/// What image batches stand on; everything outlives them.
struct image_batch_services {
  runtime& threads;
  image_service& images;
  const config::library_settings& library;
  unsigned children = 2; ///< of one job
};

/// An attempt that makes images of many sources: one task of a lasting codec
/// child a source. Files are written at their final names in a folder of the
/// job's own, `{library}/images/{id}`, whole or not at all; an attempt that
/// goes on makes again what its checkpoint does not tell of, under the same
/// names.
[[nodiscard]] std::unique_ptr<attempt>
make_image_batch(const image_batch_services& services, attempt_task task,
                 std::shared_ptr<attempt_sink> sink);

} // namespace troupe::media
