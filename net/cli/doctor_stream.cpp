#include "media/av/child_task.hpp"
#include "media/av/ladder.hpp"
#include "net/cli/child_ask.hpp"
#include "net/cli/commands.hpp"
#include "net/cli/table.hpp"
#include "net/cli/text.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <iostream>

namespace troupe::cli {

namespace {

using media::av_index;
using media::av_kind;
using media::av_track;

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.5g", value);
  return text;
}

const char* name_of(av_kind kind) {
  switch (kind) {
  case av_kind::video:
    return "video";
  case av_kind::audio:
    return "audio";
  default:
    return "subtitles";
  }
}

std::string facts_of(const av_track& track) {
  std::string text;
  const auto add = [&text](const std::string& fact) {
    if (!fact.empty())
      text += (text.empty() ? "" : ", ") + fact;
  };
  if (track.kind == av_kind::video) {
    add(std::to_string(track.width) + "x" + std::to_string(track.height));
    add(track.frame_rate > 0 ? number_text(track.frame_rate) + " fps" : "");
    add(track.pixel_format);
    add(track.hdr);
    add(track.interlaced ? "interlaced" : "");
    add(track.rotation != 0 ? "turned by " + std::to_string(track.rotation)
                            : "");
  }
  if (track.kind == av_kind::audio) {
    add(std::to_string(track.channels) + " channels");
    add(std::to_string(track.sample_rate) + " Hz");
  }
  add(printable(track.language));
  add(track.forced ? "forced" : "");
  return text;
}

std::string rungs_of(const av_track& track) {
  std::string text;
  for (const auto& rung : media::av_ladder(track))
    text += (text.empty() ? "" : ", ") + std::to_string(rung.height);
  return text;
}

/// What a client gets that says nothing of itself, and why.
std::pair<std::string, std::string> fate_of(const av_index& index,
                                            const av_track& track) {
  const bool main = static_cast<std::int32_t>(track.number) == index.video;
  switch (track.kind) {
  case av_kind::video: {
    if (!main)
      return {"left out", "another picture is shown"};
    const auto why = media::why_no_video_copy(index, {});
    return {(why.empty() ? "copied; made: " : "made: ") + rungs_of(track), why};
  }
  case av_kind::audio: {
    const auto why = media::why_no_audio_copy(track, {});
    return {why.empty() ? "copied; made: AAC" : "made: AAC", why};
  }
  case av_kind::text:
    return {"made: WebVTT", ""};
  default:
    return {"burnt in if asked for", "it is of pictures"};
  }
}

void print(const av_index& index, const std::string& name) {
  std::cout << printable(name) << ": " << printable(index.container) << ", "
            << number_text(index.duration_s) << " s, " << index.segments()
            << " segments, "
            << (index.copy_borders.empty() ? 0 : index.copy_borders.size() - 1)
            << " to be copied, "
            << (index.indexed ? "cut at keys" : "cut by time: it has no index")
            << "\n\n";
  std::vector<std::vector<std::string>> rows{
    {"TRACK", "KIND", "CODEC", "FACTS", "FOR A PLAIN CLIENT", "WHY"}};
  for (const auto& track : index.tracks) {
    const auto [fate, why] = fate_of(index, track);
    rows.push_back({std::to_string(track.number), name_of(track.kind),
                    track.codecs.empty() ? track.codec : track.codecs,
                    facts_of(track), fate, why});
  }
  print_table(rows);
}

} // namespace

int doctor_stream(const std::string& file) {
  media::descriptor source{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!source) {
    std::cerr << printable(file) << ": "
              << std::generic_category().message(errno) << '\n';
    return exit_failed;
  }
  std::error_code wrong;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", wrong);
  media::runtime threads;
  media::codec_children children{threads, self.parent_path() / "troupe-codec"};
  media::av_order order;
  order.scan = true;
  const auto end =
    ask_child(children, media::av_task(std::move(order), std::move(source)));
  const auto index = media::read_av_index(end.result);
  if (end.code != media::errc::none || !index) {
    std::cerr << printable(file) << ": " << media::code_of(end.code) << ": "
              << printable(end.message) << '\n';
    return exit_failed;
  }
  print(*index, file);
  return exit_done;
}

} // namespace troupe::cli
