#include "actors/store/transactional_store.hpp"

#include "actors/store/archive.hpp"
#include "actors/store/batches.hpp"
#include "actors/store/callbacks.hpp"
#include "actors/store/follow.hpp"
#include "actors/store/schedules.hpp"
#include "actors/store/transitions.hpp"
#include "media/job_types.hpp"

#include <algorithm>

namespace troupe::store {

namespace {

/// Bytes of drafts in one chunk of a batch, more or less.
constexpr std::size_t bytes_at_once = 512 * 1024;

using chunks = std::vector<std::span<const job_draft>>;

chunks in_chunks(std::span<const job_draft> jobs, std::size_t most) {
  chunks found;
  std::size_t begin = 0, bytes = 0;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    bytes += jobs[i].params.size();
    if (i + 1 == jobs.size() || i + 1 - begin == most
        || bytes > bytes_at_once) {
      found.push_back(jobs.subspan(begin, i + 1 - begin));
      begin = i + 1;
      bytes = 0;
    }
  }
  return found;
}

std::string pack_answer(const batch_submitted& it) {
  archive_writer out;
  out(it.batch.id);
  out.list(it.ids, [](auto& f, auto& id) { f(id); });
  return std::move(out).take();
}

bool unpack_answer(std::string_view bytes, batch_submitted& it) {
  archive_reader from{bytes};
  from(it.batch.id);
  from.list(it.ids, [](auto& f, auto& id) { f(id); });
  return from.done();
}

/// An answer that was given before: `none` when there was one.
errc replay(const idempotency& key, batch_submitted& out, transaction& in) {
  if (key.scope.empty())
    return errc::not_found;
  const auto before = in.kept(key.scope);
  if (!before || before->bytes.empty()) // or it was taken back
    return errc::not_found;
  if (before->body_hash != key.body_hash)
    return errc::idempotency_mismatch;
  if (!unpack_answer(before->bytes, out))
    return errc::corrupt;
  out.replayed = true;
  return errc::none;
}

void keep(const idempotency& key, const batch_submitted& answer,
          transaction& in) {
  if (!key.scope.empty())
    in.keep(key.scope, {key.body_hash, pack_answer(answer)});
}

} // namespace

result<follow_result>
transactional_store::follow(const sweep_request& request) {
  follow_result out;
  const auto done = transact(access::add, [&](transaction& in) {
    follow_step(in, options_, request.max, out);
    return errc::none;
  });
  if (!done)
    return done.error();
  return out;
}

// -- batches ------------------------------------------------------------------

result<void> transactional_store::stage(const batch_draft& draft,
                                        std::span<const job_draft> jobs) {
  auto done = transact(access::add, [&](transaction& in) {
    begin_batch(draft, jobs.size(), in);
    return errc::none;
  });
  for (const auto chunk : in_chunks(jobs, jobs_at_once()))
    if (done)
      done = transact(access::add, [&](transaction& in) {
        return stage_chunk(draft.id, chunk, in);
      });
  return done;
}

/// What is left of this to others, or until there is memory, is done all the
/// same, by `follow`.
result<void> transactional_store::open_all(const std::string& batch) {
  for (std::optional<std::uint64_t> opened;;) {
    bool more = false;
    std::uint64_t at = 0;
    auto done = transact(access::add, [&](transaction& in) {
      const auto it = read_batch(batch, in);
      at = it ? it->opened : 0;
      more = it && it->phase == batch_phase::opening && at != opened;
      std::vector<job> added;
      if (more)
        follow_batch(batch, options_.retention_ms, added, in);
      return errc::none;
    });
    if (!done || !more)
      return done;
    opened = at;
  }
}

/// Invisible, chunk by chunk, until the one transaction that shows it.
result<void> transactional_store::add_staged(const batch_draft& draft,
                                             std::span<const job_draft> jobs,
                                             const idempotency& key,
                                             const batch_submitted& answer) {
  auto done = stage(draft, jobs);
  if (done)
    done = transact(access::add, [&](transaction& in) {
      keep(key, answer, in);
      return show_batch(draft.id, in);
    });
  return done ? open_all(draft.id) : done;
}

result<durability> transactional_store::secure(durability,
                                               std::span<const std::string>) {
  return level();
}

