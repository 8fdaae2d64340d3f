#include "actors/job_log.hpp"
#include "actors/queue.hpp"
#include "actors/queue_ops.hpp"
#include "config/fault_points.hpp"
#include "config/metrics.hpp"

#include <algorithm>
#include <utility>

/// What waits for one write, that write, and what comes of it.
namespace troupe::actors {

namespace {

bool fell_short(const store::operation& op, bool changed,
                const store::job& job) {
  const auto& submit = std::get<store::submit_op>(op);
  return submit.strict && changed && submit.asked != store::durability::local
         && job.reached < submit.asked;
}

/// Where a test may end the process: before a write, or behind it.
void pass_fault_points(const std::vector<store::operation>& ops, bool stored) {
  for (const auto& op : ops) {
    if (std::holds_alternative<store::submit_op>(op))
      stored ? TROUPE_FAULT_POINT(submit_stored)
             : TROUPE_FAULT_POINT(submit_before);
    else if (std::holds_alternative<store::checkpoint_op>(op))
      stored ? TROUPE_FAULT_POINT(checkpoint_stored)
             : TROUPE_FAULT_POINT(checkpoint_before);
    else if (std::holds_alternative<store::commit_op>(op))
      stored ? TROUPE_FAULT_POINT(commit_stored)
             : TROUPE_FAULT_POINT(commit_before);
    else if (std::holds_alternative<store::succeed_op>(op))
      stored ? TROUPE_FAULT_POINT(done_stored)
             : TROUPE_FAULT_POINT(done_before);
    else if (std::holds_alternative<store::fail_op>(op))
      stored ? TROUPE_FAULT_POINT(failed_stored)
             : TROUPE_FAULT_POINT(failed_before);
    else if (std::holds_alternative<store::cancel_op>(op) && stored)
      TROUPE_FAULT_POINT(cancel_stored);
  }
}

/// What it would have done to a job; empty for what no client asks for.
std::string_view wish_word(const store::operation& op) {
  if (std::holds_alternative<store::cancel_op>(op))
    return "cancelled";
  if (std::holds_alternative<store::retry_op>(op))
    return "retried";
  if (std::holds_alternative<store::pause_op>(op))
    return "paused";
  if (std::holds_alternative<store::resume_op>(op))
    return "resumed";
  return std::holds_alternative<store::purge_op>(op) ? "purged" : "";
}

failure refusal(const store::operation& op, store::errc why,
                const store::job& job) {
  const auto word = wish_word(op);
  if (why != store::errc::invalid_state || job.id.empty() || word.empty())
    return fail(why);
  return fail(why, "the job is " + std::string{store::to_string(job.state)}
                     + " and cannot be " + std::string{word});
}

std::string_view outcome_word(const store::operation& op,
                              const store::job& job) {
  if (store::is_terminal(job.state))
    return store::to_string(job.state);
  if (const auto* it = std::get_if<store::release_op>(&op))
    return it->reason == store::release_reason::node_lost ? "lost" : "released";
  return "retrying";
}

} // namespace

/// An attempt's last progress is stored before its outcome, so that an ended
/// job shows how far it came.
std::vector<store::operation>
queue_state::last_progress(const std::vector<store::operation>& outcomes) {
  std::vector<store::operation> ops;
  for (const auto& op : outcomes)
    if (const auto* fence = outcome_fence(op))
      if (auto last = leases_.take_unsaved(id_of(op), *fence))
        ops.push_back(std::move(*last));
  return ops;
}

commit_group::settle_promise queue_state::settle(settle_request& request) {
  auto promise = self_->make_response_promise<settle_reply>();
  if (auto last = last_progress(request.ops); !last.empty())
    group_.add(std::move(last), {}, {});
  group_.add(std::move(request.ops), std::move(request.freed), promise);
  arm_flush();
  return promise;
}

void queue_state::arm_flush() {
  if (group_.ops.size() >= max_group)
    return flush();
  if (!std::exchange(flush_armed_, true))
    self_->send(self_, queue_flush{});
}

void queue_state::flush() {
  flush_armed_ = false;
  if (group_.empty())
    return;
  // What one write takes back goes before a claim could find it.
  while (!group_.empty()) {
    if (away_ || !store_)
      return hold_back(std::exchange(group_, {}),
                       fail(store::errc::unavailable), false);
    if (!write(std::exchange(group_, {}), false))
      return;
  }
  claim_all();
}

result<std::vector<store::applied>>
queue_state::apply(const std::vector<store::operation>& ops) {
  pass_fault_points(ops, false);
  const auto begun = std::chrono::steady_clock::now();
  auto done = store_->apply(ops);
  pass_fault_points(ops, true);
  const std::chrono::duration<double> took =
    std::chrono::steady_clock::now() - begun;
  if (options_.metrics)
    options_.metrics->store_commit(ops.size(), took.count());
  return done;
}

/// @return false if the store did not answer.
bool queue_state::write(commit_group group, bool in_doubt) {
  auto done = apply(group.ops);
  if (!done && done.error().code != store::errc::unavailable)
    return write_apart(std::move(group), done.error(), in_doubt);
  if (!done) {
    const auto why = done.error();
    if (in_doubt)
      backlog_.prepend(std::move(group));
    else
      hold_back(std::move(group), why, true);
    lose_store(why);
    return false;
  }
  event_batch events;
  events.events.reserve(done->size());
  std::vector<job_ref> jobs;
  jobs.reserve(done->size());
  for (std::size_t i = 0; i < done->size(); ++i)
    jobs.push_back(take_effect(group.ops[i], (*done)[i], in_doubt, events));
  emit(std::move(events));
  reply_all(group, *done, jobs);
  return true;
}

/// What a store cannot take together it may take one by one, so that only that
/// fails which does not fit.
/// @return false if the store did not answer.
bool queue_state::write_apart(commit_group group, const failure& why,
                              bool in_doubt) {
  heed(why);
  if (group.entries.size() == 1) {
    refuse(std::move(group), why, in_doubt);
    return true;
  }
  while (!group.empty()) {
    if (write(group.take_front(1), in_doubt))
      continue;
    if (in_doubt)
      backlog_.prepend(std::move(group));
    else
      hold_back(std::move(group), fail(store::errc::unavailable), false);
    return false;
  }
  return true;
}

/// Outcomes are not to be lost: they wait for the next sweep.
void queue_state::refuse(commit_group one, const failure& why, bool in_doubt) {
  if (why.code != store::errc::disk_full)
    complain(why);
  if (in_doubt)
    return backlog_.append(std::move(one));
  commit_group outcomes;
  outcomes.take_settlements(std::move(one), why);
  wait_for_store(std::move(outcomes));
}

/// @return the job after it, which `done` has no more
job_ref queue_state::take_effect(const store::operation& op,
                                 store::applied& done, bool in_doubt,
                                 event_batch& events) {
  if (const auto* submit = std::get_if<store::submit_op>(&op);
      submit && submit->spooled)
    return land_spooled(*submit, done, events);
  leases_.show_live(done.job);
  const auto type = event_of(op, done, in_doubt);
  job_ref job{std::move(done.job)};
  if (type)
    events.events.push_back({*type, time_of(*type, *job), job});
  if (done.error == store::errc::stale_fence
      || done.error == store::errc::not_found)
    if (const auto* fence = outcome_fence(op))
      end_lease(id_of(op), *fence, "lost");
  if (done.follow)
    follow_soon();
  if (done.error != store::errc::none)
    return job;
  if (const auto* fence = outcome_fence(op)) {
    end_lease(job->id, *fence, outcome_word(op, *job));
    tell_of(store::is_terminal(job->state) ? "job ended" : "attempt ended",
            *job);
  }
  if (!done.added.empty())
    take_changed(done.added, store_now());
  if (std::holds_alternative<store::submit_op>(op) && done.changed
      && options_.metrics)
    options_.metrics->job_submitted(job->type);
  follow_job(op, *job);
  return job;
}

/// What a changed job asks for next: a claim, a sweep, an end.
void queue_state::follow_job(const store::operation& op,
                             const store::job& job) {
  if (std::holds_alternative<store::purge_op>(op))
    return note_purge(id_of(op));
  if (std::holds_alternative<store::put_queue_op>(op)
      || std::holds_alternative<store::put_limit_op>(op)) {
    for (auto& [queue, to] : pools_)
      to.wake();
    return;
  }
  if (job.id.empty())
    return;
  note_change(job);
  if ((std::holds_alternative<store::cancel_op>(op)
       || std::holds_alternative<store::withdraw_op>(op))
      && store::is_terminal(job.state))
    discard(job);
  if (std::holds_alternative<store::withdraw_op>(op))
    note_purge(job.id);
}

void queue_state::reply_all(commit_group& group,
                            const std::vector<store::applied>& done,
                            const std::vector<job_ref>& jobs) {
  std::size_t at = 0;
  for (auto& entry : group.entries) {
    if (auto* settled_by = std::get_if<commit_group::settle_entry>(&entry)) {
      reply_settle(*settled_by, std::span{done}.subspan(at, settled_by->count),
                   std::span{jobs}.subspan(at, settled_by->count));
      at += settled_by->count;
      continue;
    }
    const auto& op = group.ops[at];
    const auto& job = jobs[at];
    const auto& it = done[at++];
    if (auto* asked = std::get_if<commit_group::submit_entry>(&entry)) {
      if (it.error != store::errc::none)
        asked->reply(fail(it.error));
      else if (fell_short(op, it.changed, *job))
        take_back(std::get<store::submit_op>(op), asked->reply);
      else
        asked->reply(submit_reply{job, !it.held, it.replayed});
      continue;
    }
    if (auto* change = std::get_if<commit_group::change_entry>(&entry)) {
      change->reply(it);
      continue;
    }
    auto& reply = std::get<commit_group::command_entry>(entry).reply;
    if (it.error != store::errc::none)
      reply(refusal(op, it.error, *job));
    else
      reply(*job);
  }
}

/// A new job that is to be stored more safely, or not at all.
void queue_state::take_back(const store::submit_op& op,
                            const answer<submit_reply>& reply) {
  group_.add({store::withdraw_op{op.draft.id, op.idempotency.scope}}, {}, {});
  if (!std::exchange(flush_armed_, true)) // Not at once: we are in one.
    self_->send(self_, queue_flush{});
  reply(fail(errc::durability_unavailable));
}

void queue_state::reply_settle(commit_group::settle_entry& entry,
                               std::span<const store::applied> done,
                               std::span<const job_ref> jobs) {
  settle_reply reply;
  reply.verdicts.reserve(done.size());
  for (std::size_t i = 0; i < done.size(); ++i)
    reply.verdicts.push_back({done[i].error,
                              done[i].error == store::errc::not_found
                                || store::is_terminal(jobs[i]->state),
                              jobs[i]->publishing});
  if (entry.promise.pending())
    entry.promise.deliver(std::move(reply));
  for (auto& [queue, to] : pools_)
    if (to.limited)
      to.wake();
  if (entry.freed.slots > 0 || entry.freed.urgent > 0) {
    auto& to = pools_[entry.freed.queue];
    to.room += entry.freed.slots;
    to.urgent_room += entry.freed.urgent;
  }
}

} // namespace troupe::actors
