#pragma once

#include "media/codec/worker.hpp"

namespace troupe::codec {

/// The task `av_index`: a `media::av_index` of a source, as JSON.
[[nodiscard]] task_answer index_film(const task_request& request,
                                     task_context& context);

/// The task `av_segment`: a `media::av_result`. A child keeps its source open,
/// and its decoder going, from one to the next.
[[nodiscard]] task_answer make_film_segment(const task_request& request,
                                            task_context& context);

} // namespace troupe::codec
