#include "actors/event_log.hpp"

#include "actors/event_json.hpp"
#include "actors/event_log_parts.hpp"
#include "actors/store/packing.hpp"
#include "actors/topic.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace troupe::actors {

namespace {

std::chrono::steady_clock::duration seconds(double s) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(
    std::chrono::duration<double>(s));
}

/// Without what is never shown, and often large.
std::string pack_shown(const store::job& job) {
  if (job.checkpoint.empty() && job.manifest.empty())
    return store::pack_job(job);
  auto shown = job;
  shown.checkpoint = {};
  shown.manifest = {};
  return store::pack_job(shown);
}

/// Nothing more happens to what its topic is about.
bool ends(const subject_event& event) {
  return event.type == job_event_type::batch_finished
         || (event.type == job_event_type::stream_closed
             && event.topic.starts_with("stream:"));
}

bool ends_owned_job(const store::job& job) {
  return !job.owner.empty() && store::is_terminal(job.state);
}

} // namespace

event_log::event_log(const config::event_settings& limits, std::string epoch)
  : limits_{limits}, epoch_{std::move(epoch)},
    interval_{limits.progress_per_s > 0 ? seconds(1 / limits.progress_per_s)
                                        : clock::duration::zero()} {}

event_log::~event_log() = default;

// -- what happens -------------------------------------------------------------

void event_log::add(const job_event& event, moment now) {
  const auto& job = *event.job;
  if (event.type != job_event_type::started)
    flush(job.id, now);
  std::array<topic*, 5> to{&job_topic(job.id), &open("jobs"),
                           &open(topic_kind::queue, job.queue)};
  if (!job.batch.empty())
    to[3] = &open(topic_kind::batch, job.batch);
  if (ends_owned_job(job))
    to[4] = &open(topic_kind::owner, job.owner);
  settle(*to[0], job, now);
  const auto at = bodies_.emplace(bodies_.end());
  at->type = event.type;
  at->time = event.time;
  at->id = job.id;
  if (any_listens(to)) {
    at->form = data_form::json;
    at->data = data_of(job);
  } else {
    at->form = data_form::packed_job;
    at->data = pack_shown(job);
  }
  append_to(at, to);
}

void event_log::add(subject_event event, moment now) {
  auto& of = open(event.topic);
  of.over = ends(event);
  if (of.over)
    linger(of, now);
  else
    revive(of);
  const auto at = bodies_.emplace(bodies_.end());
  at->type = event.type;
  at->time = event.time;
  at->id = std::move(event.id);
  at->form = data_form::json;
  at->data = std::move(event.data);
  append_to(at, {&of});
}

void event_log::settle(topic& of_job, const store::job& job, moment now) {
  of_job.claim = std::max(of_job.claim, job.fence.epoch);
  of_job.phase = job.state == store::job_state::running ? job_phase::running
                                                        : job_phase::idle;
  of_job.over = store::is_terminal(job.state);
  if (of_job.over)
    linger(of_job, now);
  else
    revive(of_job);
}

void event_log::report(progress_report report, moment now) {
  auto& of_job = job_topic(report.id);
  const bool over =
    report.epoch < of_job.claim
    || (report.epoch == of_job.claim && of_job.phase == job_phase::idle);
  if (over)
    return;
  revive(of_job);
  of_job.claim = report.epoch;
  of_job.phase = job_phase::running;
  const auto found = flows_.find(report.id);
  if (found != flows_.end()) {
    found->second.waiting = std::move(report.now);
    return;
  }
  emit_progress(report.id, report.queue, report.now, now);
  if (interval_ > clock::duration::zero()) {
    due_flows_.push_back({now.steady + interval_, report.id});
    flows_.emplace(std::move(report.id), flow{std::move(report.queue), {}});
  }
}

void event_log::emit_progress(const std::string& id, std::string_view queue,
                              const media::progress& now_at, moment now) {
  const std::array<topic*, 5> to{&job_topic(id), &open("jobs"),
                                 &open(topic_kind::queue, queue)};
  const auto at = bodies_.emplace(bodies_.end());
  at->type = job_event_type::progress;
  at->time = now.wall;
  at->id = id;
  if (any_listens(to)) {
    at->form = data_form::json;
    at->data = data_of(id, now_at);
  } else {
    at->form = data_form::packed_progress;
    at->data = store::pack_progress(now_at);
  }
  append_to(at, to);
}

void event_log::flush(const std::string& id, moment now) {
  const auto found = flows_.find(id);
  if (found == flows_.end() || !found->second.waiting)
    return;
  const auto last = std::exchange(found->second.waiting, std::nullopt);
  emit_progress(id, found->second.queue, *last, now);
}

