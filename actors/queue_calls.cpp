#include "actors/queue.hpp"

#include "actors/queue_ops.hpp"
#include "actors/store/batch_json.hpp"
#include "actors/store/job_log.hpp"
#include "actors/topic.hpp"
#include "config/log.hpp"
#include "config/metrics.hpp"

#include <algorithm>
#include <utility>

/// What the queue does beside single jobs: batches, many jobs at once,
/// schedules, callbacks, logs, and what they lead to.
namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

constexpr auto stats_every = 1000ms;
/// Batches whose end was told; more are forgotten.
constexpr std::size_t max_told = 10000;

/// The event of a job that was changed by none of our own operations.
std::optional<job_event_type> event_of_change(const store::job& job) {
  if (job.revision == 1)
    return job_event_type::created;
  return event_of_state(job.state, job_event_type::queued);
}

} // namespace

// -- calls of the store -------------------------------------------------------

void queue_state::call(store_call& request) {
  if (auto why = request.run(away_ ? nullptr : store_.get()))
    heed(*why);
}

void queue_state::change(change_call& request) {
  if (no_store(request.reply))
    return;
  group_.add(std::move(request));
  arm_flush();
}

/// Why so many jobs are not taken now, if so.
std::optional<failure> queue_state::overload_of(const std::string& queue,
                                                std::uint64_t jobs,
                                                bool urgent) {
  if (overload_.wants_look(now()) && store_ && !away_) {
    auto depths = store_->depths();
    if (heard(depths))
      overload_.look(*depths, now());
  }
  const auto wait_s = overload_.refuse(queue, jobs, now(), urgent);
  if (wait_s == 0)
    return std::nullopt;
  if (options_.metrics)
    options_.metrics->submits_refused(queue, jobs);
  return failure{{static_cast<int>(wait_s), overload_category()}, queue};
}

void queue_state::submit_batch(batch_call& request) {
  if (draining_)
    return request.reply(fail(errc::draining));
  if (no_store(request.reply))
    return;
  std::map<std::string, std::uint64_t> jobs;
  for (const auto& job : request.jobs)
    ++jobs[job.queue];
  for (const auto& [queue, count] : jobs)
    if (auto why = overload_of(queue, count))
      return request.reply(std::move(*why));
  auto done = store_->submit_batch(request.draft, request.jobs, request.key);
  if (heard(done) && !done->replayed)
    follow_soon();
  request.reply(std::move(done));
}

void queue_state::show_batch(batch_request& request) {
  if (no_store(request.reply))
    return;
  auto found = store_->get_batch(request.id);
  heard(found);
  request.reply(std::move(found));
}

void queue_state::bulk(bulk_call& request) {
  if (no_store(request.reply))
    return;
  auto done = store_->bulk(request.request);
  if (!heard(done))
    return request.reply(done.error());
  if (request.request.action != store::bulk_action::purge)
    take_changed(done->changed, store_now());
  else
    for (const auto& job : done->changed)
      note_purge(job.id);
  if (done->follow)
    follow_soon();
  done->changed.clear();
  request.reply(std::move(done));
  claim_all();
}

// -- what follows -------------------------------------------------------------

void queue_state::follow_soon() {
  if (!std::exchange(follow_armed_, true))
    arm(queue_tick::follow, {});
}

void queue_state::follow() {
  follow_armed_ = false;
  if (away_ || !store_)
    return;
  store::sweep_request request;
  request.node = options_.node;
  request.nonce = random_() | 1;
  request.lease_ms = options_.lease_ms;
  auto done = store_->follow(request);
  if (!heard(done))
    return;
  take_changed(done->changed, done->now);
  take_batches(done->batches, done->now);
  if (done->more)
    follow_soon();
  claim_all();
}

