#pragma once

#include "config/result.hpp"
#include "media/av/ladder.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::media {

enum class stream_mode : std::uint8_t {
  automatic, ///< copies where the client plays them, else encodings
  direct,    ///< the file itself
  remux,     ///< copies alone
  transcode  ///< encodings alone
};

[[nodiscard]] std::string_view to_string(stream_mode mode) noexcept;
[[nodiscard]] std::optional<stream_mode> stream_mode_of(std::string_view word);

/// What a client asks for by `POST /v1/streams`.
struct stream_wish {
  std::string source; ///< `local:///…`, `http(s)://…`, `job:ID`
  stream_mode mode = stream_mode::automatic;
  std::uint32_t max_height = 0;          ///< 0: any
  std::uint64_t max_bitrate = 0;         ///< bit/s of video; 0: any
  std::optional<std::uint32_t> audio;    ///< of the audio tracks; none: all
  std::optional<std::uint32_t> subtitle; ///< of the subtitles: shown at first
  double start_s = 0;
  int priority = 5; ///< 0 to 9, 9 first
  av_client client;

  bool operator==(const stream_wish&) const = default;
};

/// A JSON object with the members of the API, for the store's record.
[[nodiscard]] std::string encode_wish(const stream_wish& wish);
/// What `encode_wish` wrote; `internal` for anything else.
[[nodiscard]] result<stream_wish> read_wish(std::string_view text);

} // namespace troupe::media
