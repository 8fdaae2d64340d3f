#include "actors/stream_registry.hpp"

#include "config/metrics.hpp"
#include "media/stream/service.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

namespace troupe::actors {

namespace {

/// How far a run may be from what is wanted: another one would not be there
/// earlier.
constexpr std::uint32_t reach = 3;
/// Makers that one piece of work may see die.
constexpr std::uint32_t most_makers = 3;
/// What is killed again and again is not made for so long.
constexpr auto rest = std::chrono::seconds{1};

bool is_encoded(const segment_work& work) {
  return work.line && work.line->is_encoded();
}

/// Who reads all of a film does not hold up who plays it.
media::cache_key subject_of(const segment_work& work) {
  if (is_encoded(work))
    return work.line->key;
  const auto& source = work.source->key;
  return work.scan ? media::key_of("scan " + media::to_hex(source)) : source;
}

failure is_killed() {
  return fail(media::errc::killed,
              "what makes it is killed from outside, again and again");
}

} // namespace

registry_state::~registry_state() {
  for (const auto& [number, it] : makers_)
    if (const auto alive = caf::actor_cast<caf::actor>(it.addr))
      caf::anon_send_exit(alive, caf::exit_reason::user_shutdown);
}

void registry_state::start(registry_options options) {
  options_ = std::move(options);
  self_->set_down_handler([this](const caf::down_msg& down) {
    const auto dead = std::ranges::find_if(makers_, [&](const auto& each) {
      return each.second.addr == down.source;
    });
    if (dead != makers_.end())
      lose(dead->first);
  });
  show();
}

// -- what is wanted -----------------------------------------------------------

void registry_state::want(segment_want& want) {
  const auto there = flights_.find(want.work.key);
  if (there != flights_.end()) {
    auto& it = there->second;
    it.deadline = std::min(it.deadline, want.deadline);
    it.priority = std::max(it.priority, want.priority);
    it.waiting.push_back(std::move(want.reply));
    return;
  }
  // Made between the look into the cache and now.
  if (auto here = recall(*options_.parts.streams, want.work))
    return want.reply(std::move(*here));
  if (refuse(want))
    return;
  auto& fresh = flights_[want.work.key];
  fresh.work = std::move(want.work);
  fresh.deadline = want.deadline;
  fresh.priority = want.priority;
  fresh.waiting.push_back(std::move(want.reply));
  dispatch(fresh);
}

bool registry_state::refuse(const segment_want& want) {
  if (rests(want.work)) {
    want.reply(is_killed());
    return true;
  }
  if (!is_encoded(want.work))
    return false;
  const auto encoded = std::ranges::count_if(
    flights_, [](const auto& each) { return is_encoded(each.second.work); });
  if (encoded < static_cast<std::ptrdiff_t>(options_.most_waiting))
    return false;
  want.reply(
    failure{{1, overload_category()}, "too many segments wait to be encoded"});
  return true;
}

bool registry_state::rests(const segment_work& work) const {
  const auto found = resting_.find(subject_of(work));
  return found != resting_.end() && self_->clock().now() < found->second;
}

void registry_state::dispatch(flight& it) {
  ++it.makers;
  if (is_encoded(it.work))
    encode(it);
  else
    read(it);
  show();
}

void registry_state::read(flight& it) {
  const auto subject = subject_of(it.work);
  auto reader = find_reader(subject);
  if (reader == makers_.end())
    reader = add_reader(subject);
  it.maker = reader->first;
  self_->send(reader->second.reader, maker_task{it.work, it.deadline});
}

void registry_state::encode(flight& it) {
  auto run = find_run(it.work);
  if (run == makers_.end())
    run = add_run(it.work);
  else
    self_->send(run->second.run,
                run_goal{goal_of(*it.work.line, it.work.number)});
  it.maker = run->first;
  run->second.priority = std::max(run->second.priority, it.priority);
  grant();
}

/// What is worked ahead of everybody who watches.
void registry_state::watch(const line_watch& watch) {
  const auto goal = goal_of(*watch.line, watch.number);
  for (auto& [number, it] : makers_)
    if (it.run && it.subject == watch.line->key && it.next >= watch.number
        && it.next <= goal) {
      it.priority = watch.priority;
      self_->send(it.run, run_goal{goal});
    }
}

std::uint32_t registry_state::goal_of(const media::stream_line& line,
                                      std::uint32_t from) const {
  return line.at(line.begin_s(from) + options_.ahead_s);
}

// -- makers -------------------------------------------------------------------

registry_state::makers::iterator
registry_state::find_reader(const media::cache_key& subject) {
  return std::ranges::find_if(makers_, [&](const auto& each) {
    return each.second.reader && each.second.subject == subject;
  });
}

/// The nearest run of the line that comes to it soon.
registry_state::makers::iterator
registry_state::find_run(const segment_work& work) {
  auto best = makers_.end();
  for (auto at = makers_.begin(); at != makers_.end(); ++at) {
    const auto& it = at->second;
    const bool fits = it.run && it.state != run_state::kind::ended
                      && it.subject == work.line->key && it.next <= work.number
                      && work.number - it.next <= reach;
    if (fits && (best == makers_.end() || it.next > best->second.next))
      best = at;
  }
  return best;
}

registry_state::makers::iterator
registry_state::add_reader(const media::cache_key& subject) {
  reader_options options;
  options.parts = options_.parts;
  options.registry = caf::actor_cast<registry_actor>(self_);
  options.number = ++number_;
  options.idle = options_.idle;
  auto& it = makers_[number_];
  it.reader = caf::actor_cast<reader_actor>(
    self_->spawn<caf::monitored>(reader, std::move(options)));
  it.addr = it.reader.address();
  it.subject = subject;
  return makers_.find(number_);
}

registry_state::makers::iterator
registry_state::add_run(const segment_work& work) {
  run_options options;
  options.parts = options_.parts;
  options.registry = caf::actor_cast<registry_actor>(self_);
  options.number = ++number_;
  options.line = work.line;
  options.first = work.number;
  options.goal = goal_of(*work.line, work.number);
  options.idle = options_.idle;
  auto& it = makers_[number_];
  it.subject = work.line->key;
  it.line = work.line;
  it.next = work.number;
  it.state = run_state::kind::paused; // until it says that it waits
  it.run = caf::actor_cast<run_actor>(
    self_->spawn<caf::monitored>(run, std::move(options)));
  it.addr = it.run.address();
  return makers_.find(number_);
}

void registry_state::hear(const run_state& state) {
  const auto at = makers_.find(state.run);
  if (at == makers_.end())
    return;
  if (state.what == run_state::kind::ended)
    return lose(state.run);
  at->second.state = state.what;
  at->second.next = state.next;
  grant();
}

/// It has ended, or died: what it had is another's now.
void registry_state::lose(std::uint64_t number) {
  makers_.erase(number);
  std::vector<media::cache_key> orphans;
  for (const auto& [key, it] : flights_)
    if (it.maker == number)
      orphans.push_back(key);
  for (const auto& key : orphans) {
    auto& it = flights_.at(key);
    if (auto here = recall(*options_.parts.streams, it.work))
      conclude(key, std::move(*here));
    else if (rests(it.work))
      conclude(key, is_killed());
    else if (it.makers >= most_makers)
      conclude(key, fail(media::errc::internal, "those who made it died"));
    else
      dispatch(it);
  }
  grant();
}

void registry_state::take(const maker_report& report) {
  const auto at = makers_.find(report.maker);
  const bool killed =
    !report.outcome && report.outcome.error().code == media::errc::killed;
  if (at != makers_.end() && killed)
    let_rest(at->second.subject);
  if (at != makers_.end() && at->second.run) {
    at->second.state = run_state::kind::paused; // until it says more
    at->second.next = report.number + 1;
  }
  conclude(report.key,
           killed ? result<made_segment>{is_killed()} : report.outcome);
  grant();
}

void registry_state::let_rest(const media::cache_key& subject) {
  const auto now = self_->clock().now();
  std::erase_if(resting_, [now](const auto& it) { return it.second <= now; });
  resting_[subject] = now + rest;
}

void registry_state::conclude(const media::cache_key& key,
                              const result<made_segment>& outcome) {
  const auto done = flights_.extract(key);
  if (done.empty())
    return;
  for (const auto& each : done.mapped().waiting)
    each(outcome);
}

// -- places to encode ---------------------------------------------------------

/// What somebody waits for by its deadline, then what is worked ahead by
/// priority.
registry_state::makers::iterator registry_state::most_urgent() {
  using order = std::tuple<bool, int, clock::time_point, std::uint64_t>;
  auto best = makers_.end();
  order least;
  for (auto at = makers_.begin(); at != makers_.end(); ++at) {
    const auto& it = at->second;
    if (!it.run || it.state != run_state::kind::waits)
      continue;
    // Of all that wait for this run, as it comes to one by the others.
    auto due = clock::time_point::max();
    int priority = it.priority;
    for (const auto& [key, wanted] : flights_)
      if (wanted.maker == at->first) {
        due = std::min(due, wanted.deadline);
        priority = std::max(priority, wanted.priority);
      }
    const order rank{due == clock::time_point::max(), -priority, due,
                     at->first};
    if (best == makers_.end() || rank < least) {
      best = at;
      least = rank;
    }
  }
  return best;
}

void registry_state::grant() {
  auto working = std::ranges::count_if(makers_, [](const auto& each) {
    return each.second.run && each.second.state == run_state::kind::working;
  });
  for (; working < static_cast<std::ptrdiff_t>(options_.encoders); ++working) {
    const auto next = most_urgent();
    if (next == makers_.end())
      break;
    next->second.state = run_state::kind::working;
    self_->send(next->second.run, run_go{});
  }
  show();
}

void registry_state::show() const {
  if (!options_.parts.metrics)
    return;
  std::array<std::uint64_t, 3> runs{};
  std::uint64_t readers = 0;
  for (const auto& [number, it] : makers_) {
    if (it.reader)
      ++readers;
    else if (it.state != run_state::kind::ended)
      ++runs[static_cast<std::size_t>(it.state)];
  }
  auto& metrics = *options_.parts.metrics;
  metrics.streams("runs_waiting", runs[0]);
  metrics.streams("runs_working", runs[1]);
  metrics.streams("runs_paused", runs[2]);
  metrics.streams("readers", readers);
  metrics.streams("segments_waited_for", flights_.size());
}

registry_actor::behavior_type registry(registry_state::self_ptr self,
                                       registry_options options) {
  auto& state = self->state;
  state.start(std::move(options));
  return {
    [&state](segment_want& x) { state.want(x); },
    [&state](const line_watch& x) { state.watch(x); },
    [&state](const run_state& x) { state.hear(x); },
    [&state](const maker_report& x) { state.take(x); },
  };
}

} // namespace troupe::actors
