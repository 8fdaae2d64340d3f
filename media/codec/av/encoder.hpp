#pragma once

#include "config/result.hpp"
#include "media/codec/pointers.hpp"

#include <functional>
#include <vector>

namespace troupe::codec {

/// Sends a frame, or with null the end, and takes what packets come of it.
/// @param taken called after each: at the end many come, slowly
[[nodiscard]] result<void> encode(AVCodecContext& encoder, const AVFrame* frame,
                                  std::vector<packet_ptr>& packets,
                                  const std::function<void()>& taken = {});

} // namespace troupe::codec
