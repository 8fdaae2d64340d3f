#include "actors/store/archive.hpp"
#include "actors/store/batches.hpp"
#include "actors/store/dependants.hpp"
#include "actors/store/transactional_store.hpp"
#include "actors/store/transitions.hpp"

#include <algorithm>

namespace troupe::store {

namespace {

/// Bytes of drafts in one chunk of a batch, more or less.
constexpr std::size_t bytes_at_once = 512 * 1024;

using chunks = std::vector<std::span<const job_draft>>;

/// Each of what one transaction adds: so many jobs, and so many bytes, unless
/// one job alone has more.
chunks in_chunks(std::span<const job_draft> jobs, std::size_t most) {
  chunks found;
  std::size_t begin = 0, bytes = 0;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const auto more = jobs[i].params.size() + bytes_of_edges(jobs[i]);
    if (i > begin && (i - begin == most || bytes + more > bytes_at_once)) {
      found.push_back(jobs.subspan(begin, i - begin));
      begin = i;
      bytes = 0;
    }
    bytes += more;
  }
  if (begin < jobs.size())
    found.push_back(jobs.subspan(begin));
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
  // Who does not insist has a batch, whatever cannot be asked now.
  if (draft.required == durability::memory
      || (reached && *reached >= draft.required))
    return {};
  if (auto undone = withdraw_batch(draft, ids, key); !undone)
    return undone;
  return reached ? result<void>{fail(errc::not_durable)} : reached.error();
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

} // namespace troupe::store
