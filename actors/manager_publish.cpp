#include "actors/manager.hpp"

#include "config/log.hpp"

#include <algorithm>
#include <utility>

/// How committed results get their names, or are left to others.
namespace troupe::actors {

using namespace std::chrono_literals;

namespace {

/// Failures in a row after which others may try.
constexpr std::uint32_t max_tries = 3;
constexpr auto first_again = 1000ms;
/// How long nobody tries when no other server took it.
constexpr auto first_pause = 5000ms;
constexpr auto max_pause = 60000ms;
/// Jobs that are known to have failed here; more are forgotten.
constexpr std::size_t max_known = 1000;

} // namespace

void manager_state::commit(const std::string& id, entry& it) {
  it.phase = phase::committing;
  push(store::commit_op{id, it.fence, it.done.result, it.done.files},
       {id, it.fence, op_kind::commit});
}

void manager_state::judge_commit(const std::string& id, entry& it,
                                 const settle_verdict& verdict) {
  if (verdict.error == store::errc::invalid_state)
    return cancel_lease(id, it);
  if (verdict.error != store::errc::none)
    return finish(id, it, {false, verdict.ended, verdict.publishing});
  it.phase = phase::publishing;
  free_slot(it);
  if (it.actor)
    self_->send(it.actor, publish_order{it.done.result, it.done.files});
  else
    release(id, it, store::release_reason::node_lost);
}

void manager_state::hear(publish_report& report) {
  auto* it = find(report.id, report.fence);
  if (!it) {
    self_->send(sender(), settled{.accepted = false, .rolls_on = true});
    return;
  }
  if (it->phase != phase::publishing)
    return;
  if (report.done) {
    unpublished_.erase(report.id);
    return settle(
      report.id, *it,
      store::succeed_op{report.id, report.fence, std::move(report.result)});
  }
  if (!report.renamed.empty()) {
    it->done = {std::move(report.result), std::move(report.renamed)};
    return commit(report.id, *it);
  }
  log::warn("a committed result could not be published",
            {{"job", report.id}, {"error", report.failure.message}});
  publish_later(report.id, *it, report.failure);
}

void manager_state::publish_later(const std::string& id, entry& it,
                                  const media::failure_report& why) {
  ++it.tries;
  const bool lost = why.code == media::errc::result_lost;
  const bool tried_before = unpublished_.contains(id) && !lost;
  if (it.tries < max_tries && !tried_before) {
    const auto wait = first_again * (1 << (it.tries - 1));
    self_->delayed_send(self_, wait, publish_again{id, it.fence});
  } else if (lost) {
    lose_result(id, it, why);
  } else {
    leave_to_others(id, it);
  }
}

/// The library is the one that it was staged in, and it is not there.
void manager_state::lose_result(const std::string& id, entry& it,
                                const media::failure_report& why) {
  unpublished_.erase(id);
  store::fail_op op;
  op.id = id;
  op.fence = it.fence;
  op.code = media::code_of(why.code);
  op.message = why.message;
  op.result_lost = true;
  settle(id, it, std::move(op));
}

/// At once: another server takes it before our next sweep does. When that
/// brings it back there is no other, and it waits for a while.
void manager_state::leave_to_others(const std::string& id, entry& it) {
  if (unpublished_.size() >= max_known)
    unpublished_.clear();
  auto& left = unpublished_[id];
  store::release_op op{id, it.fence, store::release_reason::node_lost};
  if (left.yielded) {
    left.pause = std::clamp<std::chrono::milliseconds>(left.pause * 2,
                                                       first_pause, max_pause);
    op.delay_ms = left.pause.count();
  }
  left.yielded = !left.yielded;
  settle(id, it, std::move(op));
}

void manager_state::publish_once_more(const publish_again& what) {
  auto* it = find(what.id, what.fence);
  if (it && it->phase == phase::publishing && it->actor)
    self_->send(it->actor, publish_order{it->done.result, it->done.files});
}

} // namespace troupe::actors
