#include "actors/store/operations.hpp"

#include "actors/store/callbacks.hpp"
#include "actors/store/dependants.hpp"
#include "actors/store/job_log.hpp"
#include "actors/store/packing.hpp"
#include "actors/store/schedules.hpp"
#include "actors/store/transitions.hpp"

#include <algorithm>
#include <random>

namespace troupe::store {

namespace {

class performer {
public:
  explicit performer(transaction& in) : in_{in} {
    // nop
  }

  applied operator()(const submit_op& op) {
    if (op.spooled)
      return add_late(op);
    const auto& [scope, body_hash] = op.idempotency;
    if (!scope.empty())
      if (const auto before = known(scope))
        return repeated(*before, body_hash);
    auto answer = add_job(op.draft, in_);
    answer.held = answer.error == errc::none && answer.job.id != op.draft.id;
    if (!scope.empty() && answer.error == errc::none)
      in_.keep(scope, {body_hash, std::string{answer.held ? held_mark : ""}
                                    + pack_job(answer.job)});
    return answer;
  }

  applied operator()(const checkpoint_op& op) {
    return change(op.id, [&](job& it) { return checkpoint(it, op); });
  }

  applied operator()(const commit_op& op) {
    return change(op.id, [&](job& it) { return commit(it, op); });
  }

  applied operator()(const succeed_op& op) {
    return change(op.id, [&](job& it) { return succeed(it, op, in_.now()); });
  }

  applied operator()(const fail_op& op) {
    return change(op.id, [&](job& it) {
      return fail_attempt(it, op, in_.now(), random_share());
    });
  }

  applied operator()(const release_op& op) {
    return change(op.id, [&](job& it) { return release(it, op, in_.now()); });
  }

  applied operator()(const cancel_op& op) {
    return change(op.id, [&](job& it) { return cancel(it, in_.now()); });
  }

  applied operator()(const retry_op& op) {
    return change(op.id, [&](job& it) { return retry_job(it, in_); });
  }

  applied operator()(const pause_op& op) {
    return change(op.id, [&](job& it) { return pause(it, in_.now()); });
  }

  applied operator()(const resume_op& op) {
    return change(op.id, [&](job& it) { return resume(it, in_.now()); });
  }

  applied operator()(const purge_op& op) {
    const auto found = in_.find(op.id);
    if (!found)
      return refused(found.error);
    if (!is_terminal(found.it->state) || is_awaited(*found.it, in_))
      return answer(found, {errc::invalid_state});
    forget_job(*found.it, in_);
    applied gone;
    gone.changed = true;
    return gone;
  }

  applied operator()(const withdraw_op& op) {
    if (!op.scope.empty())
      if (const auto answer = known(op.scope);
          answer && repeated(*answer, answer->body_hash).job.id == op.id)
        in_.keep(op.scope, {});
    auto done = change(op.id, [&](job& it) { return cancel(it, in_.now()); });
    const auto ended = in_.find(op.id);
    if (done.changed && ended && is_terminal(ended.it->state)
        && !is_awaited(*ended.it, in_))
      forget_job(*ended.it, in_);
    return done;
  }

  applied operator()(const spawn_op& op) {
    const auto found = in_.find(op.id);
    if (!found)
      return refused(found.error);
    const checkpoint_op step{op.id, op.fence, op.progress, op.checkpoint};
    auto trial = *found.it; // is left as it was if there is no room
    if (const auto said = checkpoint(trial, step); said.error != errc::none)
      return answer(found, said);
    auto children = add_children(op, in_);
    if (!children)
      return refused(static_cast<errc>(children.error().code.value()));
    checkpoint(*found.it, step);
    in_.save(*found.it, found.it->state);
    auto done = answer(found, {});
    done.added = std::move(*children);
    return done;
  }

  applied operator()(const log_op& op) {
    const auto found = in_.find(op.id);
    if (!found)
      return refused(found.error);
    if (append_log(*found.it, op.text, in_))
      in_.save(*found.it, found.it->state);
    else
      in_.guard(*found.it);
    return {};
  }

  applied operator()(const put_schedule_op& op) {
    return said(put_schedule(op.schedule, in_));
  }

  applied operator()(const drop_schedule_op& op) {
    return said(drop_schedule(op.name, in_));
  }

