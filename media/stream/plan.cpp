#include "media/stream/plan.hpp"

#include "media/errc.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::media {

namespace {

/// Where nobody says it.
constexpr double usual_frame_rate = 30;
/// Peaks of what is copied, to its mean.
constexpr double copy_peak = 1.5;

std::vector<const av_track*> tracks_of(const av_index& index,
                                       std::initializer_list<av_kind> kinds) {
  std::vector<const av_track*> out;
  for (const auto& each : index.tracks)
    if (std::ranges::find(kinds, each.kind) != kinds.end())
      out.push_back(&each);
  return out;
}

const av_track* video_of(const av_index& index) {
  for (const auto& each : index.tracks)
    if (index.video >= 0
        && each.number == static_cast<std::uint32_t>(index.video))
      return &each;
  return nullptr;
}

/// Writes one plan.
class planner {
public:
  planner(const stream_wish& wish, stream_plan& out) : wish_(wish), out_(out) {}

  result<void> plan(const speed_guess& speed, double least_speed) {
    if (auto good = choose_tracks(); !good)
      return good;
    if (const auto* video = video_of(*out_.index))
      if (auto good = add_video(*video, speed, least_speed); !good)
        return good;
    for (const auto* each : audio_)
      add_audio(*each);
    if (out_.video.empty() && out_.audio.empty())
      return fail(errc::invalid_media, "it has neither video nor audio");
    for (const auto* each : subtitles_)
      if (each->kind == av_kind::text)
        add_text(*each);
    settle();
    return {};
  }

private:
  result<void> choose_tracks() {
    audio_ = tracks_of(*out_.index, {av_kind::audio});
    subtitles_ = tracks_of(*out_.index, {av_kind::text, av_kind::bitmap});
    if (wish_.audio && *wish_.audio >= audio_.size())
      return fail(errc::bad_params, "audio: there is no such track");
    if (wish_.audio)
      audio_ = {audio_[*wish_.audio]};
    if (!wish_.subtitle)
      return {};
    if (*wish_.subtitle >= subtitles_.size())
      return fail(errc::bad_params, "subtitle: there is no such track");
    subtitle_ = subtitles_[*wish_.subtitle];
    if (subtitle_->kind == av_kind::bitmap)
      return fail(errc::bad_params, "subtitle: pictures cannot be shown");
    return {};
  }

  std::shared_ptr<stream_line> line(std::string name, const av_track& of,
                                    av_what what) const {
    auto out = std::make_shared<stream_line>();
    out->name = std::move(name);
    out->kind = of.kind;
    out->what = what;
    out->track = of;
    out->source = out_.source;
    out->index = out_.index;
    return out;
  }

  std::string why_no_copy(const av_track& video) const {
    if (wish_.mode == stream_mode::transcode)
      return "an encoding was asked for";
    if (wish_.max_height > 0 && video.height > wish_.max_height)
      return "it is larger than was asked for";
    if (wish_.max_bitrate > 0 && copy_bandwidth(video) > wish_.max_bitrate)
      return "its bitrate is higher than was asked for";
    return why_no_video_copy(*out_.index, wish_.client);
  }

  std::uint64_t copy_bandwidth(const av_track& of) const {
    auto mean = static_cast<double>(of.bitrate);
    if (mean == 0 && of.kind == av_kind::video)
      mean = static_cast<double>(out_.index->bitrate);
    if (mean == 0 && out_.index->duration_s > 0)
      mean =
        static_cast<double>(out_.source->size) * 8 / out_.index->duration_s;
    return static_cast<std::uint64_t>(mean * copy_peak);
  }

  result<void> add_video(const av_track& video, const speed_guess& speed,
                         double least_speed) {
    out_.why_not_copied = why_no_copy(video);
    if (out_.why_not_copied.empty())
      add_copy(video);
    else if (wish_.mode == stream_mode::remux)
      return fail(errc::bad_params,
                  "mode: the video is not copied: " + out_.why_not_copied);
    if (wish_.mode != stream_mode::remux && wish_.mode != stream_mode::direct)
      add_ladder(video, speed, least_speed);
    return {};
  }

  void add_copy(const av_track& video) {
    auto copy = line("copy", video, av_what::copy_video);
    copy->codecs = video.codecs;
    copy->bandwidth = copy_bandwidth(video);
    copy->width = video.width;
    copy->height = video.height;
    copy->frame_rate = video.frame_rate;
    add(out_.video, std::move(copy));
  }

