#include "actors/store/packing.hpp"

#include "actors/store/archive.hpp"

#include <vector>

namespace troupe::store {

namespace {

// Each list of fields stands once, for writing and for reading.

template <class Archive, class Job>
void draft_fields(Archive& f, Job& it) {
  f(it.id), f(it.type), f(it.queue), f(it.priority), f(it.params);
  f.list(it.tags, [](auto& g, auto& tag) { g(tag); });
  f(it.owner), f(it.batch), f(it.parent), f(it.delay_ms), f(it.timeout_s);
  f(it.max_attempts), f(it.backoff.initial_s), f(it.backoff.factor);
  f(it.backoff.max_s), f(it.backoff.jitter), f(it.unique_key);
  f(it.concurrency_key), f(it.callback_url), f(it.created_at), f(it.reached);
  if (!f.since(2))
    return;
  f.list(it.depends_on, [](auto& g, auto& id) { g(id); });
  f(it.on_parent_failure);
  if (f.since(3))
    f(it.request_id), f(it.traceparent);
  if (f.since(5))
    f(it.deadline_ms);
}

template <class Archive, class Progress>
void progress_fields(Archive& f, Progress& now) {
  f(now.fraction), f(now.stage), f(now.done), f(now.total), f(now.unit);
  f(now.rate), f(now.eta_s), f(now.message);
}

template <class Archive, class Files>
void manifest_fields(Archive& f, Files& files) {
  f.list(files, [](auto& g, auto& file) {
    g(file.staged), g(file.final_path), g(file.size), g(file.sha256);
    g(file.replace);
    if (g.since(4))
      g(file.library);
  });
}

template <class Archive, class Job>
void live_fields(Archive& f, Job& it) {
  f(it.attempt), f(it.revision), f(it.fence.epoch), f(it.fence.nonce);
  f(it.losses), f(it.publishing), f(it.started_at), f(it.result);
  f(it.checkpoint);
  progress_fields(f, it.progress);
  f.list(it.errors, [](auto& g, auto& error) {
    g(error.code), g(error.message), g(error.retryable), g(error.attempt);
  });
  manifest_fields(f, it.manifest);
  if (f.since(2))
    f(it.pending), f(it.crashes), f(it.pausing), f(it.followed);
  if (!f.since(6))
    return;
  f(it.uncounted), f(it.start_told);
  f.list(it.notes, [](auto& g, auto& note) {
    g(note.time), g(note.kind), g(note.number), g(note.text);
  });
}

template <class Archive, class Job>
void searched_fields(Archive& f, Job& it) {
  f(it.state), f(it.run_at), f(it.lease_until), f(it.finished_at), f(it.node);
}

} // namespace

std::string pack_draft(const job& it) {
  archive_writer out;
  draft_fields(out, it);
  return std::move(out).take();
}

bool unpack_draft(std::string_view blob, job& it) {
  archive_reader in{blob};
  draft_fields(in, it);
  return in.done() && it.reached <= durability::local
         && it.on_parent_failure <= parent_policy::run;
}

std::string pack_live(const job& it) {
  archive_writer out;
  live_fields(out, it);
  return std::move(out).take();
}

bool unpack_live(std::string_view blob, job& it) {
  archive_reader in{blob};
  live_fields(in, it);
  return in.done();
}

std::string pack_progress(const media::progress& now) {
  archive_writer out;
  progress_fields(out, now);
  return std::move(out).take();
}

bool unpack_progress(std::string_view blob, media::progress& now) {
  archive_reader in{blob};
  progress_fields(in, now);
  return in.done();
}

std::string pack_manifest(const std::vector<media::staged_file>& files) {
  archive_writer out;
  manifest_fields(out, files);
  return std::move(out).take();
}

bool unpack_manifest(std::string_view blob,
                     std::vector<media::staged_file>& files) {
  archive_reader in{blob};
  manifest_fields(in, files);
  return in.done();
}

std::string pack_job(const job& it) {
  archive_writer out;
  draft_fields(out, it);
  live_fields(out, it);
  searched_fields(out, it);
  return std::move(out).take();
}

bool unpack_job(std::string_view blob, job& it) {
  archive_reader in{blob};
  draft_fields(in, it);
  live_fields(in, it);
  searched_fields(in, it);
  return in.done() && it.reached <= durability::local
         && it.state <= job_state::cancelled
         && it.on_parent_failure <= parent_policy::run;
}

} // namespace troupe::store
