#include "actors/manager.hpp"

#include <utility>

/// How a job's children are stored with its checkpoint, before its success.
namespace troupe::actors {

void manager_state::spawn_children(entry& it, checkpoint_report& report) {
  ++it.spawning;
  // A checkpoint that comes later must not take the place of one before this.
  news_.erase({report.id, store::operation{store::checkpoint_op{}}.index()});
  push(store::spawn_op{report.id, report.fence, std::move(report.now),
                       std::move(report.checkpoint),
                       std::move(report.children)},
       {report.id, report.fence, op_kind::spawn});
}

/// A refusal ends the attempt: another one makes the same children again.
void manager_state::judge_spawn(const std::string& id, entry& it,
                                const settle_verdict& verdict) {
  --it.spawning;
  if (verdict.error == store::errc::queue_full
      || verdict.error == store::errc::no_parent) {
    it.unspawned = true;
    stop(id, it, media::errc::interrupted);
  }
  if (it.spawning > 0 || !it.late)
    return;
  auto [report, from] = std::move(*it.late);
  it.late.reset();
  if (it.phase == phase::working)
    end_attempt(it, report, std::move(from));
}

void manager_state::fail_unspawned(const std::string& id, entry& it) {
  store::fail_op op;
  op.id = id;
  op.fence = it.fence;
  op.code = "queue_full";
  op.message = "the jobs that it makes were not taken";
  op.retryable = true;
  settle(id, it, std::move(op));
}

} // namespace troupe::actors
