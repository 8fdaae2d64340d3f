#pragma once

#include "media/codec/worker.hpp"

namespace troupe::codec {

/// The task `image`: an `image_order`, its source by a file or by asking, and
/// perhaps a watermark's file; an `image_result` out. Its outputs end one by
/// one; if none of them can be made, the task ends as the first did.
[[nodiscard]] task_answer make_images(const task_request& request,
                                      task_context& context);

} // namespace troupe::codec
