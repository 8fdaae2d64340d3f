#include "actors/manager.hpp"

#include "config/log.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

/// How a manager gives each lease one outcome.
namespace troupe::actors {

namespace {

/// The store keeps no more of a log.
constexpr std::size_t log_bytes = 64u << 10;

/// @return false if one cannot stand for both
bool replace_news(store::operation& older, const store::fence& fence,
                  store::operation& newer) {
  if (auto* log = std::get_if<store::log_op>(&older)) {
    log->text += std::get<store::log_op>(newer).text;
    if (log->text.size() > log_bytes)
      log->text.erase(0,
                      log->text.find('\n', log->text.size() - log_bytes) + 1);
    return true;
  }
  auto* was = std::get_if<store::checkpoint_op>(&older);
  if (!was || was->fence != fence)
    return false;
  auto& is = std::get<store::checkpoint_op>(newer);
  was->progress = std::move(is.progress);
  if (!is.checkpoint.empty())
    was->checkpoint = std::move(is.checkpoint);
  return true;
}

} // namespace

// -- outcomes -----------------------------------------------------------------

void manager_state::fail_lease(const std::string& id, entry& it,
                               const media::failure_report& why) {
  if (why.code == media::errc::interrupted
      && it.stop == media::errc::interrupted)
    return release(id, it,
                   it.stalled ? store::release_reason::node_lost
                              : store::release_reason::drain);
  // Its job is cancelled by that, unless a store that lost its newest writes
  // knows of no cancel: then it runs again.
  if (why.code == media::errc::cancelled)
    return release(id, it, store::release_reason::drain);
  const auto wait_ms = static_cast<std::int64_t>(why.retry_after_s * 1000);
  if (why.untried)
    return settle(id, it,
                  store::release_op{id, it.fence,
                                    store::release_reason::postponed, wait_ms});
  store::fail_op op;
  op.id = id;
  op.fence = it.fence;
  op.code = media::code_of(why.code);
  op.message = why.message;
  op.retryable = media::may_pass(why.code);
  op.retry_after_ms = wait_ms;
  op.crash = why.code == media::errc::crashed;
  ++failed_;
  settle(id, it, std::move(op));
}

void manager_state::release(const std::string& id, entry& it,
                            store::release_reason why) {
  settle(id, it, store::release_op{id, it.fence, why});
}

/// The job was cancelled before its outcome was stored: that is its end.
void manager_state::cancel_lease(const std::string& id, entry& it) {
  it.refused = true;
  fail_lease(id, it, {media::errc::cancelled, "cancelled", 0});
}

void manager_state::settle(const std::string& id, entry& it,
                           store::operation op) {
  it.phase = phase::settling;
  ended_ += !std::holds_alternative<store::release_op>(op);
  free_slot(it);
  push(std::move(op), {id, it.fence, op_kind::finish});
}

void manager_state::free_slot(entry& it) {
  if (!std::exchange(it.busy, false))
    return;
  --(it.urgent ? urgent_busy_ : busy_);
  if (it.cost)
    options_.budget->give_back(options_.queue, *it.cost);
  it.cost.reset();
  if (!line_.empty())
    self_->send(self_, admit_again{});
}

void manager_state::push(store::operation op, asked about) {
  ops_.push_back(std::move(op));
  asked_.push_back(std::move(about));
  arm_flush();
}

void manager_state::arm_flush() {
  if (!std::exchange(flush_armed_, true))
    self_->send(self_, manager_flush{});
}

/// While the store is away an attempt tells of itself again and again: of its
/// checkpoints the newest counts, of its log the end.
void manager_state::push_news(store::operation op, asked about) {
  const auto next = taken_ + ops_.size();
  const auto [known, fresh] = news_.try_emplace({about.id, op.index()}, next);
  const bool waits = !fresh && known->second >= taken_;
  if (waits && replace_news(ops_[known->second - taken_], about.fence, op))
    return;
  known->second = next;
  push(std::move(op), std::move(about));
}

// -- the way to the queue -----------------------------------------------------

void manager_state::take_front() {
  const auto count =
    static_cast<std::ptrdiff_t>(std::min(ops_.size(), max_group));
  const auto take = [count](auto& from, auto& to) {
    to.assign(std::make_move_iterator(from.begin()),
              std::make_move_iterator(from.begin() + count));
    from.erase(from.begin(), from.begin() + count);
  };
  take(ops_, sent_ops_);
  take(asked_, sent_asked_);
  taken_ += static_cast<std::size_t>(count);
  if (ops_.empty())
    news_.clear();
}

/// One request at a time; what comes meanwhile goes into the next.
void manager_state::flush() {
  flush_armed_ = false;
  if (!who_.queue || !sent_ops_.empty())
    return;
  if (ops_.empty()) {
    if (has_spare())
      self_->send(who_.queue, announce_spare());
    return;
  }
  take_front();
  settle_request request{sent_ops_, announce_spare()};
  // No answer without an end: a dead queue is replaced, and asked anew then.
  self_->request(who_.queue, caf::infinite, std::move(request))
    .then(
      [this, number = ++sent_number_](const settle_reply& reply) {
        if (number == sent_number_)
          judge_all(reply);
      },
      [](const caf::error&) {});
}

/// Tells a new queue how things stand, and asks it what the old one took
/// along. Repeated operations have no second effect.
void manager_state::announce_all() {
  ++sent_number_;
  std::ranges::move(ops_, std::back_inserter(sent_ops_));
  std::ranges::move(asked_, std::back_inserter(sent_asked_));
  ops_ = std::exchange(sent_ops_, {});
  asked_ = std::exchange(sent_asked_, {});
  news_.clear();
  announce words;
  outstanding_ = urgent_outstanding_ = 0;
  taking_ = false;
  words.free = announce_spare();
  words.manager = caf::actor_cast<manager_actor>(self_);
  words.held.reserve(leases_.size());
  for (const auto& [id, it] : leases_)
    words.held.push_back({{id, it.fence}, it.type});
  self_->send(who_.queue, std::move(words));
  flush();
}

// -- verdicts -----------------------------------------------------------------

void manager_state::judge_all(const settle_reply& reply) {
  sent_ops_.clear();
  const auto about = std::exchange(sent_asked_, {});
  for (std::size_t i = 0; i < about.size(); ++i)
    judge(about[i], reply.verdicts[i]);
  flush();
  end_drain();
}

void manager_state::judge(const asked& about, const settle_verdict& verdict) {
  auto* it = find(about.id, about.fence);
  if (!it)
    return;
  if (about.kind == op_kind::commit)
    judge_commit(about.id, *it, verdict);
  else if (about.kind == op_kind::spawn)
    judge_spawn(about.id, *it, verdict);
  else if (about.kind == op_kind::finish)
    judge_finish(about.id, *it, verdict);
}

void manager_state::judge_finish(const std::string& id, entry& it,
                                 const settle_verdict& verdict) {
  if (verdict.error == store::errc::invalid_state && !it.refused)
    return cancel_lease(id, it);
  const bool accepted = verdict.error == store::errc::none && !it.refused;
  finish(id, it, {accepted, verdict.ended, verdict.publishing});
}

/// The lease is over, whatever came of it.
void manager_state::finish(const std::string& id, entry& it, settled word) {
  free_slot(it);
  if (it.actor) {
    by_actor_.erase(it.actor.address());
    self_->send(it.actor, word);
  }
  leases_.erase(std::string{id});
  if (has_spare())
    arm_flush();
  end_drain();
}

} // namespace troupe::actors
