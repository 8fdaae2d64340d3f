#include "actors/stream_session.hpp"

#include "config/metrics.hpp"
#include "media/stream/playlist.hpp"
#include "media/stream/service.hpp"
#include "media/stream/webvtt.hpp"

#include <caf/send.hpp>

#include <utility>

/// Files of a stream: looked for, made, given.
namespace troupe::actors {

namespace {

failure no_such_file() {
  return fail(store::errc::not_found, "the stream has no such file");
}

} // namespace

void session_state::fetch(stream_fetch& fetch) {
  touch();
  if (!fetch.ask.cmcd.empty())
    health_.say(fetch.ask.cmcd);
  if (why_)
    return fetch.reply(*why_);
  if (plan_)
    return serve(fetch);
  if (early_.size() == most_early)
    return fetch.reply(failure{{1, overload_category()}, "it is starting"});
  early_.push_back(std::move(fetch));
}

void session_state::serve(stream_fetch& fetch) {
  if (fetch.ask.what == stream_file::master) {
    if (plan_->mode == media::stream_mode::direct)
      return fetch.reply(no_such_file());
    return fetch.reply(
      stream_file_reply{{}, media::master_playlist(*plan_), false, party()});
  }
  auto flight = flight_of(fetch);
  if (!flight)
    return fetch.reply(flight.error());
  const auto& it = **flight;
  if (it.ask.what == stream_file::playlist)
    return it.reply(stream_file_reply{
      {}, media::media_playlist(*plan_, *it.line), false, party()});
  if (it.ask.what == stream_file::segment)
    follow(it);
  const auto key =
    it.ask.what == stream_file::init ? it.line->init_key() : work_of(it).key;
  if (auto here = options_.parts.streams->recall(key))
    return give(*flight, here, {});
  options_.parts.streams->look_up(
    key, [self = caf::actor_cast<session_impl>(self_),
          flight = std::move(*flight)](media::cached_ptr bytes) {
      caf::anon_send(self, session_found{flight, std::move(bytes)});
    });
}

stream_party session_state::party() const {
  return {options_.record.owner, options_.wish.priority};
}

result<flight_ptr> session_state::flight_of(stream_fetch& fetch) {
  auto out = std::make_shared<session_flight>();
  out->ask = std::move(fetch.ask);
  out->line = plan_->find(out->ask.rendition);
  out->began = self_->clock().now();
  if (!out->line)
    return no_such_file();
  const bool is_text = out->line->kind == media::av_kind::text;
  out->number = out->ask.number;
  if (out->ask.what == stream_file::init) {
    if (is_text)
      return no_such_file();
    out->number = place_in(*out->line);
  }
  if (out->number >= out->line->segments())
    return no_such_file();
  out->reply = std::move(fetch.reply);
  return flight_ptr{std::move(out)};
}

/// The segment that a player asks for next, who asks for the init now: making
/// it gives both.
std::uint32_t session_state::place_in(const media::stream_line& line) const {
  return line.at(place_s_);
}

/// Subtitles are made as a whole and cut when they are given.
segment_work session_state::work_of(const session_flight& flight) const {
  const auto number =
    flight.line->kind == media::av_kind::text ? 0 : flight.number;
  return {flight.line->segment_key(number), source_, flight.line, number};
}

void session_state::follow(const session_flight& flight) {
  const auto& line = *flight.line;
  if (line.kind == media::av_kind::video || plan_->video.empty())
    place_s_ = line.begin_s(flight.number);
  if (line.is_encoded())
    self_->send(options_.parts.registry,
                line_watch{flight.line, flight.number, options_.wish.priority});
}

void session_state::found(const session_found& found) {
  if (found.bytes)
    return give(found.flight, found.bytes, {});
  want(found.flight);
}

void session_state::want(const flight_ptr& flight) {
  segment_want wanted;
  wanted.work = work_of(*flight);
  wanted.deadline = flight->began
                    + std::chrono::milliseconds{static_cast<std::int64_t>(
                      options_.parts.settings->segment_timeout_s * 1000)};
  wanted.priority = options_.wish.priority;
  wanted.reply =
    answer<made_segment>{[self = caf::actor_cast<session_impl>(self_),
                          flight](const result<made_segment>& made) {
      caf::anon_send(self, session_made{flight, made});
    }};
  self_->send(options_.parts.registry, std::move(wanted));
}

void session_state::made(session_made& made) {
  const auto& flight = *made.flight;
  if (made.outcome) {
    const bool is_init = flight.ask.what == stream_file::init;
    return give(made.flight, is_init ? made.outcome->init : made.outcome->media,
                *made.outcome);
  }
  segment_note what;
  what.line = flight.line->name;
  what.failed = true;
  health_.note(what, self_->clock().now());
  tell_health();
  if (options_.parts.metrics)
    options_.parts.metrics->segment_answered(
      media::class_of(*flight.line), "failed",
      seconds_in(self_->clock().now() - flight.began));
  flight.reply(made.outcome.error());
}

void session_state::give(const flight_ptr& flight,
                         const media::cached_ptr& bytes,
                         const made_segment& how) {
  const auto& [ask, line, number, began, reply] = *flight;
  const auto now = self_->clock().now();
  stream_file_reply out;
  out.bytes = bytes;
  out.made = how.fresh;
  out.party = party();
  if (line->kind == media::av_kind::text) {
    out.text = media::cut_webvtt(bytes->bytes, line->begin_s(number),
                                 line->begin_s(number + 1));
    out.bytes = nullptr;
  }
  if (ask.what == stream_file::segment) {
    const bool leads =
      line->kind == media::av_kind::video || plan_->video.empty();
    health_.note({leads, line->name, line->begin_s(number),
                  line->begin_s(number + 1), seconds_in(now - began), how.speed,
                  bytes->bytes.size(), how.tries, false},
                 now);
    tell_health();
  }
  if (options_.parts.metrics)
    options_.parts.metrics->segment_answered(media::class_of(*line),
                                             how.fresh ? "made" : "hit",
                                             seconds_in(now - began));
  reply(std::move(out));
}

void session_state::open_file(const stream_open_file& request) {
  touch();
  if (why_)
    return request.reply(*why_);
  if (!plan_) {
    early_files_.push_back(request);
    return;
  }
  if (!source_->file)
    return request.reply(no_such_file());
  stream_direct out;
  out.file = {source_, &source_->file};
  out.size = source_->size;
  out.etag = '"' + media::to_hex(source_->key) + '"';
  out.type = media::media_type_of(index_->container, !plan_->video.empty());
  out.party = party();
  request.reply(std::move(out));
}

/// Audio goes before the video that it belongs to, at most a segment ahead.
void session_state::plan_course(const stream_plan_course& request) {
  touch();
  if (why_)
    return request.reply(*why_);
  if (!plan_) {
    early_courses_.push_back(request);
    return;
  }
  place_s_ = request.start_s;
  stream_course out;
  const auto* video = plan_->video.empty() ? nullptr : plan_->video[0].get();
  const media::stream_line* audio = nullptr;
  for (const auto& each : plan_->audio)
    if (!audio || each->shown)
      audio = each.get();
  auto next_audio = audio ? audio->at(request.start_s) : 0;
  auto next_video = video ? video->at(request.start_s) : 0;
  const auto audio_ends = audio ? audio->segments() : 0;
  const auto video_ends = video ? video->segments() : 0;
  if (video)
    next_audio = audio ? audio->at(video->begin_s(next_video)) : 0;
  while (next_audio < audio_ends || next_video < video_ends) {
    const bool is_audio =
      next_video == video_ends
      || (next_audio < audio_ends
          && audio->begin_s(next_audio) <= video->begin_s(next_video));
    out.steps.push_back({is_audio, is_audio ? next_audio++ : next_video++});
  }
  out.video = video ? video->name : "";
  out.audio = audio ? audio->name : "";
  out.party = party();
  request.reply(std::move(out));
}

} // namespace troupe::actors
