#pragma once

#include "media/stream/plan.hpp"

namespace troupe::media::testing {

/// A film of 20 s: H.264 with keys at 0, 4, 10 and 16 s, AAC in English and
/// German, subtitles as text and as pictures. In milliseconds.
inline av_index film() {
  av_index out;
  out.container = "mkv";
  out.duration_s = 20;
  out.bitrate = 4'000'000;
  av_track video;
  video.number = 0;
  video.kind = av_kind::video;
  video.codec = "h264";
  video.codecs = "avc1.640028";
  video.width = 1920;
  video.height = 1080;
  video.frame_rate = 25;
  video.bits = 8;
  video.pixel_format = "yuv420p";
  out.tracks.push_back(video);
  for (const auto* language : {"eng", "deu"}) {
    av_track audio;
    audio.number = static_cast<std::uint32_t>(out.tracks.size());
    audio.kind = av_kind::audio;
    audio.codec = "aac";
    audio.codecs = "mp4a.40.2";
    audio.language = language;
    audio.sample_rate = 48'000;
    audio.channels = 2;
    audio.bitrate = 128'000;
    out.tracks.push_back(audio);
  }
  for (const auto kind : {av_kind::text, av_kind::bitmap}) {
    av_track subtitle;
    subtitle.number = static_cast<std::uint32_t>(out.tracks.size());
    subtitle.kind = kind;
    subtitle.language = "eng";
    out.tracks.push_back(subtitle);
  }
  out.video = 0;
  out.base = {1, 1000};
  out.borders = {0,     1000,  2000,  4000,  5000,  6000, 8000,
                 10000, 11000, 12000, 14000, 16000, 20000};
  out.keys = {0,    0,     0,     4000,  4000,  4000,
              4000, 10000, 10000, 10000, 10000, 16000};
  out.video_segments = 12;
  out.copy_borders = {0, 3, 7, 11, 12};
  return out;
}

inline source_ptr some_source(const std::string& identity = "film") {
  auto out = std::make_shared<stream_source>();
  out->name = "local:///film.mkv";
  out->identity = identity;
  out->key = key_of(identity);
  out->size = 10'000'000;
  return out;
}

inline result<plan_ptr> plan_of(const stream_wish& wish,
                                const av_index& index = film(),
                                double speed = 5) {
  return make_plan(
    wish, some_source(), std::make_shared<av_index>(index),
    [speed](const av_track&, const av_rung&) { return speed; }, 1.3);
}

inline std::vector<std::string> names_of(const std::vector<line_ptr>& lines) {
  std::vector<std::string> out;
  for (const auto& each : lines)
    out.push_back(each->name);
  return out;
}

} // namespace troupe::media::testing