/// What was written may be less safe than a job insists on: then it was never
/// submitted.
result<void> transactional_store::secure_batch(const batch_draft& draft,
                                               std::span<const job_draft> jobs,
                                               const idempotency& key) {
  const auto wanted = std::max(draft.asked, draft.required);
  if (wanted == durability::memory)
    return {};
  std::vector<std::string> ids;
  for (const auto& it : jobs)
    ids.push_back(it.id);
  const auto reached = secure(wanted, ids);
  if (!reached)
    return reached.error();
  if (*reached >= draft.required)
    return {};
  if (auto undone = withdraw_batch(draft, ids, key); !undone)
    return undone;
  return fail(errc::not_durable);
}

/// @return how many it has changed
template <class Operation>
result<std::size_t>
transactional_store::drop_jobs(std::span<const std::string> jobs) {
  std::size_t changed = 0;
  while (!jobs.empty()) {
    const auto some = jobs.last(std::min(jobs.size(), jobs_at_once()));
    std::vector<operation> ops;
    for (auto id = some.rbegin(); id != some.rend(); ++id) {
      Operation op;
      op.id = *id;
      ops.emplace_back(std::move(op));
    }
    const auto done = apply(ops);
    if (!done)
      return done.error();
    changed += std::ranges::count(*done, true, &applied::changed);
    jobs = jobs.first(jobs.size() - some.size());
  }
  return changed;
}

/// From the last one on; what others in its write still waited for goes in
/// the next turn. Those that have begun are cancelled, and keep their batch.
result<void>
transactional_store::withdraw_batch(const batch_draft& draft,
                                    std::span<const std::string> jobs,
                                    const idempotency& key) {
  auto done = transact(access::write, [&](transaction& in) {
    stop_opening(draft.id, in);
    if (!key.scope.empty())
      in.keep(key.scope, {});
    return errc::none;
  });
  if (!done)
    return done;
  for (bool first = true, more = true; more; first = false) {
    const auto gone =
      first ? drop_jobs<withdraw_op>(jobs) : drop_jobs<purge_op>(jobs);
    if (!gone)
      return gone.error();
    more = first || *gone > 0;
  }
  list_query left;
  left.batch = draft.id;
  const auto begun = list(left);
  if (!begun)
    return begun.error();
  return transact(access::write, [&](transaction& in) {
    if (begun->jobs.empty())
      forget_batch(draft.id, in);
    else
      settle_batch(draft.id, in);
    return errc::none;
  });
}

result<batch_submitted>
transactional_store::submit_batch(const batch_draft& draft,
                                  std::span<const job_draft> jobs,
                                  const idempotency& key) {
  const auto ordered = in_order(jobs);
  if (!ordered)
    return ordered.error();
  batch_submitted fresh;
  fresh.batch.id = draft.id;
  for (const auto& it : jobs)
    fresh.ids.push_back(it.id);
  const bool whole = in_chunks(*ordered, jobs_at_once()).size() <= 1;
  batch_submitted answer;
  auto done = transact(access::add, [&](transaction& in) -> errc {
    answer = fresh;
    if (const auto before = replay(key, answer, in); before != errc::not_found)
      return before;
    answer.replayed = store::get_batch(draft.id, in).has_value();
    if (answer.replayed)
      return errc::none;
    if (const auto may = may_add(*ordered, in); may != errc::none)
      return may;
    if (whole) {
      add_batch(draft, *ordered, in);
      keep(key, answer, in);
    }
    return errc::none;
  });
  if (done && !whole && !answer.replayed)
    done = add_staged(draft, *ordered, key, answer);
  if (done && !answer.replayed)
    done = secure_batch(draft, *ordered, key);
  if (!done)
    return done.error();
  auto stored = get_batch(answer.batch.id);
  if (!stored)
    return stored.error();
  answer.batch = std::move(*stored);
  return answer;
}

result<batch> transactional_store::get_batch(const std::string& id) {
  std::optional<batch> found;
  const auto done = transact(access::read, [&](transaction& in) {
    found = store::get_batch(id, in);
    return errc::none;
  });
  if (!done)
    return done.error();
  if (!found)
    return fail(errc::not_found, id);
  return std::move(*found);
}

// -- many jobs ----------------------------------------------------------------

namespace {

bool takes(bulk_action action, const job& it) {
  switch (action) {
  case bulk_action::retry:
    return it.state == job_state::failed || it.state == job_state::cancelled;
  case bulk_action::cancel:
    return is_waiting(it.state)
           || (it.state == job_state::running && !it.publishing);
  case bulk_action::purge:
    return is_terminal(it.state);
  }
  return false;
}

operation operation_of(bulk_action action, const std::string& id) {
  if (action == bulk_action::retry)
    return retry_op{id};
  if (action == bulk_action::cancel)
    return cancel_op{id};
  return purge_op{id};
}

} // namespace

