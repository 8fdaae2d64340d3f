#pragma once

#include "media/child/children.hpp"
#include "media/descriptor.hpp"
#include "media/image/video.hpp"

#include <memory>

namespace troupe::media {

/// The task `image` for a codec child, with deadlines and room for the result.
/// Give it to `codec_child::run`, its result to `read_image_result`.
/// @param source the file; none with `from`, where the child asks for bytes
/// @param watermark none, or the file of `images.watermark`
/// Ends: `too_large` (pixels, frames or bytes of the source), `invalid_media`
/// (no image of a readable format, truncated, broken), `bad_params` (no order),
/// `io_error`, `memory`, `timeout`, `crashed`, `sandbox` as any task.
[[nodiscard]] child_task image_task(image_order order, descriptor source,
                                    descriptor watermark = {},
                                    std::shared_ptr<child_source> from = {});

/// The task `video`: pictures of a video file. Its result is for
/// `read_video_result`; it ends as `image_task` does.
[[nodiscard]] child_task video_task(const video_order& order,
                                    descriptor source);

} // namespace troupe::media
