#pragma once

#include "media/codec/worker.hpp"

namespace troupe::codec {

/// The task `video`: a `video_order` and a file in, a `video_result` out. What
/// is wished ends one by one; if nothing of it can be made, the task ends as
/// the first did.
[[nodiscard]] task_answer show_video(const task_request& request,
                                     task_context& context);

} // namespace troupe::codec
