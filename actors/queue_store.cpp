#include "actors/queue.hpp"

#include "actors/job_log.hpp"
#include "actors/queue_ops.hpp"
#include "config/log.hpp"
#include "config/metrics.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

/// How a queue loses its store and finds it again.
namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

constexpr auto first_backoff = 100ms;
constexpr auto max_backoff = 2000ms;
/// What managers get to tell a new queue what they hold.
constexpr auto announcing = 3000ms;
/// Between two words of a store that refuses what it should take.
constexpr auto complain_every = 60s;

std::int64_t logged_of(const commit_group::entry& it) {
  return std::get<commit_group::settle_entry>(it).logged;
}

/// The newest of those numbers in the spool that nothing older waits behind.
/// Entries that were logged together have one number.
std::int64_t logged_by(const std::vector<std::int64_t>& done,
                       const commit_group& rest) {
  auto limit = std::numeric_limits<std::int64_t>::max();
  for (const auto& it : rest.entries)
    if (logged_of(it) > 0)
      limit = std::min(limit, logged_of(it));
  std::int64_t through = 0;
  for (const auto number : done)
    if (number < limit)
      through = std::max(through, number);
  return through;
}

std::vector<std::int64_t> numbers_of(const commit_group& part) {
  std::vector<std::int64_t> numbers;
  std::ranges::transform(part.entries, std::back_inserter(numbers), logged_of);
  return numbers;
}

} // namespace

/// What comes meanwhile waits in the mailbox.
void queue_state::wake() {
  away_ = true;
  if (!options_.adopt)
    doubt(announcing);
  arm(queue_tick::save, std::chrono::milliseconds{options_.lease_ms / 3});
  arm(queue_tick::poll, {});
  arm(queue_tick::stats, {});
  retry_store();
}

/// Only a store that does not answer is away: all else is about what it was
/// asked.
void queue_state::heed(const failure& why) {
  if (why.code == store::errc::unavailable)
    return lose_store(why);
  if (why.code != store::errc::disk_full)
    return;
  full_ = true;
  complain(why);
}

/// It refuses what it should take; said now and then.
void queue_state::complain(const failure& why) {
  if (options_.metrics)
    options_.metrics->store_error(why.code.message());
  if (complained_ != clock::time_point{}
      && now() < complained_ + complain_every)
    return;
  complained_ = now();
  log::error("the job store refuses a write", {{"error", why.message()}});
}

void queue_state::lose_store(const failure& why) {
  if (options_.metrics) {
    options_.metrics->store_error(why.code.message());
    options_.metrics->store_up(false);
  }
  if (!std::exchange(away_, true) || backoff_ == clock::duration{})
    log::warn("the job store is away", {{"error", why.message()}});
  options_.status->store_up = false;
  if (options_.spool)
    options_.status->reaches = store::durability::local;
  hold_back(std::exchange(group_, {}), why, false);
  backoff_ =
    std::clamp<clock::duration>(backoff_ * 2, first_backoff, max_backoff);
  arm(queue_tick::retry, backoff_);
}

/// Renews first, so that nothing expires; then what was held back.
void queue_state::retry_store() {
  if (!store_) {
    auto opened = options_.open();
    if (!opened)
      return lose_store(opened.error());
    store_ = std::move(*opened);
  }
  if (auto done = renew_leases();
      !done && done.error().code == store::errc::unavailable)
    return;
  away_ = false;
  if (!catch_up() && away_)
    return;
  if (backoff_ > clock::duration{})
    log::info("the job store answers again");
  backoff_ = {};
  options_.status->reaches = store_->level();
  options_.status->store_up = true;
  if (options_.metrics)
    options_.metrics->store_up(true);
  for (auto& [queue, to] : pools_)
    to.wake();
  sweep();
}

