#include "actors/stream_session.hpp"

#include "actors/stream_maker.hpp"
#include "config/log.hpp"
#include "config/metrics.hpp"
#include "media/stream/service.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace troupe::actors {

namespace {

using namespace std::chrono_literals;

/// A session that nobody has asked for so long is idle.
constexpr auto idle_after = 60s;
constexpr auto idle_look = 20s;
constexpr std::string_view job_scheme = "job:";

std::chrono::milliseconds from_s(double seconds) {
  return std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1000)};
}

} // namespace

// -- its beginning ------------------------------------------------------------

void session_state::start(session_options options) {
  options_ = std::move(options);
  phase_ = options_.recovered ? phase::recovering : phase::starting;
  place_s_ = options_.wish.start_s;
  used_ = self_->clock().now();
  saved_ = options_.recovered;
  saved_expiry_ = options_.record.expires_at;
  if (!options_.recovered)
    save();
  open_source();
  self_->delayed_send(self_, from_s(options_.parts.settings->start_timeout_s),
                      session_timer::start);
  self_->delayed_send(self_, idle_look, session_timer::look);
}

void session_state::open_source() {
  auto heard = [self = caf::actor_cast<session_impl>(self_)](
                 result<media::source_ptr> source) {
    caf::anon_send(self, session_opened{std::move(source)});
  };
  const auto& source = options_.wish.source;
  auto* streams = options_.parts.streams;
  if (!source.starts_with(job_scheme))
    return streams->open_source(source, {}, std::move(heard));
  options_.parts.result_of(
    source.substr(job_scheme.size()),
    [streams, source, heard = std::move(heard)](result<std::string> made) {
      if (!made)
        return heard(made.error());
      streams->open_source(source, std::move(*made), heard);
    });
}

void session_state::opened(session_opened& opened) {
  if (phase_ != phase::starting && phase_ != phase::recovering)
    return;
  if (!opened.source)
    return fail_with(opened.source.error());
  source_ = std::move(*opened.source);
  look_for_index(true);
}

/// First for the one that a scan has made, then for the other.
void session_state::look_for_index(bool scanned) {
  options_.parts.streams->look_up(
    index_key(*source_, scanned), [self = caf::actor_cast<session_impl>(self_),
                                   scanned](media::cached_ptr text) {
      caf::anon_send(self, session_indexed{scanned, std::move(text)});
    });
}

void session_state::make_index() {
  segment_want wanted;
  wanted.work.key = index_key(*source_, false);
  wanted.work.source = source_;
  wanted.deadline =
    self_->clock().now() + from_s(options_.parts.settings->start_timeout_s);
  wanted.priority = options_.wish.priority;
  wanted.reply =
    answer<made_segment>{[self = caf::actor_cast<session_impl>(self_)](
                           const result<made_segment>& made) {
      session_indexed told;
      if (made)
        told.text = made->media;
      else
        told.text = made.error();
      caf::anon_send(self, std::move(told));
    }};
  self_->send(options_.parts.registry, std::move(wanted));
}

/// For the next session: what is copied then needs an index.
void session_state::scan_later() {
  segment_want wanted;
  wanted.work.key = index_key(*source_, true);
  wanted.work.source = source_;
  wanted.work.scan = true;
  wanted.deadline = clock::time_point::max();
  self_->send(options_.parts.registry, std::move(wanted));
}

void session_state::indexed(session_indexed& indexed) {
  if (plan_ || (phase_ != phase::starting && phase_ != phase::recovering))
    return;
  if (!indexed.text)
    return fail_with(indexed.text.error());
  if (*indexed.text)
    return plan(*indexed.text);
  if (indexed.scanned)
    return look_for_index(false);
  make_index();
}

