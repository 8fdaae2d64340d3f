#pragma once

#include "media/av/task.hpp"
#include "media/child/children.hpp"
#include "media/descriptor.hpp"

#include <memory>

namespace troupe::media {

/// The tasks `av_index` and `av_segment` for a lasting codec child, with
/// deadlines and room for the result; read it by `read_av_index` or
/// `read_av_result`.
/// @param source the file; none with `from`, where the child asks for bytes.
/// It is given with each task; a child that has the source open does not look
/// at it.
/// Ends: `invalid_media` (no known container, nothing that can be decoded,
/// broken), `bad_params` (no order, no such track, a codec that cannot be
/// copied), `too_large` (a segment beyond `av_most_bytes`),
/// `source_changed` (there is no key where the order says), `io_error`,
/// `memory`, `timeout`, `crashed`, `sandbox` as any task.
[[nodiscard]] child_task av_task(av_order order, descriptor source,
                                 std::shared_ptr<child_source> from = {});

} // namespace troupe::media