/// Each once: a part that the store may have taken is offered again, which
/// changes nothing.
/// @return false if the store did not answer
bool queue_state::replay() {
  if (!give_again())
    return false;
  // Asked before the first: it may begin another in between.
  const auto life = store_->life();
  for (auto left = backlog_.entries.size(); left > 0;) {
    auto part = backlog_.take_front(max_group);
    left -= std::min(left, part.entries.size());
    const auto numbers = numbers_of(part);
    if (!write(std::move(part), true))
      return false;
    if (const auto through = logged_by(numbers, backlog_); through > 0)
      keep(through, life);
  }
  return give_again() && let_go();
}

// -- what it was told and may forget ------------------------------------------

bool queue_state::keeps() const {
  return options_.spool && options_.spool->kept().size > 0;
}

/// The store was told all up to there, in that life. What cannot be noted is
/// told again after a restart.
void queue_state::keep(std::int64_t through, const std::string& life) {
  const auto noted = options_.spool->keep(through, life);
  if (!noted)
    log::error("the spool takes no note", {{"error", noted.error().message()}});
  show_spool(!noted);
}

/// In another life the store may have lost what it was told last. What it has
/// not is told again, in order; what was purged here since is not.
/// @return false if it did not answer
bool queue_state::give_again() {
  const auto life = store_->life();
  if (!keeps() || options_.spool->kept().life == life)
    return true;
  const auto through = options_.spool->kept().through;
  auto all = options_.spool->read();
  if (!all) {
    log::error("the spool cannot be read", {{"error", all.error().message()}});
    return true;
  }
  watched_ = 0;
  std::vector<store::operation> ops;
  for (auto& [number, op] : *all) {
    if (number <= through && !purged_.contains(id_of(op)))
      ops.push_back(std::move(op));
    const bool last = number >= through;
    if ((ops.size() >= max_group || last) && !ops.empty()) {
      if (!write_again(std::exchange(ops, {})))
        return false;
    }
    if (last)
      break;
  }
  keep(through, life);
  return true;
}

bool queue_state::write_again(std::vector<store::operation> ops) {
  auto done = apply(ops);
  if (!heard(done))
    return false;
  event_batch events;
  for (std::size_t i = 0; i < done->size(); ++i) {
    auto& it = (*done)[i];
    if (it.changed || it.error == store::errc::queue_full)
      take_effect(ops[i], it, false, events);
  }
  emit(std::move(events));
  return true;
}

/// What the store has made safe is forgotten here.
/// @return false if it did not answer
bool queue_state::let_go() {
  while (keeps() && options_.spool->kept().life == store_->life()) {
    if (watched_ == 0) {
      watched_ = options_.spool->kept().through;
      watch_ = {};
    }
    const auto safe = store_->synced(watch_);
    if (!heard(safe))
      return false;
    if (!*safe)
      return true;
    const auto dropped = options_.spool->drop(std::exchange(watched_, 0));
    show_spool(!dropped);
    if (!dropped)
      return true;
  }
  if (!keeps())
    purged_.clear();
  return true;
}

/// A job that is not to come back.
void queue_state::note_purge(const std::string& id) {
  if (keeps())
    purged_.insert(id);
}

job_ref queue_state::land_spooled(const store::submit_op& op,
                                  store::applied& done, event_batch& events) {
  if (done.error == store::errc::queue_full) {
    std::vector<store::operation> again{op};
    const auto logged = spool_all(again, true);
    backlog_.add(std::move(again), {}, {}, logged);
    return {};
  }
  spooled_.forget(op);
  if (done.follow)
    follow_soon();
  if (done.error == store::errc::not_found)
    return {};
  if (done.error != store::errc::none) {
    log::error(
      "a job that had waited was refused",
      {{"job", op.draft.id}, {"error", make_error_code(done.error).message()}});
    return {};
  }
  const job_ref job{std::move(done.job)};
  events.events.push_back({job_event_type::created, job->created_at, job});
  if (store::is_terminal(job->state))
    events.events.push_back({job->state == store::job_state::failed
                               ? job_event_type::failed
                               : job_event_type::cancelled,
                             job->finished_at, job});
  if (options_.metrics)
    options_.metrics->job_submitted(job->type);
  follow_job(op, *job);
  return job;
}

} // namespace troupe::actors
