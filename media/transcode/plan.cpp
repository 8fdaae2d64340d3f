#include "media/transcode/plan.hpp"

#include "media/av/ladder.hpp"
#include "media/download/params.hpp"
#include "media/errc.hpp"

#include <boost/url/pct_string_view.hpp>

#include <algorithm>
#include <array>
#include <filesystem>

namespace troupe::media {

namespace {

/// What a second of audio costs, to one of video.
constexpr double audio_share = 0.05;

/// How a profile is made where the params do not say.
struct transcode_profile {
  std::string_view name;
  std::string_view video; ///< codec; empty: no picture
  std::uint32_t height;
  double crf;
  std::string_view preset;
  bool capped; ///< by the ladder's rates
  std::string_view audio;
  std::uint64_t audio_bitrate; ///< of stereo; 0: the ladder's
  std::string_view container;
};

constexpr std::array profiles{
  transcode_profile{"web_optimized", "h264", 1080, 23, "veryfast", true, "aac",
                    0, "mp4"},
  transcode_profile{"high_quality", "h264", 2160, 18, "slow", false, "aac",
                    192'000, "mp4"},
  transcode_profile{"mobile_optimized", "h264", 720, 26, "fast", true, "aac",
                    96'000, "mp4"},
  transcode_profile{"ultra_compress", "hevc", 1080, 28, "medium", false, "aac",
                    80'000, "mp4"},
  transcode_profile{"webm_web", "vp9", 1080, 33, "fast", false, "opus", 96'000,
                    "webm"},
  transcode_profile{"audio_only", "", 0, 0, "", false, "aac", 128'000, "mp4"},
};

/// The profile with what the params say in its place.
result<transcode_profile> chosen(const transcode_params& params) {
  const auto* found =
    std::ranges::find(profiles, params.profile, &transcode_profile::name);
  if (found == profiles.end())
    return fail(errc::bad_params, "profile");
  auto made = *found;
  if (params.container == "webm") {
    made.video = made.video.empty() ? made.video : "vp9";
    made.audio = "opus";
  }
  if (!params.video_codec.empty() && !made.video.empty())
    made.video = params.video_codec;
  if (!params.audio_codec.empty())
    made.audio = params.audio_codec;
  if (!params.container.empty())
    made.container = params.container;
  if (params.height > 0)
    made.height = params.height;
  made.crf = params.crf.value_or(made.crf);
  if (!params.preset.empty())
    made.preset = params.preset;
  if (params.audio_bitrate > 0)
    made.audio_bitrate = params.audio_bitrate;
  const bool in_webm =
    (made.video.empty() || made.video == "vp9") && made.audio == "opus";
  if (made.container == "webm" && !in_webm)
    return fail(errc::bad_container, "webm holds vp9 and opus alone");
  return made;
}

const av_track* chosen_video(const av_index& index) {
  const auto at =
    std::ranges::find_if(index.tracks, [&index](const av_track& each) {
      return static_cast<std::int64_t>(each.number) == index.video;
    });
  return at == index.tracks.end() ? nullptr : &*at;
}

/// The default, or the first.
const av_track* chosen_audio(const av_index& index) {
  const av_track* first = nullptr;
  for (const auto& each : index.tracks) {
    if (each.kind != av_kind::audio)
      continue;
    if (each.is_default)
      return &each;
    if (!first)
      first = &each;
  }
  return first;
}

av_video_settings video_settings(const transcode_profile& as,
                                 const av_track& of) {
  auto made = av_settings_of(of, av_rung_within(of, as.height));
  made.codec = as.video;
  made.crf = as.crf;
  made.preset = as.preset;
  if (!as.capped || made.codec != "h264")
    made.maxrate = made.bufsize = 0;
  return made;
}

av_audio_settings audio_settings(const transcode_profile& as,
                                 const transcode_params& params,
                                 const av_track& of) {
  auto made = av_settings_of(of);
  made.codec = as.audio;
  if (made.codec == "opus")
    made.sample_rate = 48'000;
  if (params.audio_bitrate > 0)
    made.bitrate = params.audio_bitrate;
  else if (as.audio_bitrate > 0)
    made.bitrate =
      made.channels == 1 ? as.audio_bitrate * 5 / 8 : as.audio_bitrate;
  return made;
}

std::shared_ptr<stream_line>
line_for(const source_ptr& source, const std::shared_ptr<const av_index>& index,
         const av_track& track) {
  auto line = std::make_shared<stream_line>();
  line->kind = track.kind;
  line->what = track.kind == av_kind::video ? av_what::encode_video
                                            : av_what::encode_audio;
  line->track = track;
  line->source = source;
  line->index = index;
  return line;
}

double line_end(const line_ptr& line) {
  return line ? line->begin_s(line->segments()) : 0;
}

void list_pieces(transcode_plan& plan) {
  double whole = 0;
  std::uint8_t track = 0;
  for (const auto& line : plan.tracks()) {
    const double weight = line->kind == av_kind::video ? 1 : audio_share;
    if (line->kind == av_kind::audio)
      plan.pieces.push_back({line, track, pack_part::primer, 0, 0});
    for (std::uint32_t n = 0; n < line->segments(); ++n) {
      const auto work = weight * (line->begin_s(n + 1) - line->begin_s(n));
      plan.pieces.push_back({line, track, pack_part::segment, n, work});
      whole += work;
    }
    ++track;
  }
  for (auto& each : plan.pieces)
    each.work = whole > 0 ? each.work / whole : 0;
}

/// A name for what comes of it.
std::string source_title(const std::string& source) {
  auto text = source.substr(0, source.find_first_of("?#"));
  text = text.substr(text.rfind('/') + 1);
  if (const auto encoded = boost::urls::make_pct_string_view(text))
    text = encoded->decode();
  auto stem = std::filesystem::path{text}.stem().string();
  return stem.empty() ? "untitled" : stem;
}

} // namespace

av_order transcode_piece::order() const {
  auto made = line->order(number);
  made.primer = part == pack_part::primer;
  return made;
}

std::vector<line_ptr> transcode_plan::tracks() const {
  std::vector<line_ptr> all;
  for (const auto& each : {video, audio})
    if (each)
      all.push_back(each);
  return all;
}

std::string transcode_plan::identity() const {
  std::string text;
  for (const auto& each : tracks())
    text += to_hex(each->key) + '\n';
  return text;
}

result<transcode_plan> plan_transcode(const transcode_params& params,
                                      source_ptr source,
                                      std::shared_ptr<const av_index> index) {
  const auto as = chosen(params);
  if (!as)
    return as.error();
  if (index->cut_short)
    return fail(errc::invalid_media, "it is cut off");
  const auto* video = as->video.empty() ? nullptr : chosen_video(*index);
  const auto* audio = chosen_audio(*index);
  if (!as->video.empty() && !video)
    return fail(errc::invalid_media,
                "it has no video; the profile audio_only takes what it has");
  if (!video && !audio)
    return fail(errc::invalid_media, "it has no audio");
  transcode_plan plan;
  plan.container = as->container;
  if (video) {
    auto line = line_for(source, index, *video);
    line->video = video_settings(*as, *video);
    name_line(*line);
    plan.video = std::move(line);
  }
  if (audio) {
    auto line = line_for(source, index, *audio);
    line->audio = audio_settings(*as, params, *audio);
    name_line(*line);
    plan.audio = std::move(line);
  }
  plan.duration_s = std::max(line_end(plan.video), line_end(plan.audio));
  list_pieces(plan);
  if (plan.pieces.empty() || plan.duration_s <= 0)
    return fail(errc::invalid_media, "there is nothing in it");
  return plan;
}

name_fields name_fields_of(const transcode_params& params,
                           const transcode_plan& plan, const std::string& job) {
  name_fields fields;
  fields.title = source_title(params.source);
  fields.id = job;
  fields.host = host_of_url(params.source);
  if (plan.video) {
    fields.height = std::to_string(plan.video->video.height);
    fields.width = std::to_string(plan.video->video.width);
  }
  fields.ext = ending_of(plan);
  return fields;
}

std::string ending_of(const transcode_plan& plan) {
  if (plan.video || plan.container == "webm")
    return plan.container;
  return plan.container == "mp4" ? "m4a" : "mka";
}

} // namespace troupe::media
