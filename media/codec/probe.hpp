#pragma once

#include <string>

namespace troupe::codec {

/// How `troupe-codec probe` ended; also its exit code.
enum class probe_status {
  done = 0,
  not_media = 1, ///< no demuxer of ours knows it, or it holds no stream
  usage = 2,
  unreadable = 3 ///< the file cannot be opened
};

struct probe_answer {
  probe_status status = probe_status::done;
  std::string json; ///< the facts, or `{"error": …}`
};

/// Reads a media file's facts without decoding more than libavformat needs to
/// tell them: container, duration, size, bitrate, streams, chapters, tags. Only
/// this file is opened, whatever it pretends to be: no playlists, no scripts,
/// no protocol but `file`.
[[nodiscard]] probe_answer probe_file(const std::string& path);

} // namespace troupe::codec
