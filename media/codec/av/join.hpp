#pragma once

#include "media/codec/worker.hpp"

namespace troupe::codec {

/// The task `av_join`; see `media::av_join_order`.
[[nodiscard]] task_answer join_film(const task_request& request,
                                    task_context& context);

} // namespace troupe::codec
