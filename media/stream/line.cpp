#include "media/stream/line.hpp"

#include <algorithm>

namespace troupe::media {

namespace {

/// Part of every key: raise it when the same order makes other bytes.
constexpr std::string_view line_revision = "1";

std::string grid_text(const av_index& index) {
  std::string out = std::to_string(index.base.num) + '/'
                    + std::to_string(index.base.den) + '+'
                    + std::to_string(index.origin_us);
  for (const auto each : index.borders)
    out += ',' + std::to_string(each);
  out += ';';
  for (const auto each : index.copy_borders)
    out += ',' + std::to_string(each);
  return out;
}

} // namespace

std::uint32_t stream_line::segments() const {
  if (what == av_what::copy_video)
    return index->copy_borders.empty()
             ? 0
             : static_cast<std::uint32_t>(index->copy_borders.size() - 1);
  if (what == av_what::encode_video)
    return std::min(index->video_segments,
                    static_cast<std::uint32_t>(index->segments()));
  return static_cast<std::uint32_t>(index->segments());
}

std::size_t stream_line::border(std::uint32_t n) const {
  return what == av_what::copy_video ? index->copy_borders[n] : n;
}

double stream_line::begin_s(std::uint32_t n) const {
  return index->seconds(index->borders[border(n)]);
}

std::uint32_t stream_line::at(double seconds) const {
  std::uint32_t low = 0;
  std::uint32_t high = segments();
  while (high - low > 1) {
    const auto middle = low + (high - low) / 2;
    (begin_s(middle) <= seconds ? low : high) = middle;
  }
  return low;
}

av_order stream_line::order(std::uint32_t n) const {
  av_order out;
  out.source_key = to_hex(source->key);
  out.what = what;
  out.track = track.number;
  out.base = index->base;
  out.origin_us = index->origin_us;
  out.sequence = n;
  out.video = video;
  out.audio = audio;
  if (what == av_what::subtitles)
    return out;
  out.start = index->borders[border(n)];
  out.end = index->borders[border(n + 1)];
  out.key = what == av_what::copy_video || border(n) >= index->keys.size()
              ? out.start
              : index->keys[border(n)];
  out.last = n + 1 == segments();
  return out;
}

cache_key stream_line::segment_key(std::uint32_t n) const {
  return key_of(to_hex(key) + '\n' + std::to_string(n));
}

cache_key stream_line::init_key() const {
  return key_of(to_hex(key) + "\ninit");
}

void name_line(stream_line& line) {
  av_order settings;
  settings.source_key = line.source->identity;
  settings.what = line.what;
  settings.track = line.track.number;
  settings.video = line.video;
  settings.audio = line.audio;
  line.key =
    key_of("line " + std::string{line_revision} + '\n'
           + encode_av_order(settings) + '\n' + grid_text(*line.index));
}

std::string_view class_of(const stream_line& line) noexcept {
  if (line.kind == av_kind::text)
    return "text";
  if (!line.is_encoded())
    return "copy";
  return line.kind == av_kind::video ? "video" : "audio";
}

} // namespace troupe::media
