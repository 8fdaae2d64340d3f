#include "actors/store/redis_operations.hpp"

#include "actors/store/dependants.hpp"
#include "actors/store/operations.hpp"

namespace troupe::store {

namespace {

void need(const submit_op& op, redis_group& group) {
  group.need_job(op.draft.id);
  if (!op.draft.unique_key.empty())
    group.need_holder(op.draft.unique_key);
  if (!op.idempotency.scope.empty())
    group.need_answer(op.idempotency.scope);
  for (const auto& parent : op.draft.depends_on)
    group.need_job(parent);
}

void need(const withdraw_op& op, redis_group& group) {
  group.need_job(op.id);
  if (!op.scope.empty())
    group.need_answer(op.scope);
}

void need(const spawn_op& op, redis_group& group) {
  group.need_job(op.id);
  for (const auto& child : op.children)
    group.need_job(child.id);
}

void need(const put_schedule_op&, redis_group&) {
  // nop: schedules are read one by one
}

void need(const drop_schedule_op&, redis_group&) {
  // nop
}

void need(const settle_callback_op&, redis_group&) {
  // nop
}

void need(const put_queue_op& op, redis_group& group) {
  group.need_limit(flow_name_of_queue(op.queue));
}

void need(const put_limit_op& op, redis_group& group) {
  group.need_limit(flow_name_of_key(op.key));
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

/// New jobs, at most.
std::size_t jobs_of(const operation& op) {
  if (const auto* spawn = std::get_if<spawn_op>(&op))
    return spawn->children.size();
  return std::holds_alternative<submit_op>(op) ? 1 : 0;
}

std::size_t size_of(const operation& op, redis_group& group) {
  const auto rewritten = [&](const std::string& id) {
    const auto& it = group.at(id);
    return it.bytes + bytes_of_edges(it.record.job);
  };
  return std::visit(
    [&]<class Op>(const Op& one) -> std::size_t {
      if constexpr (std::is_same_v<Op, submit_op>)
        return one.draft.params.size() + bytes_of_edges(one.draft);
      else if constexpr (!requires { one.id; })
        return 0;
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
    submits += jobs_of(op);
  }
  group.need_room(submits);
  if (auto read = group.read(); !read)
    return read;
  for (const auto& op : ops)
    need_more(op, group);
  return group.read();
}

std::vector<applied> perform_all(std::span<const operation> ops,
                                 redis_group& group) {
  std::vector<applied> answers;
  answers.reserve(ops.size());
  std::size_t bytes = 0;
  for (const auto& op : ops) {
    bytes += size_of(op, group);
    if (bytes > bytes_per_group && !answers.empty())
      break;
    answers.push_back(perform(op, group));
  }
  return answers;
}

} // namespace troupe::store
