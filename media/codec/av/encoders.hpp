#pragma once

#include "media/codec/worker.hpp"

namespace troupe::codec {

/// The task `encoders`: those of video that this libavcodec has, a line each:
/// "libx264 software", "h264_vaapi hardware".
[[nodiscard]] task_answer list_encoders(const task_request& request,
                                        task_context& context);

} // namespace troupe::codec
