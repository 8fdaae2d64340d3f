#include "actors/commit_group.hpp"

#include <iterator>
#include <utility>

namespace troupe::actors {

namespace {

using store::job_state;

store::operation to_operation(job_command& command) {
  switch (command.kind) {
  case job_command_kind::cancel:
    return store::cancel_op{std::move(command.id)};
  case job_command_kind::retry:
    return store::retry_op{std::move(command.id)};
  case job_command_kind::pause:
    return store::pause_op{std::move(command.id)};
  case job_command_kind::resume:
    return store::resume_op{std::move(command.id)};
  case job_command_kind::purge:
    break;
  }
  return store::purge_op{std::move(command.id)};
}

} // namespace

std::optional<job_event_type> event_of_state(job_state state,
                                             job_event_type when_waiting) {
  switch (state) {
  case job_state::scheduled:
  case job_state::queued:
    return when_waiting;
  case job_state::paused:
    return job_event_type::paused;
  case job_state::cancelling:
    return job_event_type::cancelling;
  case job_state::succeeded:
    return job_event_type::succeeded;
  case job_state::failed:
    return job_event_type::failed;
  case job_state::cancelled:
    return job_event_type::cancelled;
  default:
    return std::nullopt;
  }
}

std::optional<job_event_type> event_of(const store::operation& op,
                                       const store::applied& done,
                                       bool in_doubt) {
  using namespace store;
  if (done.error != store::errc::none || done.replayed
      || !(done.changed || in_doubt))
    return std::nullopt;
  if (std::holds_alternative<submit_op>(op))
    return job_event_type::created;
  if (std::holds_alternative<resume_op>(op))
    return job_event_type::resumed;
  if (std::holds_alternative<pause_op>(op))
    return done.job.state == job_state::paused
             ? std::optional{job_event_type::paused}
             : std::nullopt;
  if (std::holds_alternative<fail_op>(op))
    return event_of_state(done.job.state, job_event_type::retrying);
  if (std::holds_alternative<succeed_op>(op)
      || std::holds_alternative<release_op>(op)
      || std::holds_alternative<cancel_op>(op)
      || std::holds_alternative<withdraw_op>(op)
      || std::holds_alternative<retry_op>(op))
    return event_of_state(done.job.state, job_event_type::queued);
  return std::nullopt;
}

bool commit_group::claim_key(const std::string& scope) {
  return scope.empty() || scopes_.insert(scope).second;
}

void commit_group::add(submit_request request) {
  ops.emplace_back(std::move(request.op));
  entries.emplace_back(submit_entry{std::move(request.reply)});
}

void commit_group::add(job_command command) {
  ops.push_back(to_operation(command));
  entries.emplace_back(command_entry{std::move(command.reply)});
}

void commit_group::add(change_call call) {
  ops.push_back(std::move(call.op));
  entries.emplace_back(change_entry{std::move(call.reply)});
}

void commit_group::add(std::vector<store::operation> more, room freed,
                       settle_promise promise, std::int64_t logged) {
  entries.emplace_back(
    settle_entry{more.size(), std::move(freed), std::move(promise), logged});
  ops.insert(ops.end(), std::make_move_iterator(more.begin()),
             std::make_move_iterator(more.end()));
}

namespace {

std::size_t operations_of(const commit_group::entry& it) {
  const auto* settled_by = std::get_if<commit_group::settle_entry>(&it);
  return settled_by ? settled_by->count : 1;
}

template <class T>
void move_front(std::vector<T>& from, std::size_t count, std::vector<T>& to) {
  const auto end = from.begin() + static_cast<std::ptrdiff_t>(count);
  to.insert(to.end(), std::make_move_iterator(from.begin()),
            std::make_move_iterator(end));
  from.erase(from.begin(), end);
}

} // namespace

commit_group commit_group::take_front(std::size_t most) {
  std::size_t count = 0;
  std::size_t taken = 0;
  while (taken < entries.size()
         && (taken == 0 || count + operations_of(entries[taken]) <= most))
    count += operations_of(entries[taken++]);
  commit_group front;
  move_front(ops, count, front.ops);
  move_front(entries, taken, front.entries);
  return front;
}

void commit_group::append(commit_group other) {
  move_front(other.ops, other.ops.size(), ops);
  move_front(other.entries, other.entries.size(), entries);
}

void commit_group::prepend(commit_group other) {
  other.append(std::move(*this));
  *this = std::move(other);
}

void commit_group::forget_room(const std::string& queue) {
  for (auto& one : entries)
    if (auto* it = std::get_if<settle_entry>(&one);
        it && it->freed.queue == queue)
      it->freed.slots = it->freed.urgent = 0;
}

void commit_group::take_settlements(commit_group other, const failure& why) {
  auto next = other.ops.begin();
  for (auto& waiting : other.entries) {
    if (auto* it = std::get_if<settle_entry>(&waiting)) {
      const auto end = next + static_cast<std::ptrdiff_t>(it->count);
      ops.insert(ops.end(), std::make_move_iterator(next),
                 std::make_move_iterator(end));
      next = end;
      entries.push_back(std::move(waiting));
      continue;
    }
    ++next;
    if (auto* asked = std::get_if<submit_entry>(&waiting))
      asked->reply(why);
    else if (auto* change = std::get_if<change_entry>(&waiting))
      change->reply(why);
    else
      std::get<command_entry>(waiting).reply(why);
  }
}

} // namespace troupe::actors
