#include "media/codec/av/index.hpp"

#include "media/av/grid.hpp"
#include "media/codec/av/keys.hpp"
#include "media/codec/av/tracks.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::codec {

namespace {

using media::av_index;
using media::av_kind;
using media::av_track;
using media::errc;

/// Files that hold no index are read whole for one if they are no larger.
constexpr std::int64_t small_file = 64 << 20;
/// A file's first time is left as it is up to here.
constexpr std::int64_t late_start_us = 500'000;
/// Of films; what claims more is broken.
constexpr double most_seconds = 100 * 3600.0;
/// Audio that ends so much later than video has segments of its own.
constexpr std::int64_t long_rest_us = 1'000'000;

std::string container_of(av_source& source) {
  std::string name = source.input().iformat->name;
  name = name.substr(0, name.find(','));
  if (name == "mov")
    return "mp4";
  if (name == "matroska")
    return "mkv";
  return name == "mpegts" ? "ts" : name;
}

double seconds_of(const AVFormatContext& input) {
  return static_cast<double>(input.duration) / AV_TIME_BASE;
}

/// The default one, or the largest.
const av_track* main_video(const std::vector<av_track>& tracks) {
  const av_track* best = nullptr;
  const auto value = [](const av_track& each) {
    return std::pair{each.is_default, std::uint64_t{each.width} * each.height};
  };
  for (const auto& each : tracks)
    if (each.kind == av_kind::video && each.width > 0 && each.height > 0
        && (!best || value(each) > value(*best)))
      best = &each;
  return best;
}

const av_track* first_audio(const std::vector<av_track>& tracks) {
  const auto at = std::ranges::find_if(tracks, [](const av_track& each) {
    return each.kind == av_kind::audio && each.sample_rate > 0;
  });
  return at == tracks.end() ? nullptr : &*at;
}

/// Times before zero, and far after it, become times from zero on.
std::int64_t origin_of(const AVFormatContext& input) {
  const auto start = input.start_time;
  if (start == AV_NOPTS_VALUE || (start >= 0 && start <= late_start_us))
    return 0;
  return start;
}

std::int64_t rounded_down(std::int64_t time, std::int64_t step) {
  return time / step * step;
}

/// Cuts by 4096 samples of audio at least, as both grids of audio agree then.
void cut_audio(av_source& source, const av_track& audio, av_index& index) {
  index.base = {1, static_cast<std::int32_t>(audio.sample_rate)};
  const auto end =
    av_rescale_q(std::max<std::int64_t>(source.input().duration, 1),
                 AV_TIME_BASE_Q, {index.base.num, index.base.den});
  auto grid = media::make_av_grid({index.base, 0, end, 0, 0}, {});
  index.borders = std::move(grid.borders);
  for (auto& each : index.borders)
    if (each != index.borders.back())
      each = rounded_down(each, 1024);
  index.keys.assign(index.borders.begin(), index.borders.end() - 1);
  index.no_copy = "there is no video";
}

/// The picture's own track, if it is one that a key tells more of.
result<void> look_at_picture(av_source& source, AVStream& stream,
                             std::int64_t at, av_track& track) {
  source.choose(stream);
  auto key = source.find_key(stream, at, false);
  if (!key)
    return key.error();
  if (*key)
    describe_picture(stream, **key, track);
  return {};
}

/// What an index cannot tell of keys is that they must not be copied.
std::string why_no_copy(const av_track& track) {
  if (track.rotation != 0)
    return "its pictures are turned";
  if (track.hdr == "dolby_vision")
    return "Dolby Vision without another base";
  return {};
}

result<found_keys> find_keys(av_source& source, AVStream& stream, bool scan,
                             std::int64_t& audio_end) {
  auto found = ask_for_keys(source, stream);
  if (!found || found->indexed)
    return found;
  const auto size = source.bytes().size();
  const bool small = !source.is_far() && size >= 0 && size <= small_file;
  if (scan || small || source.input().duration <= 0)
    return scan_for_keys(source, stream, audio_end);
  return found;
}

/// Of a file whose keys nobody knows yet.
void guess_extent(av_source& source, AVStream& stream, std::int64_t origin,
                  found_keys& found) {
  const auto& input = source.input();
  found.start =
    origin != 0 || input.start_time == AV_NOPTS_VALUE ? 0 : input.start_time;
  found.start =
    av_rescale_q(found.start + origin, AV_TIME_BASE_Q, stream.time_base);
  found.end = found.start
              + av_rescale_q(input.duration, AV_TIME_BASE_Q, stream.time_base);
}

void cut_video(av_source& source, AVStream& stream, const found_keys& found,
               av_track& track, av_index& index) {
  const auto origin =
    av_rescale_q(index.origin_us, AV_TIME_BASE_Q, stream.time_base);
  auto keys = found.keys;
  for (auto& each : keys)
    each.pts -= origin;
  auto grid =
    media::make_av_grid({index.base, found.start - origin, found.end - origin,
                         source.bytes().size(), track.frame_rate},
                        found.indexed ? std::span<const media::av_key>{keys}
                                      : std::span<const media::av_key>{});
  index.borders = std::move(grid.borders);
  index.copy_borders = std::move(grid.copy_borders);
  index.keys = std::move(grid.keys);
  index.indexed = found.indexed;
  index.cut_short = found.cut_short;
  index.no_copy = why_no_copy(track);
  for (const auto& why : {found.no_copy, grid.no_copy})
    if (index.no_copy.empty())
      index.no_copy = why;
  if (!index.no_copy.empty())
    index.copy_borders.clear();
}

void add_longer_audio(av_source& source, const AVStream& stream,
                      std::int64_t audio_end, av_index& index) {
  auto all = audio_end > 0 ? audio_end : source.input().duration;
  if (audio_end > 0)
    all -= index.origin_us;
  const auto end =
    av_rescale_q(index.borders.back(), stream.time_base, AV_TIME_BASE_Q);
  if (!first_audio(index.tracks) || all <= end + long_rest_us)
    return;
  media::extend_av_grid(index.borders, index.base,
                        av_rescale_q(all, AV_TIME_BASE_Q, stream.time_base));
  index.keys.resize(index.segments(), index.keys.back());
}

/// Of the tracks' own numbers, since `look_at_picture` must find it again.
result<void> index_video(av_source& source, av_track& track, bool scan,
                         av_index& index) {
  auto& stream = *source.stream(track.number);
  index.video = static_cast<std::int32_t>(track.number);
  index.base = {stream.time_base.num, stream.time_base.den};
  std::int64_t audio_end = 0;
  auto found = find_keys(source, stream, scan, audio_end);
  if (!found)
    return found.error();
  if (found->indexed && found->keys.empty())
    return fail(errc::invalid_media, "no picture can be entered");
  if (!found->indexed)
    guess_extent(source, stream, index.origin_us, *found);
  if (found->end <= found->start && !found->indexed)
    return fail(errc::invalid_media, "nobody knows how long it is");
  if (index.seconds(found->end - found->start) > most_seconds
      || seconds_of(source.input()) > most_seconds)
    return fail(errc::invalid_media, "it claims to last for days");
  cut_video(source, stream, *found, track, index);
  index.video_segments = static_cast<std::uint32_t>(index.segments());
  if (!found->cut_short)
    add_longer_audio(source, stream, audio_end, index);
  return look_at_picture(source, stream, found->start, track);
}

/// Where the container does not say.
std::uint64_t bitrate_of(av_source& source, double duration_s) {
  const auto said = source.input().bit_rate;
  if (said > 0)
    return static_cast<std::uint64_t>(said);
  const auto size = source.bytes().size();
  return size > 0 && duration_s > 0 ? static_cast<std::uint64_t>(
           static_cast<double>(size) * 8 / duration_s)
                                    : 0;
}

double length_of(const av_index& index) {
  return index.borders.empty() ? 0 : index.seconds(index.borders.back());
}

} // namespace

result<av_index> make_index(av_source& source, bool scan) {
  if (auto done = source.look_into(); !done)
    return done.error();
  av_index index;
  index.container = container_of(source);
  index.tracks = describe_tracks(source);
  index.chapters = describe_chapters(source.input());
  index.origin_us = origin_of(source.input());
  if (const auto* video = main_video(index.tracks)) {
    auto track = *video;
    if (auto done = index_video(source, track, scan, index); !done)
      return done.error();
    *std::ranges::find(index.tracks, track.number, &av_track::number) = track;
  } else if (const auto* audio = first_audio(index.tracks)) {
    if (seconds_of(source.input()) > most_seconds)
      return fail(errc::invalid_media, "it claims to last for days");
    cut_audio(source, *audio, index);
  } else {
    return fail(errc::invalid_media, "nothing that can be played");
  }
  index.duration_s = length_of(index);
  index.bitrate = bitrate_of(source, index.duration_s);
  return index;
}

} // namespace troupe::codec
