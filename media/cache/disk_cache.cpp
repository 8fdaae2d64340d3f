#include "media/cache/disk_cache.hpp"

#include "config/log.hpp"
#include "media/errc.hpp"

#include <utility>

namespace troupe::media {

namespace {

/// More records than this beside twice the entries are written anew.
constexpr std::uint64_t spare_records = 16384;
/// Of a file's header and its share of folders.
constexpr std::uint64_t overhead = 128;

} // namespace

result<std::unique_ptr<disk_cache>>
disk_cache::open(const std::filesystem::path& folder, std::uint64_t budget) {
  auto files = blob_folder::open(folder);
  if (!files)
    return files.error();
  std::unique_ptr<disk_cache> made{new disk_cache{std::move(*files), budget}};
  auto journal =
    cache_journal::open(folder / "journal", [&](const journal_record& each) {
      made->replay(each);
    });
  if (!journal)
    return journal.error();
  made->journal_ = std::make_unique<cache_journal>(std::move(*journal));
  made->make_room(0);
  made->compact();
  return made;
}

// -- bookkeeping --------------------------------------------------------------

void disk_cache::replay(const journal_record& record) {
  if (record.what == journal_record::kind::clear) {
    for (eviction_order::slot at = 0; at < slots_.size(); ++at)
      if (slots_[at].in)
        leave(at);
    return;
  }
  if (const auto old = where_.find(record.key); old != where_.end())
    leave(old->second);
  if (record.what == journal_record::kind::put)
    enter(record);
}

void disk_cache::enter(const journal_record& record) {
  const std::lock_guard lock{mutex_};
  if (free_.empty()) {
    free_.push_back(static_cast<eviction_order::slot>(slots_.size()));
    slots_.emplace_back();
  }
  const auto at = free_.back();
  free_.pop_back();
  slots_[at] = {record.key, record.digest, record.size, record.note, true};
  where_[record.key] = at;
  order_.add(at, record.note.cost, record.size + overhead);
  auto& file = blobs_[record.digest];
  if (file.entries++ == 0) {
    file.size = record.size;
    bytes_ += record.size + overhead;
  }
}

void disk_cache::leave(eviction_order::slot at) {
  const std::lock_guard lock{mutex_};
  auto& it = slots_[at];
  it.in = false;
  where_.erase(it.key);
  order_.remove(at);
  free_.push_back(at);
  const auto file = blobs_.find(it.digest);
  if (--file->second.entries > 0)
    return;
  bytes_ -= file->second.size + overhead;
  blobs_.erase(file);
}

/// The journal first: a file that nobody names is swept, an entry without its
/// file is a miss.
void disk_cache::drop(eviction_order::slot at) {
  const auto key = slots_[at].key;
  const auto digest = slots_[at].digest;
  leave(at);
  journal_record record;
  record.what = journal_record::kind::remove;
  record.key = key;
  if (const auto noted = journal_->add(record); !noted)
    log::warn("the image cache's journal takes nothing",
              {{"error", noted.error().message()}});
  if (!holds(digest))
    files_.remove(digest);
}

bool disk_cache::holds(const cache_key& digest) const {
  const std::lock_guard lock{mutex_};
  return blobs_.contains(digest);
}

/// What has to go before so many bytes more fit.
std::optional<eviction_order::slot>
disk_cache::least_beyond(std::uint64_t size) {
  const std::lock_guard lock{mutex_};
  return bytes_ + size > budget_ ? order_.pick() : std::nullopt;
}

void disk_cache::make_room(std::uint64_t size) {
  while (const auto least = least_beyond(size)) {
    drop(*least);
    ++evicted_;
  }
}

void disk_cache::compact() {
  if (journal_->records() <= 2 * where_.size() + spare_records)
    return;
  const auto done = journal_->rewrite([this](cache_journal& to) {
    for (const auto& each : slots_) {
      if (!each.in)
        continue;
      const auto added = to.add({journal_record::kind::put, each.key,
                                 each.digest, each.size, each.note});
      if (!added)
        return added;
    }
    return result<void>{};
  });
  if (!done)
    log::warn("the image cache's journal cannot be written anew",
              {{"error", done.error().message()}});
}

// -- calls --------------------------------------------------------------------

cached_ptr disk_cache::find(const cache_key& key) {
  auto out = std::make_shared<cached_bytes>();
  {
    const std::lock_guard lock{mutex_};
    const auto found = where_.find(key);
    if (found == where_.end())
      return nullptr;
    order_.use(found->second);
    out->note = slots_[found->second].note;
    out->digest = slots_[found->second].digest;
  }
  auto bytes = files_.read(out->digest);
  if (!bytes || !*bytes) {
    forget_broken(key, out->digest);
    return nullptr;
  }
  out->bytes = std::move(**bytes);
  return out;
}

std::optional<eviction_order::slot>
disk_cache::place_of(const cache_key& key, const cache_key& digest) const {
  const std::lock_guard lock{mutex_};
  const auto found = where_.find(key);
  if (found == where_.end() || !(slots_[found->second].digest == digest))
    return std::nullopt;
  return found->second;
}

void disk_cache::forget_broken(const cache_key& key, const cache_key& digest) {
  // It may have been evicted, or replaced, while it was read.
  if (!place_of(key, digest))
    return;
  const std::lock_guard lock{writing_};
  const auto at = place_of(key, digest);
  if (!at)
    return;
  ++broken_;
  files_.remove(digest);
  drop(*at);
}

result<void> disk_cache::put(const cache_key& key, const cached_bytes& what) {
  if (what.bytes.size() + overhead > budget_ / 8)
    return {};
  journal_record record{journal_record::kind::put, key, what.digest,
                        what.bytes.size(), what.note};
  std::filesystem::path fresh;
  if (!holds(what.digest)) {
    auto written = files_.write(what.digest, what.bytes);
    if (!written)
      return written.error();
    fresh = std::move(*written);
  }
  const std::lock_guard lock{writing_};
  return add(record, fresh);
}

/// @param written the file; empty: it is there
result<void> disk_cache::add(const journal_record& record,
                             const std::filesystem::path& written) {
  if (const auto old = where_.find(record.key); old != where_.end()) {
    if (slots_[old->second].digest == record.digest && written.empty())
      return note(old->second, record);
    drop(old->second);
  }
  make_room(record.size + overhead);
  // Making room, or the drop, may have taken the file of equal bytes.
  if (written.empty() && !holds(record.digest))
    return {};
  if (!written.empty())
    if (const auto kept = files_.keep(written, record.digest); !kept)
      return kept;
  if (const auto noted = journal_->add(record); !noted)
    return noted;
  enter(record);
  compact();
  return {};
}

/// The bytes are those that are there.
result<void> disk_cache::note(eviction_order::slot at,
                              const journal_record& record) {
  if (slots_[at].note.tags == record.note.tags)
    return {};
  if (const auto noted = journal_->add(record); !noted)
    return noted;
  const std::lock_guard lock{mutex_};
  slots_[at].note.tags = record.note.tags;
  return {};
}

std::size_t disk_cache::purge(const purge_order& order) {
  const std::lock_guard lock{writing_};
  std::size_t gone = 0;
  for (eviction_order::slot at = 0; at < slots_.size(); ++at) {
    if (!slots_[at].in || !order.meets(slots_[at].note))
      continue;
    drop(at);
    ++gone;
  }
  compact();
  return gone;
}

std::size_t disk_cache::sweep() {
  return files_.sweep([this](const cache_key& digest) {
    // A file gets its name before its entry is there.
    const std::lock_guard lock{writing_};
    return holds(digest);
  });
}

cache_figures disk_cache::figures() const {
  const std::lock_guard lock{mutex_};
  return {where_.size(), bytes_, evicted_, broken_, 0};
}

} // namespace troupe::media