void session_state::plan(const media::cached_ptr& text) {
  auto read = media::read_av_index(text->bytes);
  if (!read)
    return fail_with(read.error());
  index_ = std::make_shared<media::av_index>(std::move(*read));
  if (!index_->indexed)
    scan_later();
  auto made =
    media::make_plan(options_.wish, source_, index_, media::usual_speed,
                     options_.parts.settings->least_speed);
  if (!made)
    return fail_with(made.error());
  plan_ = std::move(*made);
  phase_ = phase::active;
  promise();
  tell(options_.recovered ? job_event_type::stream_recovered
                          : job_event_type::stream_created,
       json());
  answer_opener();
  for (auto& each : std::exchange(early_, {}))
    serve(each);
  for (const auto& each : std::exchange(early_files_, {}))
    open_file(each);
  for (const auto& each : std::exchange(early_courses_, {}))
    plan_course(each);
  for (auto& each : std::exchange(early_calls_, {}))
    call(each);
}

void session_state::answer_opener() {
  if (!saved_ || !plan_)
    return;
  if (options_.parts.metrics)
    options_.parts.metrics->stream_asked(
      options_.recovered ? "recovered" : "opened",
      seconds_in(self_->clock().now() - used_));
  std::exchange(options_.reply, {})(view());
}

void session_state::fail_with(const failure& why) {
  log::info("a stream cannot be opened", {{"stream", options_.record.id},
                                          {"source", options_.wish.source},
                                          {"error", why.message()}});
  phase_ = phase::failed;
  // Whoever opened it knows; one that was taken up may come back.
  if (!options_.recovered && options_.parts.drop)
    options_.parts.drop(options_.record.id, [](const result<bool>&) {});
  leave(why);
}

/// What was on its way here when it ended is answered before it goes.
void session_state::leave(const failure& why) {
  why_ = why;
  refuse_early(why);
  if (options_.parts.release)
    options_.parts.release(options_.record.id);
  else
    self_->quit();
}

void session_state::refuse_early(const failure& why) {
  std::exchange(options_.reply, {})(why);
  for (const auto& each : std::exchange(early_, {}))
    each.reply(why);
  for (const auto& each : std::exchange(early_files_, {}))
    each.reply(why);
  for (const auto& each : std::exchange(early_courses_, {}))
    each.reply(why);
  for (const auto& each : std::exchange(early_calls_, {}))
    each.reply(why);
}

void session_state::save() {
  if (!options_.parts.put) {
    saved_ = true;
    return;
  }
  options_.record.wish = media::encode_wish(options_.wish);
  saved_expiry_ = options_.record.expires_at;
  options_.parts.put(options_.record, [self = caf::actor_cast<session_impl>(
                                         self_)](const result<bool>& done) {
    caf::anon_send(self, session_saved{done.has_value()});
  });
}

/// Where the store is away a stream lives as long as this server.
void session_state::saved(const session_saved& saved) {
  if (!saved.saved)
    log::warn("a stream is not kept", {{"stream", options_.record.id}});
  if (!std::exchange(saved_, true))
    answer_opener();
}

// -- its life -----------------------------------------------------------------

void session_state::touch() {
  if (why_)
    return; // its record is dropped, and stays so
  const auto now = self_->clock().now();
  used_ = now;
  if (phase_ == phase::idle) {
    phase_ = phase::active;
    promise();
  }
  const auto& settings = *options_.parts.settings;
  auto& record = options_.record;
  const auto last =
    record.created_at + static_cast<timestamp_ms>(settings.max_age_s * 1000);
  const auto idle_ms =
    static_cast<timestamp_ms>(settings.idle_timeout_s * 1000);
  record.expires_at = std::min(options_.parts.wall() + idle_ms, last);
  // Not at every segment: an eighth of its time may be lost with a server.
  if (plan_ && record.expires_at > saved_expiry_ + idle_ms / 8)
    save();
}

void session_state::tick(session_timer timer) {
  if (why_)
    return;
  if (timer == session_timer::start) {
    if (!plan_)
      fail_with(fail(errc::deadline, "the source's index took too long"));
    return;
  }
  if (options_.parts.wall() >= options_.record.expires_at)
    return close("expired");
  if (phase_ == phase::active && self_->clock().now() - used_ > idle_after) {
    phase_ = phase::idle;
    promise();
  }
  tell_health();
  self_->delayed_send(self_, idle_look, session_timer::look);
}

