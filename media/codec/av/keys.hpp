#pragma once

#include "media/av/grid.hpp"
#include "media/codec/av/source.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::codec {

/// Where a video stream can be entered, in its own times.
struct found_keys {
  std::vector<media::av_key> keys; ///< ascending
  std::int64_t start = 0;          ///< of its first picture
  std::int64_t end = 0;            ///< 0: not known
  std::string no_copy;             ///< why what lies between must not be copied
  bool cut_short = false;          ///< the file ends before its index does
  bool indexed = false;            ///< keys are all that there are
};

/// Asks the container. Keys that may be borders of copies are looked at one by
/// one, but in a source that is far. Nothing is known (`indexed` false) where
/// the container does not tell.
[[nodiscard]] result<found_keys> ask_for_keys(av_source& source,
                                              AVStream& stream);

/// Reads the whole file. @pre no packet was read @param audio_end is set to
/// where any audio ends, in microseconds
[[nodiscard]] result<found_keys>
scan_for_keys(av_source& source, AVStream& stream, std::int64_t& audio_end);

} // namespace troupe::codec