/// Jobs that were changed, or made, by what others led to.
void queue_state::take_changed(std::vector<store::job>& changed,
                               timestamp_ms time) {
  event_batch events;
  events.events.reserve(changed.size());
  for (auto& it : changed) {
    const job_ref job{std::move(it)};
    note_change(*job);
    if (job->revision == 1 && options_.metrics)
      options_.metrics->job_submitted(job->type);
    if (const auto type = event_of_change(*job))
      events.events.push_back({*type, time, job});
  }
  changed.clear();
  emit(std::move(events));
}

/// What a job's new state asks for.
void queue_state::note_change(const store::job& job) {
  using store::job_state;
  touched_.insert(job.queue);
  if (job.state == job_state::queued)
    pools_[job.queue].wake(job);
  else if (job.state == job_state::scheduled)
    sweep_at(job.run_at);
  else if (job.state == job_state::cancelling)
    revoke(job.id, media::errc::cancelled);
  else if (job.pausing)
    revoke(job.id, media::errc::interrupted, true);
  if (!store::is_terminal(job.state))
    return;
  if (!job.callback_url.empty())
    wake_callbacks();
}

void queue_state::take_batches(const std::vector<store::batch>& batches,
                               timestamp_ms time) {
  event_batch events;
  for (const auto& it : batches) {
    const bool finished = it.finished_at > 0;
    if (finished && !told_batches_.insert(it.id).second)
      continue;
    events.subjects.push_back({finished ? job_event_type::batch_finished
                                        : job_event_type::batch_progress,
                               time, topic_of(topic_kind::batch, it.id), it.id,
                               store::to_json(it, time)});
    if (finished && !it.callback_url.empty())
      wake_callbacks();
  }
  if (told_batches_.size() > max_told)
    told_batches_.clear();
  emit(std::move(events));
}

// -- callbacks ----------------------------------------------------------------

void queue_state::wake_callbacks() {
  if (callbacks_ && !std::exchange(callbacks_told_, true))
    self_->send(callbacks_, callbacks_due{});
}

callback_batch queue_state::take_callbacks_due(const take_callbacks& wish) {
  callbacks_told_ = false;
  callback_batch out;
  if (away_ || !store_)
    return out;
  auto due = store_->take_callbacks(wish.max);
  if (heard(due))
    out.due = std::move(*due);
  return out;
}

/// One that cannot be settled is due again when its token has run out.
void queue_state::settle_callback(const store::callback_settlement& done) {
  if (away_ || !store_)
    return;
  const answer<store::applied> nobody{[](const auto&) {
  }};
  group_.add(change_call{store::settle_callback_op{done}, nobody});
  arm_flush();
}

// -- logs ---------------------------------------------------------------------

void queue_state::show_log(log_call& request) {
  if (no_store(request.reply))
    return;
  auto job = store_->get(request.id);
  auto stored = job ? store_->log_of(request.id) : job.error();
  if (!heard(stored))
    return request.reply(stored.error());
  log_reply out;
  out.ended = store::is_terminal(job->state);
  out.text = store::shown_log(std::move(*job), std::move(*stored));
  request.reply(std::move(out));
}

// -- figures ------------------------------------------------------------------

result<std::vector<store::queue_info>> queue_state::read_queues() {
  auto found = store_->queues();
  if (!found)
    return found;
  for (auto& it : *found)
    it.throughput_per_s = ended_[it.queue].per_s(now());
  return found;
}

void queue_state::queues(queues_request& request) {
  if (no_store(request.reply))
    return;
  auto found = read_queues();
  heard(found);
  request.reply(std::move(found));
}

/// `queue.stats` of the queues that something happened to.
void queue_state::tell_stats() {
  arm(queue_tick::stats, stats_every);
  if (away_ || !store_ || touched_.empty())
    return;
  auto found = read_queues();
  if (!heard(found))
    return;
  event_batch events;
  for (const auto& it : *found) {
    if (!touched_.contains(it.queue))
      continue;
    std::string data;
    store::append_json(data, it);
    events.subjects.push_back({job_event_type::queue_stats, store_now(),
                               topic_of(topic_kind::queue, it.queue), it.queue,
                               std::move(data)});
  }
  touched_.clear();
  emit(std::move(events));
}

} // namespace troupe::actors