void session_state::call(stream_call& call) {
  if (why_)
    return call.reply(*why_);
  if (!plan_ && call.what != stream_call::kind::close) {
    early_calls_.push_back(std::move(call));
    return;
  }
  switch (call.what) {
  case stream_call::kind::show:
    return call.reply(view());
  case stream_call::kind::change:
    return change(call.change, call.reply);
  case stream_call::kind::close:
    close("closed");
    return call.reply(view());
  }
}

void session_state::change(const stream_change& what,
                           const answer<stream_view>& reply) {
  auto wish = options_.wish;
  wish.priority = what.priority.value_or(wish.priority);
  wish.max_height = what.max_height.value_or(wish.max_height);
  wish.max_bitrate = what.max_bitrate.value_or(wish.max_bitrate);
  auto made = media::make_plan(wish, source_, index_, media::usual_speed,
                               options_.parts.settings->least_speed);
  if (!made)
    return reply(made.error());
  options_.wish = std::move(wish);
  plan_ = std::move(*made);
  touch();
  save();
  promise();
  reply(view());
}

void session_state::close(std::string_view why) {
  phase_ = phase::closed;
  if (options_.parts.drop)
    options_.parts.drop(options_.record.id, [](const result<bool>&) {});
  log::debug("a stream ends",
             {{"stream", options_.record.id}, {"why", std::string{why}}});
  tell(job_event_type::stream_closed, json());
  leave(fail(store::errc::not_found, "the stream is closed"));
}

/// The most that its player may choose, while it plays.
void session_state::promise() {
  if (!options_.parts.promise)
    return;
  std::uint64_t most = 0;
  if (plan_ && phase_ == phase::active) {
    for (const auto& each : plan_->video)
      most = std::max(most, each->bandwidth);
    if (!plan_->audio.empty())
      most += plan_->audio.front()->bandwidth;
  }
  options_.parts.promise(options_.record.id, most);
}

void session_state::tell(job_event_type type, const std::string& data) {
  if (!options_.parts.tell)
    return;
  event_batch batch;
  const auto time = options_.parts.wall();
  for (const auto& topic :
       {"stream:" + options_.record.id, std::string{"streams"}})
    batch.subjects.push_back({type, time, topic, options_.record.id, data});
  options_.parts.tell(std::move(batch));
}

void session_state::tell_health() {
  const auto now = self_->clock().now();
  const auto state = health_.state(now);
  const auto data = [&] {
    return "{\"id\":\"" + options_.record.id
           + "\",\"health\":" + health_.json(now) + '}';
  };
  if (std::exchange(told_health_, state) != state)
    tell(job_event_type::stream_health, data());
  const auto changes = health_.quality_changes();
  if (std::exchange(told_changes_, changes) != changes)
    tell(job_event_type::stream_quality, data());
}

session_impl::behavior_type session(session_state::self_ptr self,
                                    session_options options) {
  auto& state = self->state;
  state.start(std::move(options));
  return {
    [&state](stream_fetch& x) { state.fetch(x); },
    [&state](stream_call& x) { state.call(x); },
    [&state](const stream_open_file& x) { state.open_file(x); },
    [&state](const stream_plan_course& x) { state.plan_course(x); },
    [&state](const stream_census& x) { state.count(x); },
    [self](stream_farewell) { self->quit(); },
    [&state](session_opened& x) { state.opened(x); },
    [&state](session_indexed& x) { state.indexed(x); },
    [&state](const session_saved& x) { state.saved(x); },
    [&state](const session_found& x) { state.found(x); },
    [&state](session_made& x) { state.made(x); },
    [&state](session_timer x) { state.tick(x); },
  };
}

} // namespace troupe::actors
