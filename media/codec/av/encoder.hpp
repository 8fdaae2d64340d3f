#pragma once

#include "config/result.hpp"
#include "media/codec/pointers.hpp"

#include <vector>

namespace troupe::codec {

/// Sends a frame, or with null the end, and takes what packets come of it.
[[nodiscard]] result<void> encode(AVCodecContext& encoder, const AVFrame* frame,
                                  std::vector<packet_ptr>& packets);

} // namespace troupe::codec
