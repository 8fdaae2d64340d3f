#include "actors/queue.hpp"

#include "actors/job_log.hpp"
#include "actors/queue_ops.hpp"
#include "config/log.hpp"
#include "config/metrics.hpp"

#include <iterator>
#include <utility>

/// What waits while a store is away, and where.
namespace troupe::actors {

namespace {

/// A spool that is synced is not enough.
bool asks_for_the_store(const store::submit_op& op) {
  return op.asked == store::durability::disk
         || op.asked == store::durability::replica;
}

} // namespace

/// What an earlier life of the queue has left there.
void queue_state::load_spool() {
  if (!options_.spool)
    return;
  auto waits = options_.spool->read();
  if (!waits)
    log::error("the spool cannot be read",
               {{"error", waits.error().message()}});
  const auto& kept = options_.spool->kept();
  for (auto& [number, op] :
       waits ? *waits : std::vector<store::spool::entry>{}) {
    if (kept.size > 0 && number <= kept.through)
      continue;
    if (const auto* submit = std::get_if<store::submit_op>(&op))
      spooled_.add(*submit, wall_clock());
    std::vector<store::operation> one;
    one.push_back(std::move(op));
    backlog_.add(std::move(one), {}, {}, number);
  }
  show_spool(!waits);
}

/// A group sorted by what happens to it: outcomes always wait, submits if
/// they are new and there is room.
struct queue_state::spooling {
  struct reply_entry {
    answer<submit_reply> reply;
    submit_reply words;
  };
  commit_group outcomes;
  std::vector<store::operation> submits;
  std::vector<reply_entry> replies; ///< once the submits are logged
};

/// Logs them first, where there is a spool.
void queue_state::wait_for_store(commit_group outcomes) {
  if (options_.spool && !outcomes.empty()) {
    const auto logged = spool_all(outcomes.ops, true);
    for (auto& entry : outcomes.entries)
      std::get<commit_group::settle_entry>(entry).logged = logged;
  }
  backlog_.append(std::move(outcomes));
}

void queue_state::hold_back(commit_group group, const failure& why,
                            bool in_doubt) {
  if (group.empty())
    return;
  if (!options_.spool)
    return backlog_.take_settlements(std::move(group), why);
  spooling to;
  sort_out(std::move(group), why, in_doubt, to);
  wait_for_store(std::move(to.outcomes));
  const auto safe = to.submits.empty() ? 1 : spool_all(to.submits, false);
  for (auto& [reply, words] : to.replies)
    if (safe != 0)
      reply(std::move(words));
    else
      reply(fail(store::errc::unavailable, "nor is there room to wait"));
  if (safe == 0)
    for (const auto& op : to.submits)
      spooled_.forget(std::get<store::submit_op>(op));
  else if (!to.submits.empty())
    backlog_.add(std::move(to.submits), {}, {}, safe);
}

void queue_state::sort_out(commit_group group, const failure& why,
                           bool in_doubt, spooling& to) {
  auto next = group.ops.begin();
  for (auto& entry : group.entries) {
    if (auto* it = std::get_if<commit_group::settle_entry>(&entry)) {
      const auto end = next + static_cast<std::ptrdiff_t>(it->count);
      std::vector<store::operation> ops(std::make_move_iterator(next),
                                        std::make_move_iterator(end));
      to.outcomes.add(std::move(ops), std::move(it->freed),
                      std::move(it->promise));
      next = end;
      continue;
    }
    auto& op = *next++;
    if (auto* asked = std::get_if<commit_group::submit_entry>(&entry))
      sort_submit(std::get<store::submit_op>(std::move(op)),
                  std::move(asked->reply), in_doubt, to);
    else if (auto* change = std::get_if<commit_group::change_entry>(&entry))
      change->reply(why);
    else
      std::get<commit_group::command_entry>(entry).reply(why);
  }
}

void queue_state::sort_submit(store::submit_op op, answer<submit_reply> reply,
                              bool in_doubt, spooling& to) {
  if (op.strict && asks_for_the_store(op)) {
    // It may have been stored, unseen: then it goes again.
    if (in_doubt)
      to.outcomes.add({store::withdraw_op{op.draft.id, op.idempotency.scope}},
                      {}, {});
    return reply(fail(errc::durability_unavailable));
  }
  if (auto known = spooled_.answered(op)) {
    if (known->error != store::errc::none)
      return reply(fail(known->error));
    to.replies.push_back(
      {std::move(reply),
       {std::move(known->job), known->replayed, known->replayed}});
    return;
  }
  op = store::as_spooled(std::move(op), store::moment_now());
  to.replies.push_back(
    {std::move(reply), {spooled_.add(op, wall_clock()), true, false}});
  to.submits.emplace_back(std::move(op));
}

/// @return the number of the last one, 0 if they could not be logged
std::int64_t queue_state::spool_all(const std::vector<store::operation>& ops,
                                    bool always) {
  auto logged = options_.spool->append(ops, always);
  if (!logged)
    log::error("the spool takes nothing more",
               {{"error", logged.error().message()}});
  show_spool(!logged);
  return logged ? *logged : 0;
}

void queue_state::show_spool(bool failed) {
  if (!options_.spool)
    return;
  auto& status = *options_.status;
  status.spooled = options_.spool->size() - options_.spool->kept().size;
  status.kept = options_.spool->kept().size;
  status.spooled_bytes = options_.spool->bytes();
  status.spool_failed = failed;
  if (options_.metrics)
    options_.metrics->spool(status.spooled, status.kept, status.spooled_bytes);
}

} // namespace troupe::actors
