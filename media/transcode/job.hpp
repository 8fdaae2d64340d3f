#pragma once

#include "config/settings.hpp"
#include "media/attempt.hpp"
#include "media/child/children.hpp"
#include "media/runtime.hpp"

#include <memory>

namespace troupe::media {

class stream_service;

/// What conversions stand on; everything outlives them.
struct transcode_services {
  runtime& threads;
  codec_children& children;
  stream_service& streams;
  const config::library_settings& library;
  unsigned children_of_a_job = 2;
};

/// An attempt that makes one film of another, segment by segment: an attempt
/// that goes on makes none again.
[[nodiscard]] std::unique_ptr<attempt>
make_transcode(const transcode_services& services, attempt_task task,
               std::shared_ptr<attempt_sink> sink);

} // namespace troupe::media
