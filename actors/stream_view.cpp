#include "actors/store/json_text.hpp"
#include "actors/stream_session.hpp"
#include "config/credentials.hpp"
#include "media/stream/service.hpp"

#include <array>

/// What a stream looks like from outside.
namespace troupe::actors {

namespace {

void member(std::string& out, std::string_view name, std::string_view text) {
  out.append(",\"").append(name).append("\":");
  json::append_optional(out, text);
}

template <class T>
void number(std::string& out, std::string_view name, T value) {
  out.append(",\"").append(name).append("\":");
  if (value == T{})
    out += "null";
  else
    json::append_number(out, value);
}

void flag(std::string& out, std::string_view name, bool value) {
  out.append(",\"").append(name).append(value ? "\":true" : "\":false");
}

void append(std::string& out, const media::stream_line& line) {
  constexpr std::array<std::string_view, 4> kinds{"video", "audio", "text",
                                                  "bitmap"};
  out += out.back() == '[' ? "{\"name\":" : ",{\"name\":";
  json::append_string(out, line.name);
  member(out, "kind", kinds[static_cast<std::size_t>(line.kind)]);
  flag(out, "copied", !line.is_encoded());
  member(out, "codecs", line.codecs);
  number(out, "bandwidth", line.bandwidth);
  if (line.kind == media::av_kind::video) {
    number(out, "width", line.width);
    number(out, "height", line.height);
    number(out, "frame_rate", line.frame_rate);
  } else {
    member(out, "language", line.track.language);
    member(out, "title", line.track.title);
    flag(out, "default", line.shown);
    flag(out, "forced", line.track.forced);
  }
  out += ",\"segments\":";
  json::append_number(out, line.segments());
  out += '}';
}

void append_chapters(std::string& out,
                     const std::vector<media::av_chapter>& chapters) {
  out += ",\"chapters\":[";
  for (const auto& each : chapters) {
    out += out.back() == '[' ? "{\"start_s\":" : ",{\"start_s\":";
    json::append_number(out, each.start_s);
    out += ",\"end_s\":";
    json::append_number(out, each.end_s);
    member(out, "title", each.title);
    out += '}';
  }
  out += ']';
}

} // namespace

std::string_view session_state::phase_name() const noexcept {
  constexpr std::array<std::string_view, 6> words{
    "starting", "recovering", "active", "idle", "closed", "failed"};
  return words[static_cast<std::size_t>(phase_)];
}

std::string session_state::json() const {
  const auto& record = options_.record;
  const auto& wish = options_.wish;
  const auto base =
    "/s/" + record.id + '.' + options_.parts.streams->signer().sign(record.id);
  const bool is_direct = wish.mode == media::stream_mode::direct;
  std::string out = "{\"id\":";
  json::append_string(out, record.id);
  member(out, "state", phase_name());
  member(out, "mode", media::to_string(plan_ ? plan_->mode : wish.mode));
  member(out, "source", config::hide_credentials(wish.source));
  out += ",\"duration_s\":";
  json::append_number(out, index_ ? index_->duration_s : 0);
  out += ",\"renditions\":[";
  if (plan_ && !is_direct)
    for (const auto* lines : {&plan_->video, &plan_->audio, &plan_->text})
      for (const auto& each : *lines)
        append(out, *each);
  out += ']';
  append_chapters(out,
                  index_ ? index_->chapters : std::vector<media::av_chapter>{});
  member(out, "why_not_copied", plan_ ? plan_->why_not_copied : "");
  member(out, "hls_url", is_direct ? "" : base + "/master.m3u8");
  member(out, "progressive_url", is_direct ? "" : base + "/progressive.mp4");
  member(out, "direct_url", base + "/direct");
  out += ",\"start_s\":";
  json::append_number(out, wish.start_s);
  out += ",\"priority\":";
  json::append_number(out, wish.priority);
  number(out, "max_height", wish.max_height);
  number(out, "max_bitrate", wish.max_bitrate);
  member(out, "owner", record.owner);
  out += ",\"created_at\":";
  json::append_time(out, record.created_at);
  out += ",\"expires_at\":";
  json::append_time(out, record.expires_at);
  out += ",\"health\":" + health_.json(self_->clock().now());
  return out + '}';
}

stream_view session_state::view() const {
  stream_view out;
  out.id = options_.record.id;
  out.owner = options_.record.owner;
  out.json = json();
  out.health = health_.json(self_->clock().now());
  return out;
}

void session_state::count(const stream_census& census) {
  census.to->add(view());
}

} // namespace troupe::actors
