#pragma once

#include "media/codec/worker.hpp"

namespace troupe::codec {

/// The task `av_check`; see `media::av_check_order`.
[[nodiscard]] task_answer check_film(const task_request& request,
                                     task_context& context);

} // namespace troupe::codec
