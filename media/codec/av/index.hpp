#pragma once

#include "config/result.hpp"
#include "media/av/task.hpp"
#include "media/codec/av/source.hpp"

namespace troupe::codec {

/// Looks where a file can be cut. `invalid_media` where there is nothing to
/// play, or nobody knows for how long.
[[nodiscard]] result<media::av_index> make_index(av_source& source, bool scan);

} // namespace troupe::codec
