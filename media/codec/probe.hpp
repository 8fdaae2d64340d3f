#pragma once

#include "media/codec/worker.hpp"

namespace troupe::codec {

/// The task `probe`: one file in, or the size of a source that is read by
/// asking (negative: not known); its facts out as JSON: container, duration,
/// size, bitrate, streams, chapters, tags, and whether it has a cover.
/// Nothing is decoded beyond what libavformat needs to tell them.
/// `invalid_media` for what no demuxer of ours knows, or without a stream.
[[nodiscard]] task_answer probe(const task_request& request,
                                task_context& context);

} // namespace troupe::codec
