#include "actors/stream_health.hpp"

#include "actors/store/json_text.hpp"

#include <array>
#include <cmath>

namespace troupe::actors {

namespace {

using namespace std::chrono_literals;

/// What happened so long ago counts no more.
constexpr auto memory = 60s;
/// Segments that a player skips without having sought: audio borders, the end.
constexpr double gap_s = 1;
/// Of what a player says that is kept.
constexpr std::size_t most_cmcd = 512;

void approach(double& mean, double value, bool first) {
  mean = first ? value : mean + (value - mean) / 8;
}

void member(std::string& out, std::string_view name, double value) {
  out.append(",\"").append(name).append("\":");
  json::append_number(out, std::round(value * 1000) / 1000);
}

void member(std::string& out, std::string_view name, std::uint32_t value) {
  out.append(",\"").append(name).append("\":");
  json::append_number(out, value);
}

} // namespace

std::string_view to_string(health_state state) noexcept {
  constexpr std::array<std::string_view, 3> words{"good", "degraded",
                                                  "failing"};
  return words[static_cast<std::size_t>(state)];
}

void stream_health::note(const segment_note& what, clock::time_point now) {
  forget(now);
  if (what.failed) {
    failed_.push_back(now);
    return;
  }
  bytes_ += what.bytes;
  restarts_ += what.tries;
  if (!what.video)
    return;
  follow(what, now);
  const bool first = segments_++ == 0;
  approach(wait_s_, what.wait_s, first);
  const auto length = what.end_s - what.begin_s;
  if (length > 0)
    approach(bitrate_, static_cast<double>(what.bytes) * 8 / length, first);
  if (what.speed > 0)
    approach(speed_, what.speed, speed_ == 0);
  if (!line_.empty() && line_ != what.line)
    ++quality_changes_;
  line_ = what.line;
}

void stream_health::follow(const segment_note& what, clock::time_point now) {
  if (!startup_s_)
    startup_s_ = seconds_in(now - opened_);
  const bool follows = began_ && what.begin_s >= began_at_s_ - gap_s
                       && what.begin_s <= end_s_ + gap_s;
  if (!follows) {
    seeks_ += began_.has_value();
    began_ = now;
    began_at_s_ = what.begin_s;
    end_s_ = what.end_s;
    return;
  }
  if (*lead_s(now) < 0) {
    ++stalls_;
    stalled_.push_back(now);
    // It stood still at the end of what it had.
    began_ = now;
    began_at_s_ = what.begin_s;
  }
  end_s_ = std::max(end_s_, what.end_s);
}

void stream_health::say(std::string_view cmcd) {
  cmcd_ = cmcd.substr(0, most_cmcd);
}

void stream_health::forget(clock::time_point now) {
  for (auto* times : {&stalled_, &failed_})
    while (!times->empty() && times->front() < now - memory)
      times->pop_front();
}

std::optional<double> stream_health::lead_s(clock::time_point now) const {
  if (!began_)
    return std::nullopt;
  return end_s_ - began_at_s_ - seconds_in(now - *began_);
}

std::vector<std::string> stream_health::reasons(clock::time_point now) const {
  std::vector<std::string> out;
  const auto lately = [now](const std::deque<clock::time_point>& times) {
    return !times.empty() && times.back() >= now - memory;
  };
  if (lately(failed_))
    out.emplace_back("segments could not be made");
  if (lately(stalled_))
    out.emplace_back("the player has run dry");
  if (speed_ > 0 && speed_ < 1)
    out.emplace_back("segments are made more slowly than they play");
  return out;
}

health_state stream_health::state(clock::time_point now) const {
  if (!failed_.empty() && failed_.back() >= now - memory)
    return health_state::failing;
  return reasons(now).empty() ? health_state::good : health_state::degraded;
}

std::string stream_health::json(clock::time_point now) const {
  std::string out = "{\"state\":";
  json::append_string(out, to_string(state(now)));
  out += ",\"reasons\":[";
  for (const auto& each : reasons(now)) {
    out += out.back() == '[' ? "" : ",";
    json::append_string(out, each);
  }
  out += ']';
  if (startup_s_)
    member(out, "startup_s", *startup_s_);
  if (const auto lead = lead_s(now))
    member(out, "buffer_s", *lead);
  member(out, "wait_s", wait_s_);
  if (speed_ > 0)
    member(out, "encode_speed", speed_);
  member(out, "bitrate", bitrate_);
  out += ",\"bytes\":";
  json::append_number(out, bytes_);
  out += ",\"rendition\":";
  json::append_optional(out, line_);
  member(out, "segments", segments_);
  member(out, "stalls", stalls_);
  member(out, "seeks", seeks_);
  member(out, "restarts", restarts_);
  member(out, "quality_changes", quality_changes_);
  out += ",\"cmcd\":";
  json::append_optional(out, cmcd_);
  return out + '}';
}

} // namespace troupe::actors