  applied operator()(const put_queue_op& op) {
    return put_limit(flow_name_of_queue(op.queue), op);
  }

  applied operator()(const put_limit_op& op) {
    return put_limit(flow_name_of_key(op.key), op);
  }

  applied operator()(const settle_callback_op& op) {
    return said(store::settle_callback(op.done, in_));
  }

private:
  template <class Op>
  applied put_limit(const std::string& name, const Op& op) {
    auto limit = in_.limit(name);
    applied answer;
    answer.changed = change_limit(limit, op, in_.now());
    if (answer.changed)
      in_.put_limit(name, limit);
    return answer;
  }

  static applied said(errc error) {
    auto answer = refused(error);
    answer.changed = error == errc::none;
    return answer;
  }

  /// An answer that was withdrawn is kept empty.
  std::optional<kept_answer> known(const std::string& scope) {
    auto answer = in_.kept(scope);
    if (answer && answer->bytes.empty())
      answer.reset();
    return answer;
  }

  static applied repeated(const kept_answer& before,
                          const std::string& body_hash) {
    if (before.body_hash != body_hash)
      return refused(errc::idempotency_mismatch);
    applied again;
    again.replayed = true;
    std::string_view bytes = before.bytes;
    again.held = bytes.starts_with(held_mark);
    if (again.held)
      bytes.remove_prefix(held_mark.size());
    return unpack_job(bytes, again.job) ? again : refused(errc::corrupt);
  }

  template <class Step>
  applied change(const std::string& id, Step step) {
    const auto found = in_.find(id);
    if (!found)
      return refused(found.error);
    const auto before = found.it->state;
    const verdict said = step(*found.it);
    if (said.draft)
      in_.save_draft(*found.it, before);
    else if (said.stored)
      in_.save(*found.it, before);
    return answer(found, said);
  }

  /// What was acknowledged while the store was away becomes a job, whatever
  /// has come since.
  applied add_late(const submit_op& op) {
    const auto& id = op.draft.id;
    const auto& [scope, body_hash] = op.idempotency;
    if (const auto found = in_.find(id))
      return answer(found, {});
    if (!scope.empty())
      if (const auto before = known(scope)) {
        const auto first = repeated(*before, before->body_hash).job.id;
        if (first == id) // it was here, and was purged
          return refused(errc::not_found);
        return end_at_once(op.draft, duplicate_of(first), job_state::cancelled);
      }
    auto added = add_job(left_of(op, moment_now()), in_, true);
    if (added.error == errc::no_parent)
      return end_at_once(
        op.draft, {"parent_failed", "a job it depends on is gone", false, 0},
        job_state::failed);
    if (added.error == errc::none && added.job.id != id)
      return end_at_once(op.draft, duplicate_of(added.job.id),
                         job_state::cancelled);
    if (!scope.empty() && added.error == errc::none)
      in_.keep(scope, {body_hash, pack_job(added.job)});
    return added;
  }

  static job_error duplicate_of(const std::string& first) {
    return {"duplicate", "its key belongs to the job " + first, false, 0};
  }

  applied end_at_once(const job_draft& draft, job_error why, job_state state) {
    auto it = make_job(draft, in_.now(), in_.reached());
    it.state = state;
    it.finished_at = in_.now();
    it.errors.push_back(std::move(why));
    auto* added = in_.insert(std::move(it), true);
    if (!added)
      return refused(errc::queue_full);
    job_ended(*added, in_);
    applied done;
    done.changed = true;
    done.job = in_.answer_of(*added);
    return done;
  }

  applied answer(const found_job& found, const verdict& said) {
    return {said.error, said.changed, false, in_.answer_of(*found.it)};
  }

  transaction& in_;
};

} // namespace

job_draft left_of(const submit_op& op, const moment& now) {
  auto draft = op.draft;
  if (op.spooled && draft.delay_ms > 0)
    draft.delay_ms =
      std::max<std::int64_t>(draft.delay_ms - ms_between(op.since, now), 0);
  return draft;
}

double random_share() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::generate_canonical<double, 32>(generator);
}

applied perform(const operation& op, transaction& in) {
  in.follow = false;
  auto answer = std::visit(performer{in}, op);
  answer.follow = in.follow;
  return answer;
}

} // namespace troupe::store
