#pragma once

#include "config/result.hpp"
#include "media/errc.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What a codec child is asked to make of a film, and what it answers.
namespace troupe::media {

enum class av_kind : std::uint8_t {
  video,
  audio,
  text,  ///< subtitles that become WebVTT
  bitmap ///< subtitles that can only be burnt in
};

/// One stream of a file; attached pictures are none.
struct av_track {
  std::uint32_t number = 0; ///< libav's stream index
  av_kind kind = av_kind::video;
  std::string codec;  ///< libav's name: "h264"
  std::string codecs; ///< RFC 6381; empty: none is known
  std::string language;
  std::string title;
  bool is_default = false;
  bool forced = false;
  std::uint64_t bitrate = 0; ///< bit/s; 0: not known
  // of video
  std::uint32_t width = 0; ///< as stored, before it is turned
  std::uint32_t height = 0;
  double frame_rate = 0;    ///< 0: not known
  std::uint32_t bits = 0;   ///< of a sample; 0: not known
  std::string pixel_format; ///< libav's name: "yuv420p"; empty: not known
  std::string hdr;          ///< "hdr10", "hlg", "dolby_vision"; empty: SDR
  int rotation = 0;         ///< clockwise, to be shown: 0, 90, 180, 270
  bool interlaced = false;
  double sample_aspect = 1; ///< a sample's width to its height
  // of audio
  std::uint32_t sample_rate = 0;
  std::uint32_t channels = 0;

  bool operator==(const av_track&) const = default;
};

struct av_chapter {
  double start_s = 0;
  double end_s = 0;
  std::string title;

  bool operator==(const av_chapter&) const = default;
};

/// Units of time, in seconds: num / den.
struct av_base {
  std::int32_t num = 1;
  std::int32_t den = 1000;

  bool operator==(const av_base&) const = default;
};

/// What the index of a file says: its tracks, and where it is cut. Times are in
/// `base` on the stream's own line, which is the file's less `origin_us`.
///
/// Segment n of any transcode is [borders[n], borders[n + 1]), and its first
/// frame is an IDR; copied segment n is [borders[copy_borders[n]],
/// borders[copy_borders[n + 1]]).
struct av_index {
  std::string container;
  double duration_s = 0;
  std::uint64_t bitrate = 0; ///< of all tracks, bit/s
  std::vector<av_track> tracks;
  std::vector<av_chapter> chapters;
  std::int32_t video = -1; ///< number of the track that is cut; -1: none
  av_base base;            ///< of that track; of audio alone 1 / sample rate
  std::int64_t origin_us = 0;
  std::vector<std::int64_t> borders; ///< ascending; the last is the end
  /// Of each segment, where decoding begins: the last key at or before it.
  std::vector<std::int64_t> keys;
  /// Segments that have video; those after it have audio alone.
  std::uint32_t video_segments = 0;
  std::vector<std::uint32_t> copy_borders; ///< empty: no copy
  std::string no_copy; ///< why video is not copied; empty: it may be
  /// False: keys are not known, borders are of time alone (MPEG-TS). `scan`
  /// finds them.
  bool indexed = true;
  bool cut_short = false; ///< the file ends before what it claims to hold

  [[nodiscard]] std::size_t segments() const {
    return borders.empty() ? 0 : borders.size() - 1;
  }
  [[nodiscard]] double seconds(std::int64_t time) const {
    return static_cast<double>(time) * base.num / base.den;
  }
  bool operator==(const av_index&) const = default;
};

enum class av_what : std::uint8_t {
  index,
  copy_video,
  encode_video,
  copy_audio,
  encode_audio,
  subtitles ///< the whole track as one WebVTT file, in `av_result::media`
};

/// How video is made: `av_settings_of` says. 8 bit 4:2:0, SDR; H.264 is High.
/// Inits are equal where all of this but `crf`, `maxrate`, `bufsize` is.
struct av_video_settings {
  std::string codec = "h264"; ///< or "hevc", "vp9"
  std::uint32_t width = 0;    ///< of square samples, after turning
  std::uint32_t height = 0;
  double crf = 23;
  std::uint64_t maxrate = 0;       ///< bit/s; 0: none
  std::uint64_t bufsize = 0;       ///< bits
  std::string preset = "veryfast"; ///< x264's words, for all
  int level = 40;                  ///< of H.264, times ten
  bool deinterlace = false;        ///< frames that say they are
  bool tonemap = false;            ///< the source is HDR
  std::int32_t burn_in = -1;       ///< track of subtitles; -1: none. Others
                                   ///< are `bad_params`: nothing is burnt in

  bool operator==(const av_video_settings&) const = default;
};

struct av_audio_settings {
  std::string codec = "aac";       ///< AAC-LC; or "opus", at 48 kHz
  std::uint64_t bitrate = 128'000; ///< bit/s
  std::uint32_t channels = 2;      ///< at most so many
  std::uint32_t sample_rate = 48'000;

  bool operator==(const av_audio_settings&) const = default;
};

/// One segment of one track, or the index.
struct av_order {
  /// Names the input with its revision. While it stays the same from task to
  /// task a child keeps the input open, and its decoder going where a segment
  /// follows the last.
  std::string source_key;
  bool asks = false;             ///< the source is read by asking
  std::int64_t source_size = -1; ///< of one that is asked for; -1: not known
  av_what what = av_what::index;
  bool scan = false; ///< index: read the whole file if it holds no index
  std::uint32_t track = 0;
  av_base base; ///< of what follows: the index's
  std::int64_t origin_us = 0;
  std::int64_t start = 0;
  std::int64_t end = 0; ///< exclusive
  std::int64_t key = 0; ///< the index's `keys` of the segment; copies: `start`
  bool last = false;    ///< of its track: also what little comes after `end`
  std::uint32_t sequence = 0; ///< of the segment in its playlist
  av_video_settings video;
  av_audio_settings audio;
  /// encode_audio: not the segment, but what decoders want before the first
  /// one, of times before 0; its fragment begins at 0.
  bool primer = false;

  bool operator==(const av_order&) const = default;
};

struct av_result {
  std::string init;   ///< equal for all segments of a rendition
  std::string media;  ///< one fragment; empty: the track has nothing there
  std::string codecs; ///< RFC 6381, as the init says
  std::uint32_t frames = 0; ///< or audio packets
  double speed = 0;         ///< media time by the time it took
  std::int64_t start = 0;   ///< in the order's base: what is in it
  std::int64_t end = 0;
  /// The source has ended before: its last picture stands here.
  bool missing = false;

  bool operator==(const av_result&) const = default;
};

/// Orders travel as JSON.
[[nodiscard]] std::string encode_av_order(const av_order& order);
[[nodiscard]] result<av_order> read_av_order(std::string_view params);

/// The index travels, and is kept, as JSON.
[[nodiscard]] std::string encode_av_index(const av_index& index);
/// `errc::internal` for what no child of ours says.
[[nodiscard]] result<av_index> read_av_index(std::string_view text);

/// The result as it travels: the length of a JSON text (8 bytes, little
/// endian), the text, init, media.
[[nodiscard]] std::string encode_av_result(const av_result& made);
/// `errc::internal` for what no child of ours says.
[[nodiscard]] result<av_result> read_av_result(std::string_view bytes);

} // namespace troupe::media
