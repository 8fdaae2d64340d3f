#include "actors/store/batch_record.hpp"

#include "actors/store/archive.hpp"
#include "actors/store/packing.hpp"

namespace troupe::store {

namespace {

template <class Archive, class Record>
void fields(Archive& f, Record& it) {
  f(it.id), f(it.owner), f(it.callback_url), f(it.created_at);
  f(it.finished_at), f(it.total), f(it.phase), f(it.opened), f(it.chunks);
  f.list(it.tags, [](auto& g, auto& tag) { g(tag); });
}

/// Times are relative until the job is added.
struct staged_job {
  std::string draft;
  timestamp_ms run_at = 0;
};

} // namespace

void save_batch(const batch_record& it, timestamp_ms due, transaction& in) {
  archive_writer out;
  fields(out, it);
  in.write(record_kind::batch, it.id, std::move(out).take(), due);
}

std::optional<batch_record> unpack_batch(std::string_view bytes) {
  batch_record it;
  archive_reader from{bytes};
  fields(from, it);
  if (!from.done())
    return {};
  return it;
}

std::optional<batch_record> read_batch(const std::string& id, transaction& in) {
  const auto bytes = in.read(record_kind::batch, id);
  return bytes ? unpack_batch(*bytes) : std::nullopt;
}

batch_record legible_batch(const std::string& id, transaction& in) {
  batch_record it;
  if (const auto bytes = in.read(record_kind::batch, id)) {
    archive_reader from{*bytes};
    fields(from, it);
  }
  batch_record known;
  known.id = id;
  if (it.id != id)
    return known;
  known.owner = std::move(it.owner);
  known.callback_url = std::move(it.callback_url);
  return known;
}

std::string chunk_key(const std::string& id, std::uint64_t chunk) {
  return id + '/' + std::to_string(chunk);
}

std::string pack_chunk(std::span<const job_draft> jobs) {
  std::vector<staged_job> staged;
  for (const auto& draft : jobs) {
    job it;
    static_cast<job_draft&>(it) = draft;
    staged.push_back({pack_draft(it), draft.run_at});
  }
  archive_writer out;
  out.list(staged, [](auto& f, auto& it) { f(it.draft), f(it.run_at); });
  return std::move(out).take();
}

std::vector<job_draft> unpack_chunk(std::string_view bytes) {
  std::vector<staged_job> staged;
  archive_reader from{bytes};
  from.list(staged, [](auto& f, auto& it) { f(it.draft), f(it.run_at); });
  std::vector<job_draft> jobs;
  for (const auto& it : staged) {
    job one;
    if (!unpack_draft(it.draft, one))
      continue;
    one.run_at = it.run_at;
    jobs.push_back(std::move(one));
  }
  return jobs;
}

} // namespace troupe::store
