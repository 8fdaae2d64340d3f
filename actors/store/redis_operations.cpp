#include "actors/store/redis_operations.hpp"

#include "actors/store/packing.hpp"

#include <random>

namespace troupe::store {

namespace {

double random_share() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::generate_canonical<double, 32>(generator);
}

applied known(const redis_group::entry& it) {
  if (it.error != errc::none)
    return {it.error, false, false, {}};
  return {errc::none, false, false, it.record.job};
}

class performer {
public:
  performer(redis_group& group, durability reached)
    : group_{group}, reached_{reached} {
    // nop
  }

  applied operator()(const submit_op& op) {
    const auto& [scope, body_hash] = op.idempotency;
    if (scope.empty())
      return add(op.draft);
    if (const auto* before = group_.answer_of(scope))
      return repeated(*before, body_hash);
    auto answer = add(op.draft);
    if (answer.error == errc::none)
      group_.remember(scope, {group_.now() + idempotency_ms, body_hash,
                              pack_job(answer.job)});
    return answer;
  }

  applied operator()(const checkpoint_op& op) {
    return change(op.id, [&](job& it) { return checkpoint(it, op); });
  }

  applied operator()(const commit_op& op) {
    return change(op.id, [&](job& it) { return commit(it, op); });
  }

  applied operator()(const succeed_op& op) {
    return change(op.id,
                  [&](job& it) { return succeed(it, op, group_.now()); });
  }

  applied operator()(const fail_op& op) {
    return change(op.id, [&](job& it) {
      return fail_attempt(it, op, group_.now(), random_share());
    });
  }

  applied operator()(const release_op& op) {
    return change(op.id,
                  [&](job& it) { return release(it, op, group_.now()); });
  }

  applied operator()(const cancel_op& op) {
    return change(op.id, [&](job& it) { return cancel(it, group_.now()); });
  }

  applied operator()(const retry_op& op) {
    return change(op.id, [&](job& it) -> verdict {
      const bool taken = is_terminal(it.state) && !it.unique_key.empty()
                         && !group_.holder_of(it.unique_key).empty();
      if (taken)
        return {errc::invalid_state};
      return retry(it, group_.now());
    });
  }

  applied operator()(const purge_op& op) {
    auto& it = group_.at(op.id);
    auto answer = known(it);
    if (it.error != errc::none)
      return answer;
    if (!is_terminal(it.record.job.state)) {
      answer.error = errc::invalid_state;
      return answer;
    }
    group_.erase(it);
    return {errc::none, true, false, {}};
  }

private:
  static applied repeated(const redis_answer& before,
                          const std::string& body_hash) {
    if (before.body_hash != body_hash)
      return {errc::idempotency_mismatch, false, false, {}};
    applied again{errc::none, false, true, {}};
    if (!unpack_job(before.packed_job, again.job))
      return {errc::corrupt, false, false, {}};
    return again;
  }

  applied add(const job_draft& draft) {
    if (!draft.unique_key.empty()) {
      const auto holder = group_.holder_of(draft.unique_key);
      if (!holder.empty() && group_.at(holder).error != errc::not_found)
        return known(group_.at(holder));
    }
    auto& it = group_.at(draft.id);
    if (it.error != errc::not_found)
      return known(it);
    if (!group_.insert(it, make_job(draft, group_.now(), reached_)))
      return {errc::queue_full, false, false, {}};
    return {errc::none, true, false, it.record.job};
  }

  template <class Step>
  applied change(const std::string& id, Step step) {
    auto& it = group_.at(id);
    if (it.error != errc::none)
      return known(it);
    const auto before = it.record.job.state;
    const verdict said = step(it.record.job);
    if (said.stored)
      group_.changed(it, before);
    return {said.error, said.changed, false, it.record.job};
  }

  redis_group& group_;
  durability reached_;
};

void need(const submit_op& op, redis_group& group) {
  group.need_job(op.draft.id);
  if (!op.draft.unique_key.empty())
    group.need_holder(op.draft.unique_key);
  if (!op.idempotency.scope.empty())
    group.need_answer(op.idempotency.scope);
}

template <class Op>
void need(const Op& op, redis_group& group) {
  group.need_job(op.id);
}

/// What the first reading has told to be needed, too.
void need_more(const operation& op, redis_group& group) {
  if (const auto* submit = std::get_if<submit_op>(&op)) {
    const auto& key = submit->draft.unique_key;
    if (!key.empty() && !group.holder_of(key).empty())
      group.need_job(group.holder_of(key));
  } else if (const auto* retry = std::get_if<retry_op>(&op)) {
    const auto& it = group.at(retry->id);
    if (it.error == errc::none && !it.record.job.unique_key.empty())
      group.need_holder(it.record.job.unique_key);
  }
}

std::size_t size_of(const operation& op, redis_group& group) {
  const auto rewritten = [&](const std::string& id) {
    return group.at(id).bytes;
  };
  return std::visit(
    [&]<class Op>(const Op& one) -> std::size_t {
      if constexpr (std::is_same_v<Op, submit_op>)
        return one.draft.params.size();
      else if constexpr (requires { one.result; })
        return one.result.size() + rewritten(one.id);
      else if constexpr (requires { one.checkpoint; })
        return one.checkpoint.size() + rewritten(one.id);
      else
        return rewritten(one.id);
    },
    op);
}

} // namespace

result<void> read_for(std::span<const operation> ops, redis_group& group) {
  std::size_t submits = 0;
  for (const auto& op : ops) {
    std::visit([&](const auto& one) { need(one, group); }, op);
    submits += std::holds_alternative<submit_op>(op) ? 1 : 0;
  }
  group.need_room(submits);
  if (auto read = group.read(); !read)
    return read;
  for (const auto& op : ops)
    need_more(op, group);
  return group.read();
}

std::vector<applied> perform(std::span<const operation> ops, redis_group& group,
                             durability reached) {
  std::vector<applied> answers;
  answers.reserve(ops.size());
  performer one{group, reached};
  std::size_t bytes = 0;
  for (const auto& op : ops) {
    if (bytes > bytes_per_group)
      break;
    bytes += size_of(op, group);
    answers.push_back(std::visit(one, op));
  }
  return answers;
}

} // namespace troupe::store