result<bulk_result> transactional_store::bulk(const bulk_request& request) {
  auto query = request.filter;
  query.page_size = std::clamp(request.max, 1u, 1000u);
  query.page_token = request.cursor;
  auto page = list(query);
  if (!page)
    return page.error();
  bulk_result out;
  out.next_cursor = page->next_page_token;
  std::erase_if(page->jobs,
                [&](const job& it) { return !takes(request.action, it); });
  out.matched = page->jobs.size();
  if (request.dry_run || page->jobs.empty())
    return out;
  std::vector<operation> ops;
  for (const auto& it : page->jobs)
    ops.push_back(operation_of(request.action, it.id));
  auto answers = apply(ops);
  if (!answers)
    return answers.error();
  for (std::size_t i = 0; i < ops.size(); ++i) {
    auto& done = (*answers)[i];
    out.follow = out.follow || done.follow;
    if (done.changed)
      out.changed.push_back(request.action == bulk_action::purge
                              ? std::move(page->jobs[i])
                              : std::move(done.job));
  }
  return out;
}

// -- schedules, callbacks, logs -----------------------------------------------

result<std::vector<schedule>> transactional_store::schedules() {
  std::vector<schedule> all;
  const auto done = transact(access::read, [&](transaction& in) {
    all = read_schedules(in);
    return errc::none;
  });
  if (!done)
    return done.error();
  return all;
}

result<schedule> transactional_store::get_schedule(const std::string& name) {
  std::optional<schedule> found;
  const auto done = transact(access::read, [&](transaction& in) {
    found = read_schedule(name, in);
    return errc::none;
  });
  if (!done)
    return done.error();
  if (!found)
    return fail(errc::not_found, name);
  return std::move(*found);
}

result<std::vector<callback>>
transactional_store::take_callbacks(std::uint32_t max) {
  std::vector<callback> taken;
  const auto done = transact(access::write, [&](transaction& in) {
    taken = store::take_callbacks(std::min<std::size_t>(max, 256), in);
    return errc::none;
  });
  if (!done)
    return done.error();
  return taken;
}

result<std::vector<callback>>
transactional_store::dead_callbacks(const std::string& after,
                                    std::uint32_t max) {
  std::vector<callback> found;
  const auto done = transact(access::read, [&](transaction& in) {
    found = store::dead_callbacks(after, std::min<std::size_t>(max, 1000), in);
    return errc::none;
  });
  if (!done)
    return done.error();
  return found;
}

result<void> transactional_store::retry_callback(const std::string& id) {
  return transact(access::write, [&](transaction& in) {
    return store::retry_callback(id, in);
  });
}

result<std::string> transactional_store::log_of(const std::string& id) {
  std::string text;
  const auto done = transact(access::read, [&](transaction& in) {
    if (const auto found = in.find(id); !found)
      return found.error;
    text = in.read(record_kind::log, id).value_or(std::string{});
    return errc::none;
  });
  if (!done)
    return done.error();
  return text;
}

// -- limits -------------------------------------------------------------------

result<std::vector<queue_info>> transactional_store::queues() {
  auto known = depths();
  if (!known)
    return known.error();
  // One that has never held a job may be limited all the same.
  for (const auto& type : media::job_types())
    if (std::ranges::find(*known, type.queue, &queue_depth::queue)
        == known->end())
      known->emplace_back().queue = type.queue;
  std::vector<queue_info> found;
  const auto done = transact(access::read, [&](transaction& in) {
    found.clear();
    for (const auto& it : *known) {
      const auto limit = in.limit(flow_name_of_queue(it.queue));
      found.push_back({it, limit.paused, limit.concurrency, limit.rate_per_s,
                       limit.key_concurrency, 0});
    }
    return errc::none;
  });
  if (!done)
    return done.error();
  return found;
}

result<key_limit> transactional_store::limit_of(const std::string& key) {
  key_limit found;
  const auto done = transact(access::read, [&](transaction& in) {
    const auto limit = in.limit(flow_name_of_key(key));
    found = {key, limit.concurrency, limit.rate_per_s};
    return errc::none;
  });
  if (!done)
    return done.error();
  return found;
}

} // namespace troupe::store