void event_log::tick(moment now) {
  while (!due_flows_.empty() && due_flows_.front().at <= now.steady) {
    auto due = std::move(due_flows_.front());
    due_flows_.pop_front();
    const auto found = flows_.find(due.id);
    assert(found != flows_.end());
    if (!found->second.waiting) {
      flows_.erase(found);
      continue;
    }
    flush(due.id, now);
    due.at = now.steady + interval_;
    due_flows_.push_back(std::move(due));
  }
  while (!ended_.empty() && *ended_.front()->ends <= now.steady) {
    auto& due = *ended_.front();
    revive(due);
    forget(due);
  }
}

std::optional<event_log::clock::time_point> event_log::progress_due() const {
  if (due_flows_.empty())
    return std::nullopt;
  return due_flows_.front().at;
}

std::optional<event_log::clock::time_point> event_log::end_due() const {
  if (ended_.empty())
    return std::nullopt;
  return ended_.front()->ends;
}

// -- topics -------------------------------------------------------------------

event_log::topic* event_log::find(std::string_view name) {
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : &found->second;
}

event_log::topic& event_log::open(std::string_view name) {
  if (auto* known = find(name))
    return *known;
  const auto made = topics_.try_emplace(std::string{name}).first;
  auto& fresh = made->second;
  fresh.name = &made->first;
  fresh.of_job = name.starts_with("job:");
  fresh.base = ++counter_;
  bytes_ += fresh.footprint();
  return fresh;
}

event_log::topic& event_log::job_topic(std::string_view id) {
  return open(topic_kind::job, id);
}

event_log::topic& event_log::open(topic_kind kind, std::string_view subject) {
  write_topic(key_, kind, subject);
  return open(key_);
}

void event_log::drop(topic& gone) {
  revive(gone);
  bytes_ -= gone.footprint();
  topics_.erase(topics_.find(*gone.name));
}

void event_log::linger(topic& idle, moment now) {
  revive(idle);
  idle.ends = now.steady + seconds(limits_.log_linger_s);
  idle.in_ended = ended_.insert(ended_.end(), &idle);
}

void event_log::revive(topic& busy) {
  if (!busy.ends)
    return;
  ended_.erase(busy.in_ended);
  busy.ends.reset();
}

void event_log::forget(topic& due) {
  while (due.over && due.size() > 0)
    pop(due);
  if (due.size() == 0 && due.listeners == 0)
    drop(due);
}

void event_log::pop(topic& from) {
  const auto oldest = from.events[from.first];
  ++from.first;
  ++from.base;
  bytes_ -= entry_bytes;
  if (from.first > 32 && from.first > from.size()) {
    from.events.erase(from.events.begin(),
                      from.events.begin()
                        + static_cast<std::ptrdiff_t>(from.first));
    from.first = 0;
  }
  std::ranges::replace(oldest->topics, &from, static_cast<topic*>(nullptr));
  const auto unheld = [](const topic* holder) {
    return holder == nullptr;
  };
  if (std::ranges::all_of(oldest->topics, unheld)) {
    bytes_ -= oldest->bytes;
    bodies_.erase(oldest);
  }
}

void event_log::trim(topic& grown) {
  // How nodes are tells nobody anything an hour later.
  const auto limit = grown.of_job || *grown.name == "nodes" ? limits_.job_log
                                                            : limits_.topic_log;
  while (grown.size() > std::max(limit, 1u))
    pop(grown);
}

void event_log::evict() {
  while (bytes_ > limits_.log_bytes && !bodies_.empty()) {
    const auto holders = bodies_.front().topics;
    for (auto* holder : holders) {
      if (holder == nullptr)
        continue;
      pop(*holder);
      if (holder->size() == 0 && holder->listeners == 0)
        drop(*holder);
    }
  }
  while (bytes_ > limits_.log_bytes && !ended_.empty()) {
    auto& oldest = *ended_.front();
    revive(oldest);
    forget(oldest);
  }
}

// -- numbering and telling ----------------------------------------------------

bool event_log::any_listens(const std::array<topic*, 5>& some) {
  return std::ranges::any_of(
    some, [](const topic* it) { return it != nullptr && it->listeners > 0; });
}

void event_log::append_to(body_list::iterator event,
                          const std::array<topic*, 5>& some) {
  ++counter_;
  event->data.shrink_to_fit();
  event->topics = some;
  charge(*event);
  for (auto* to : some)
    if (to != nullptr)
      append(event, *to);
  evict();
}

void event_log::append(body_list::iterator event, topic& to) {
  to.events.push_back(event);
  bytes_ += entry_bytes;
  counter_ = std::max(counter_, to.head());
  trim(to);
  if (to.listeners == 0)
    return;
  if (to.fresh == topic::no_fresh) {
    to.fresh = fresh_.size();
    fresh_.push_back({&to, {}});
  }
  fresh_[to.fresh].frames.push_back(frame_of(to, to.head(), *event));
}

} // namespace troupe::actors