  void add_ladder(const av_track& video, const speed_guess& speed,
                  double least_speed) {
    const auto rungs = av_ladder(video, wish_.max_height, wish_.max_bitrate);
    for (const auto& rung : rungs) {
      const bool is_last = &rung == &rungs.back() && out_.video.empty();
      const bool smaller =
        out_.video.empty() || rung.maxrate < out_.video.front()->bandwidth;
      if (is_last || (smaller && speed(video, rung) >= least_speed))
        add_rung(video, rung);
    }
  }

  void add_rung(const av_track& video, const av_rung& rung) {
    auto it =
      line('v' + std::to_string(rung.height), video, av_what::encode_video);
    it->video = av_settings_of(video, rung);
    it->codecs = rung.codecs;
    it->bandwidth = rung.maxrate;
    it->width = rung.width;
    it->height = rung.height;
    it->frame_rate = rung.frame_rate;
    add(out_.video, std::move(it));
  }

  void add_audio(const av_track& audio) {
    const bool copied = wish_.mode != stream_mode::transcode
                        && why_no_audio_copy(audio, wish_.client).empty();
    const auto number = std::to_string(audio.number);
    auto it = copied ? line("ac" + number, audio, av_what::copy_audio)
                     : line('a' + number, audio, av_what::encode_audio);
    if (!copied)
      it->audio = av_settings_of(audio);
    it->codecs = copied ? audio.codecs : "mp4a.40.2";
    it->bandwidth =
      copied && audio.bitrate > 0 ? audio.bitrate : it->audio.bitrate;
    it->shown = audio.is_default;
    add(out_.audio, std::move(it));
  }

  void add_text(const av_track& text) {
    auto it = line('s' + std::to_string(text.number), text, av_what::subtitles);
    it->shown = subtitle_ ? subtitle_ == &text : text.is_default;
    add(out_.text, std::move(it));
  }

  static void add(std::vector<line_ptr>& to, std::shared_ptr<stream_line> it) {
    name_line(*it);
    if (it->segments() > 0)
      to.push_back(std::move(it));
  }

  /// One to begin with, and a duration that no segment exceeds.
  void settle() {
    if (!out_.audio.empty()
        && std::ranges::none_of(out_.audio,
                                [](const auto& it) { return it->shown; })) {
      auto first = std::make_shared<stream_line>(*out_.audio.front());
      first->shown = true;
      out_.audio.front() = std::move(first);
    }
    double longest = 1;
    for (const auto* lines : {&out_.video, &out_.audio, &out_.text})
      for (const auto& it : *lines)
        for (std::uint32_t n = 0; n < it->segments(); ++n)
          longest = std::max(longest, it->begin_s(n + 1) - it->begin_s(n));
    // RFC 8216, 4.3.3.1: durations are rounded to the nearest integer.
    out_.target_s = static_cast<std::uint32_t>(std::ceil(longest - 0.5));
    out_.mode = wish_.mode;
    if (wish_.mode == stream_mode::automatic)
      out_.mode = out_.why_not_copied.empty() ? stream_mode::remux
                                              : stream_mode::transcode;
    out_.start_s = wish_.start_s;
  }

  const stream_wish& wish_;
  stream_plan& out_;
  std::vector<const av_track*> audio_;
  std::vector<const av_track*> subtitles_;
  const av_track* subtitle_ = nullptr;
};

} // namespace

line_ptr stream_plan::find(std::string_view name) const {
  for (const auto* lines : {&video, &audio, &text})
    for (const auto& it : *lines)
      if (it->name == name)
        return it;
  return nullptr;
}

result<plan_ptr> make_plan(const stream_wish& wish, source_ptr source,
                           std::shared_ptr<const av_index> index,
                           const speed_guess& speed, double least_speed) {
  auto out = std::make_shared<stream_plan>();
  out->source = std::move(source);
  out->index = std::move(index);
  if (auto good = planner{wish, *out}.plan(speed, least_speed); !good)
    return good.error();
  return plan_ptr{std::move(out)};
}

double usual_speed(const av_track& video, const av_rung& rung) {
  constexpr double decoded_per_s = 460e6;
  constexpr double encoded_per_s = 155e6;
  const auto rate = video.frame_rate > 0 ? video.frame_rate : usual_frame_rate;
  const auto pixels = [rate](std::uint32_t width, std::uint32_t height) {
    return static_cast<double>(width) * height * rate;
  };
  const auto work = pixels(video.width, video.height) / decoded_per_s
                    + pixels(rung.width, rung.height) / encoded_per_s;
  return work > 0 ? 1 / work : 1;
}

} // namespace troupe::media
