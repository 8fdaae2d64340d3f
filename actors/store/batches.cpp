#include "actors/store/batches.hpp"

#include "actors/store/batch_record.hpp"
#include "actors/store/callbacks.hpp"
#include "actors/store/dependants.hpp"
#include "actors/store/put_off.hpp"
#include "config/log.hpp"

#include <algorithm>
#include <numeric>
#include <set>

namespace troupe::store {

namespace {

/// When the server had no memory for a chunk.
constexpr std::int64_t try_again_ms = 1000;
/// When the end of a batch was not told yet.
constexpr std::int64_t tell_again_ms = callback_hidden_ms;

/// It has its place in the batch, but never runs.
void add_ended(const job_draft& draft, job_error why, job_state state,
               transaction& in) {
  auto it = make_job(draft, in.now(), in.reached());
  it.state = state;
  it.finished_at = in.now();
  it.errors.push_back(std::move(why));
  if (const auto* added = in.insert(std::move(it), true))
    job_ended(*added, in);
}

/// What was promised when the batch was shown is kept, whatever came since.
void add_promised(job_draft draft, const std::string& batch,
                  std::vector<job>* changed, transaction& in) {
  draft.batch = batch;
  const auto done = add_job(draft, in, true);
  if (done.error == errc::no_parent)
    add_ended(draft, {"parent_failed", "a job it depends on is gone", false, 0},
              job_state::failed, in);
  else if (!done.changed && done.job.id != draft.id)
    add_ended(
      draft,
      {"duplicate", "job " + done.job.id + " has its unique_key", false, 0},
      job_state::cancelled, in);
  else if (done.changed && changed != nullptr)
    changed->push_back(done.job);
}

void prefetch_all(std::span<const job_draft> jobs, transaction& in) {
  std::vector<std::string> ids;
  for (const auto& draft : jobs) {
    ids.push_back(draft.id);
    ids.insert(ids.end(), draft.depends_on.begin(), draft.depends_on.end());
  }
  in.prefetch(ids);
}

void remove_staged(const batch_record& it, transaction& in) {
  for (auto chunk = it.opened; chunk < it.chunks; ++chunk)
    in.remove(record_kind::staged, chunk_key(it.id, chunk));
  in.remove(record_kind::batch, it.id);
}

/// With its last chunk a batch has all the jobs that it will ever have: fewer
/// than it was made with if some could not be read.
void settle_total(batch_record& it, std::size_t added, transaction& in) {
  const auto before = in.tally(it.id);
  const auto there =
    std::accumulate(before.begin(), before.end(), std::uint64_t{added});
  if (there >= it.total)
    return;
  log::error("jobs of a batch are lost: what was stored cannot be read",
             {{"batch", it.id}, {"lost", std::to_string(it.total - there)}});
  it.total = there;
}

void open_chunk(batch_record it, std::vector<job>& changed, transaction& in) {
  const auto key = chunk_key(it.id, it.opened);
  const auto bytes = in.read(record_kind::staged, key);
  auto jobs = unpack_chunk(bytes.value_or(std::string{}));
  prefetch_all(jobs, in);
  if (!in.has_room_for(jobs.size(), true)) {
    save_batch(it, in.now() + try_again_ms, in);
    return;
  }
  if (it.opened + 1 >= it.chunks)
    settle_total(it, jobs.size(), in);
  for (auto& draft : jobs)
    add_promised(std::move(draft), it.id, &changed, in);
  in.remove(record_kind::staged, key);
  if (++it.opened < it.chunks) {
    save_batch(it, in.now(), in);
    return;
  }
  it.phase = batch_phase::open;
  save_batch(it, 0, in);
  // All of them may have ended by now.
  in.write(record_kind::progress, it.id, {}, in.now());
}

batch counted(const batch_record& it, transaction& in) {
  batch found;
  static_cast<batch_draft&>(found) = it;
  found.created_at = it.created_at;
  found.finished_at = it.finished_at;
  found.total = it.total;
  const auto jobs = in.tally(it.id);
  for (std::size_t state = 0; state < job_state_count; ++state)
    found.by_state[state] =
      static_cast<std::uint64_t>(std::max<std::int64_t>(jobs[state], 0));
  return found;
}

batch_record new_record(const batch_draft& draft, std::uint64_t total,
                        transaction& in) {
  batch_record it;
  static_cast<batch_draft&>(it) = draft;
  it.created_at = in.now();
  it.total = total;
  return it;
}

} // namespace

// -- making -------------------------------------------------------------------

errc may_add(std::span<const job_draft> jobs, transaction& in) {
  if (!in.has_room_for(jobs.size(), false))
    return errc::queue_full;
  std::set<std::string_view> own;
  for (const auto& it : jobs)
    own.insert(it.id);
  std::vector<std::string> others;
  for (const auto& it : jobs)
    for (const auto& parent : it.depends_on)
      if (!own.contains(parent))
        others.push_back(parent);
  in.prefetch(others);
  const bool all_there = std::ranges::all_of(
    others, [&](const auto& id) { return static_cast<bool>(in.find(id)); });
  return all_there ? errc::none : errc::no_parent;
}

void add_batch(const batch_draft& draft, std::span<const job_draft> jobs,
               transaction& in) {
  auto it = new_record(draft, jobs.size(), in);
  it.phase = batch_phase::open;
  save_batch(it, 0, in);
  prefetch_all(jobs, in);
  for (const auto& one : jobs)
    add_promised(one, draft.id, nullptr, in);
  if (jobs.empty())
    in.write(record_kind::progress, draft.id, {}, in.now());
}

void begin_batch(const batch_draft& draft, std::uint64_t total,
                 transaction& in) {
  save_batch(new_record(draft, total, in), in.now() + staging_ms, in);
}

errc stage_chunk(const std::string& id, std::span<const job_draft> jobs,
                 transaction& in) {
  auto it = read_batch(id, in);
  if (!it || it->phase != batch_phase::staging)
    return errc::not_found;
  in.write(record_kind::staged, chunk_key(id, it->chunks), pack_chunk(jobs));
  ++it->chunks;
  save_batch(*it, in.now() + staging_ms, in);
  return errc::none;
}

void stop_opening(const std::string& id, transaction& in) {
  auto it = read_batch(id, in);
  if (!it || it->phase == batch_phase::open)
    return;
  for (auto chunk = it->opened; chunk < it->chunks; ++chunk)
    in.remove(record_kind::staged, chunk_key(id, chunk));
  it->phase = batch_phase::open;
  save_batch(*it, 0, in);
}

void forget_batch(const std::string& id, transaction& in) {
  forget_callbacks(id, in);
  in.drop_tally(id);
  in.remove(record_kind::progress, id);
  in.remove(record_kind::batch, id);
}

errc show_batch(const std::string& id, transaction& in) {
  auto it = read_batch(id, in);
  if (!it || it->phase != batch_phase::staging)
    return errc::not_found;
  it->phase = batch_phase::opening;
  save_batch(*it, in.now(), in);
  return errc::none;
}

// -- following ----------------------------------------------------------------

namespace {

/// Its time is up, but its end may not have been told, or a job of it was
/// retried since.
void forget_finished(const batch_record& it, transaction& in) {
  const auto now = counted(it, in);
  const auto all =
    std::accumulate(now.by_state.begin(), now.by_state.end(), std::uint64_t{0});
  if (now.ended() < all
      || (!it.callback_url.empty() && has_callbacks_due(it.id, in)))
    save_batch(it, in.now() + tell_again_ms, in);
  else
    forget_batch(it.id, in);
}

} // namespace

void follow_batch(const std::string& id, std::int64_t retention_ms,
                  std::vector<job>& changed, transaction& in) {
  const auto it = read_batch(id, in);
  if (!it)
    return put_off(record_kind::batch, id, in);
  if (it->phase == batch_phase::staging)
    remove_staged(*it, in);
  else if (it->phase == batch_phase::opening)
    open_chunk(*it, changed, in);
  else if (it->finished_at != 0 && it->finished_at + retention_ms <= in.now())
    forget_finished(*it, in);
  else // another server's retention may be shorter
    save_batch(*it, it->finished_at == 0 ? 0 : it->finished_at + retention_ms,
               in);
}

std::optional<batch> follow_progress(const std::string& id,
                                     std::int64_t retention_ms,
                                     transaction& in) {
  in.remove(record_kind::progress, id);
  auto it = read_batch(id, in);
  if (!it) {
    if (!in.read(record_kind::batch, id))
      in.drop_tally(id); // it is forgotten
    return {};
  }
  auto now = counted(*it, in);
  const bool ends = it->phase == batch_phase::open && it->finished_at == 0
                    && now.ended() >= it->total;
  if (!ends)
    return now;
  it->finished_at = now.finished_at = in.now();
  save_batch(*it, it->finished_at + retention_ms, in);
  if (!it->callback_url.empty())
    note_callback(now, in);
  return now;
}

void settle_batch(const std::string& id, transaction& in) {
  auto it = read_batch(id, in);
  if (!it || it->phase != batch_phase::open || it->finished_at != 0)
    return;
  settle_total(*it, 0, in);
  save_batch(*it, 0, in);
  in.write(record_kind::progress, id, {}, in.now());
}

namespace {

/// Chunks that were not opened yet. @return how many jobs they hold
std::uint64_t find_chunks(batch_record& it, transaction& in) {
  constexpr std::size_t at_once = 100;
  std::uint64_t jobs = 0;
  std::vector<record_name> names;
  // They lie one behind the other: there are none after a gap.
  for (std::size_t chunk = 0; chunk < max_batch_jobs; ++chunk) {
    if (chunk % at_once == 0) {
      names.clear();
      for (std::size_t next = chunk; next < chunk + at_once; ++next)
        names.push_back({record_kind::staged, chunk_key(it.id, next)});
      in.prefetch(names);
    }
    const auto bytes = in.read(record_kind::staged, names[chunk % at_once].key);
    if (!bytes && it.chunks > 0)
      break;
    if (!bytes)
      continue;
    if (it.chunks == 0)
      it.opened = chunk;
    it.chunks = chunk + 1;
    jobs += unpack_chunk(*bytes).size();
  }
  return jobs;
}

} // namespace

void rebuild_batch(const std::string& id, const std::string& owner,
                   transaction& in) {
  auto it = legible_batch(id, in);
  if (it.owner.empty())
    it.owner = owner;
  it.created_at = in.now();
  it.total = find_chunks(it, in);
  const bool opens = it.chunks > 0;
  for (const auto jobs : in.tally(id))
    it.total += static_cast<std::uint64_t>(std::max<std::int64_t>(jobs, 0));
  if (it.total == 0) {
    in.remove(record_kind::batch, id);
    return;
  }
  it.phase = opens ? batch_phase::opening : batch_phase::open;
  save_batch(it, opens ? in.now() : 0, in);
  in.write(record_kind::progress, id, {}, in.now());
}

// -- reading ------------------------------------------------------------------

std::optional<batch> get_batch(const std::string& id, transaction& in) {
  const auto it = read_batch(id, in);
  if (!it || it->phase == batch_phase::staging)
    return {};
  return counted(*it, in);
}

bool is_open(const std::string& id, transaction& in) {
  const auto it = read_batch(id, in);
  return it && it->finished_at == 0;
}

} // namespace troupe::store
