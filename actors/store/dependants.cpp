#include "actors/store/dependants.hpp"

#include "actors/store/batches.hpp"
#include "actors/store/callbacks.hpp"
#include "actors/store/handed_on.hpp"
#include "actors/store/put_off.hpp"

#include <algorithm>
#include <set>

namespace troupe::store {

namespace {

/// Parents that an ended job leaves in the transaction of its end.
constexpr std::size_t parents_at_once = 256;
/// Of what one step of a release changes.
constexpr std::size_t released_at_once = 512 * 1024;

/// Notes that others hang on a job. What has ended is written for it: whoever
/// wants to forget it now has read it before, and must look again.
void follow(job& parent, transaction& in) {
  if (parent.followed && !is_terminal(parent.state))
    return in.guard(parent);
  parent.followed = true;
  in.save(parent, parent.state);
}

/// Puts a job among those who wait for a parent, and takes care that its end
/// is noticed, be it past.
void wait_for(job& parent, const std::string& child, transaction& in) {
  in.link(link_kind::waits, parent.id, child);
  follow(parent, in);
  if (is_terminal(parent.state))
    in.write(record_kind::release, parent.id, {}, in.now());
}

bool all_stored(const std::vector<std::string>& ids, transaction& in) {
  in.prefetch(ids);
  return std::ranges::all_of(
    ids, [&](const auto& id) { return static_cast<bool>(in.find(id)); });
}

/// Each parent once.
std::vector<std::string> without_doubles(std::vector<std::string> ids) {
  std::set<std::string_view> seen;
  std::vector<std::string> once;
  for (auto& id : ids)
    if (seen.insert(id).second)
      once.push_back(id);
  return once;
}

applied known(const found_job& found, transaction& in) {
  applied answer;
  answer.error = found.error;
  if (found)
    answer.job = in.answer_of(*found.it);
  return answer;
}

applied insert(job added, bool promised, transaction& in) {
  auto* it = in.insert(std::move(added), promised);
  if (it == nullptr)
    return refused(errc::queue_full);
  for (const auto& id : it->depends_on)
    wait_for(*in.find(id).it, it->id, in);
  return {errc::none, true, false, in.answer_of(*it)};
}

bool failed_for(const job& child, const job& parent) {
  return is_terminal(parent.state) && parent.state != job_state::succeeded
         && child.on_parent_failure != parent_policy::run;
}

/// How a parent that has ended did so; null: it is not stored any more.
struct parent_end {
  const std::string& id;
  const job* it = nullptr;
};

bool failed_for(const job& child, const parent_end& end) {
  return end.it ? failed_for(child, *end.it)
                : child.on_parent_failure != parent_policy::run;
}

job_error why_failed(const parent_end& end) {
  const auto how = end.it ? to_string(end.it->state) : "is gone";
  return {"parent_failed", "job " + end.id + ' ' + std::string{how}, false, 0};
}

/// What the end of a parent does to a child that waits.
void settle(job& child, const parent_end& end, transaction& in) {
  const auto before = child.state;
  bool redrafted = false;
  if (failed_for(child, end)) {
    const bool fails = child.on_parent_failure == parent_policy::fail;
    give_up(child, fails ? why_failed(end) : job_error{}, in.now());
  } else {
    parent_ended(child, in.now());
    if (child.pending == 0)
      if (auto why = hand_on(child, redrafted, in))
        give_up(child, {"parent_failed", std::move(*why), false, 0}, in.now());
  }
  if (redrafted)
    in.save_draft(child, before);
  else
    in.save(child, before);
}

void leave_parents(const job& it, std::size_t from, std::size_t count,
                   transaction& in) {
  const auto end = std::min(it.depends_on.size(), from + count);
  for (auto i = from; i < end; ++i) {
    in.unlink(link_kind::waits, it.depends_on[i], it.id);
    in.unlink(link_kind::holds, it.depends_on[i], it.id);
  }
}

} // namespace

applied add_job(const job_draft& draft, transaction& in, bool promised) {
  if (!draft.unique_key.empty())
    if (const auto holder = in.holder_of(draft.unique_key); !holder.empty())
      if (const auto found = in.find(holder); found.error != errc::not_found)
        return known(found, in);
  if (const auto found = in.find(draft.id); found.error != errc::not_found)
    return known(found, in);
  if (draft.depends_on.empty())
    return insert(make_job(draft, in.now(), in.reached()), promised, in);
  if (!all_stored(draft.depends_on, in))
    return refused(errc::no_parent);
  auto once = draft;
  once.depends_on = without_doubles(draft.depends_on);
  return insert(make_job(once, in.now(), in.reached()), promised, in);
}

result<std::vector<job>> add_children(const spawn_op& op, transaction& in) {
  std::vector<std::string> ids;
  for (const auto& child : op.children)
    ids.push_back(child.id);
  in.prefetch(ids);
  std::vector<const job_draft*> fresh;
  std::set<std::string_view> siblings;
  for (const auto& child : op.children) {
    if (in.find(child.id))
      continue;
    for (const auto& parent : child.depends_on)
      if (!siblings.contains(parent) && !in.find(parent))
        return fail(errc::no_parent, parent);
    siblings.insert(child.id);
    fresh.push_back(&child);
  }
  if (!in.has_room_for(fresh.size(), false))
    return fail(errc::queue_full);
  std::vector<job> added;
  for (const auto* draft : fresh) {
    auto child = *draft;
    child.parent = op.id;
    if (auto done = add_job(child, in); done.changed)
      added.push_back(std::move(done.job));
  }
  return added;
}

verdict retry_job(job& it, transaction& in) {
  const bool taken = is_terminal(it.state) && !it.unique_key.empty()
                     && !in.holder_of(it.unique_key).empty();
  if (taken || !is_terminal(it.state) || it.state == job_state::succeeded)
    return {errc::invalid_state};
  std::vector<job*> waits, holds;
  in.prefetch(it.depends_on);
  for (const auto& id : it.depends_on) {
    const auto parent = in.find(id);
    if (!parent)
      continue;
    if (failed_for(it, *parent.it))
      return {errc::parent_failed};
    (is_terminal(parent.it->state) ? holds : waits).push_back(parent.it);
  }
  bool redrafted = false;
  if (!it.depends_on.empty() && waits.empty() && hand_on(it, redrafted, in))
    return {errc::no_result};
  for (auto* parent : waits)
    wait_for(*parent, it.id, in);
  for (auto* parent : holds) {
    in.link(link_kind::holds, parent->id, it.id);
    follow(*parent, in);
  }
  auto said = retry(it, static_cast<std::uint32_t>(waits.size()), in.now());
  said.draft = redrafted;
  return said;
}

void wait_again(job& child, transaction& in) {
  const auto before = child.state;
  child.pending = 0;
  in.prefetch(child.depends_on);
  for (const auto& id : child.depends_on)
    if (const auto parent = in.find(id)) {
      wait_for(*parent.it, child.id, in);
      ++child.pending;
    }
  if (child.pending > 0)
    return in.save(child, before);
  child.pending = 1;
  settle(child, {child.depends_on.back(), nullptr}, in);
}

void job_ended(const job& it, transaction& in) {
  if (!it.batch.empty())
    in.write(record_kind::progress, it.batch, {}, in.now());
  if (!it.callback_url.empty())
    note_callback(it, in);
  if (it.followed)
    in.write(record_kind::release, it.id, {}, in.now());
  if (it.depends_on.size() > parents_at_once)
    in.write(record_kind::unhold, it.id, {}, in.now());
  else
    leave_parents(it, 0, parents_at_once, in);
}

bool is_awaited(const job& it, transaction& in) {
  return it.followed
         && (!in.links(link_kind::waits, it.id, {}, 1).empty()
             || !in.links(link_kind::holds, it.id, {}, 1).empty());
}

bool is_kept(const job& it, transaction& in) {
  return is_awaited(it, in) || (!it.batch.empty() && is_open(it.batch, in))
         || (!it.callback_url.empty() && has_callbacks_due(it.id, in));
}

void forget_job(const job& it, transaction& in) {
  in.remove(record_kind::log, it.id);
  if (!it.callback_url.empty())
    forget_callbacks(it, in);
  if (it.depends_on.size() > parents_at_once) {
    in.remove(record_kind::unhold, it.id);
    leave_parents(it, 0, it.depends_on.size(), in);
  }
  in.erase(it);
}

std::size_t release_some(const std::string& parent, std::size_t max,
                         std::vector<job>& changed, transaction& in) {
  const auto ended = in.find(parent);
  // Retried meanwhile: it will end again.
  if (ended && !is_terminal(ended.it->state)) {
    in.remove(record_kind::release, parent);
    return 0;
  }
  const auto children = in.links(link_kind::waits, parent, {}, max);
  in.prefetch(children);
  std::size_t bytes = 0;
  for (const auto& id : children) {
    if (bytes > released_at_once)
      return max;
    in.unlink(link_kind::waits, parent, id);
    const auto child = in.find(id);
    const bool waits = child && child.it->pending > 0
                       && (child.it->state == job_state::blocked
                           || child.it->state == job_state::paused);
    if (!waits)
      continue;
    bytes += bytes_of_edges(*child.it);
    if (ended)
      in.link(link_kind::holds, parent, id);
    const auto revision = child.it->revision;
    settle(*child.it, {parent, ended.it}, in);
    if (child.it->revision != revision)
      changed.push_back(*child.it);
  }
  if (children.size() < max)
    in.remove(record_kind::release, parent);
  return children.size();
}

void unhold(const std::string& child, transaction& in) {
  const auto ended = in.find(child);
  const auto at = in.read(record_kind::unhold, child);
  if (!ended || !at || !is_terminal(ended.it->state)
      || !can_be_read(record_kind::unhold, *at)) {
    in.remove(record_kind::unhold, child);
    return;
  }
  const std::size_t from = at->empty() ? 0 : std::stoull(*at);
  leave_parents(*ended.it, from, parents_at_once, in);
  if (from + parents_at_once < ended.it->depends_on.size())
    in.write(record_kind::unhold, child, std::to_string(from + parents_at_once),
             in.now());
  else
    in.remove(record_kind::unhold, child);
}

} // namespace troupe::store
