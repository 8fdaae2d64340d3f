#include "media/av/ladder.hpp"

#include "media/av/codec_names.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace troupe::media {

namespace {

/// What MP4 holds and `copy_video` and `copy_audio` can write.
constexpr std::array copied_video{"h264", "hevc", "av1", "vp9"};
constexpr std::array copied_audio{"aac", "ac3", "eac3", "opus", "flac", "mp3"};

bool any_plays(const std::vector<std::string>& known,
               const std::string& wanted) {
  return std::ranges::any_of(
    known, [&](const auto& each) { return plays(each, wanted); });
}

template <class All>
bool has(const All& all, const std::string& name) {
  return std::ranges::find(all, name) != all.end();
}

const av_track* track_of(const av_index& index, std::int32_t number) {
  const auto at = std::ranges::find(
    index.tracks, static_cast<std::uint32_t>(number), &av_track::number);
  return number < 0 || at == index.tracks.end() ? nullptr : &*at;
}

/// Lines, and bits per second of VBV for 30 frames a second.
struct step {
  std::uint32_t height;
  std::uint64_t maxrate;
};
constexpr std::array steps{step{1080, 6'000'000}, step{720, 3'000'000},
                           step{480, 1'500'000}, step{360, 800'000}};

/// ITU-T H.264, table A-1: macroblocks per second, of a frame, bit/s of High.
struct level_limit {
  int level;
  double blocks_per_s;
  double blocks;
  std::uint64_t maxrate;
};
constexpr std::array levels{level_limit{30, 40'500, 1'620, 12'500'000},
                            level_limit{31, 108'000, 3'600, 17'500'000},
                            level_limit{40, 245'760, 8'192, 25'000'000},
                            level_limit{42, 522'240, 8'704, 62'500'000},
                            level_limit{50, 589'824, 22'080, 168'750'000},
                            level_limit{51, 983'040, 36'864, 300'000'000},
                            level_limit{52, 2'073'600, 36'864, 300'000'000}};

int level_of(const av_rung& rung) {
  const double blocks =
    std::ceil(rung.width / 16.0) * std::ceil(rung.height / 16.0);
  const double rate = rung.frame_rate > 0 ? rung.frame_rate : 30;
  for (const auto& each : levels)
    if (blocks <= each.blocks && blocks * rate <= each.blocks_per_s
        && rung.maxrate <= each.maxrate)
      return each.level;
  return levels.back().level;
}

/// As it is shown: turned, of square samples.
std::pair<double, double> shown(const av_track& video) {
  const double wide = video.width * std::max(video.sample_aspect, 0.01);
  const double high = video.height;
  return video.rotation % 180 == 0 ? std::pair{wide, high}
                                   : std::pair{high, wide};
}

std::uint32_t even(double value) {
  return std::max<std::uint32_t>(
    2, 2 * static_cast<std::uint32_t>(std::lround(value / 2)));
}

/// More frames cost more, though less than in proportion.
std::uint64_t rate_for(std::uint64_t maxrate, double frame_rate) {
  const double more = frame_rate > 33 ? std::sqrt(frame_rate / 30) : 1;
  return static_cast<std::uint64_t>(static_cast<double>(maxrate)
                                    * std::min(more, 2.0));
}

av_rung rung_of(const av_track& video, double width, double height,
                std::uint64_t maxrate) {
  av_rung rung;
  rung.width = even(width);
  rung.height = even(height);
  rung.frame_rate = video.frame_rate;
  rung.maxrate = rate_for(maxrate, video.frame_rate);
  rung.bufsize = rung.maxrate * 2;
  rung.level = level_of(rung);
  char text[16];
  std::snprintf(text, sizeof text, "avc1.6400%02X", rung.level);
  rung.codecs = text;
  return rung;
}

} // namespace

std::string why_no_video_copy(const av_index& index, const av_client& client) {
  const auto* video = track_of(index, index.video);
  if (!video)
    return "there is no video";
  if (!index.no_copy.empty())
    return index.no_copy;
  if (!has(copied_video, video->codec))
    return video->codec + " is not streamed as it is";
  if (video->codecs.empty())
    return "its profile is not known";
  if (!any_plays(client.video, video->codecs))
    return "the client does not play " + video->codecs;
  if (!video->hdr.empty() && !client.hdr)
    return "the client does not show HDR";
  return {};
}

std::string why_no_audio_copy(const av_track& track, const av_client& client) {
  if (!has(copied_audio, track.codec))
    return track.codec + " is not streamed as it is";
  if (!any_plays(client.audio, track.codecs))
    return "the client does not play " + track.codecs;
  return {};
}

std::vector<av_rung> av_ladder(const av_track& video, std::uint32_t max_height,
                               std::uint64_t max_bitrate) {
  const auto [wide, high] = shown(video);
  if (wide < 1 || high < 1)
    return {};
  // A picture is of a rung if neither side is larger than that of 16:9.
  const auto scale = [wide = wide, high = high](std::uint32_t lines) {
    return std::min({1.0, lines / high, lines * 16 / 9.0 / wide});
  };
  const auto own = scale(max_height > 0 ? max_height : 1080);
  std::vector<av_rung> rungs;
  auto own_rate = steps.front().maxrate;
  for (const auto& each : steps) {
    const auto by = scale(each.height);
    if (by >= own)
      own_rate = each.maxrate;
    if (by < 1 && (max_height == 0 || each.height <= max_height))
      rungs.push_back(rung_of(video, wide * by, high * by, each.maxrate));
  }
  const bool fits = own >= 1;
  if (fits && (rungs.empty() || rungs.front().height < high))
    rungs.insert(rungs.begin(), rung_of(video, wide, high, own_rate));
  if (rungs.empty())
    rungs.push_back(
      rung_of(video, wide * own, 2 * std::floor(high * own / 2), own_rate));
  while (max_bitrate > 0 && rungs.size() > 1
         && rungs.front().maxrate > max_bitrate)
    rungs.erase(rungs.begin());
  return rungs;
}

av_rung av_rung_within(const av_track& video, std::uint32_t max_height) {
  const auto [wide, high] = shown(video);
  const auto by = std::min({1.0, max_height / std::max(high, 1.0),
                            max_height * 16 / 9.0 / std::max(wide, 1.0)});
  auto rate = steps.front().maxrate;
  for (const auto& each : steps)
    if (each.height >= high * by - 1 && each.height * 16 / 9.0 >= wide * by - 1)
      rate = each.maxrate;
  return rung_of(video, wide * by, high * by, rate);
}

av_video_settings av_settings_of(const av_track& video, const av_rung& rung) {
  av_video_settings made;
  made.width = rung.width;
  made.height = rung.height;
  made.crf = rung.crf;
  made.maxrate = rung.maxrate;
  made.bufsize = rung.bufsize;
  made.level = rung.level;
  made.deinterlace = video.interlaced;
  made.tonemap = !video.hdr.empty();
  return made;
}

av_audio_settings av_settings_of(const av_track& audio) {
  av_audio_settings made;
  made.channels = std::clamp<std::uint32_t>(audio.channels, 1, 2);
  made.bitrate = made.channels == 1 ? 80'000 : 128'000;
  const auto rate = audio.sample_rate;
  made.sample_rate =
    rate == 44'100 || rate == 22'050 || rate == 88'200 || rate == 11'025
      ? 44'100
      : 48'000;
  return made;
}

} // namespace troupe::media
