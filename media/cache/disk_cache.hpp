#pragma once

#include "media/cache/blob_folder.hpp"
#include "media/cache/cache_journal.hpp"
#include "media/cache/cached.hpp"
#include "media/cache/eviction_order.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

namespace troupe::media {

/// Bytes on disk under a budget; survives its process, however that ends.
/// Equal bytes lie in one file. Blocks; thread-safe. Who looks for something
/// waits for the disk only to read that: `writing_` is held by who changes
/// files, `mutex_` by who reads or changes the tables, within it and briefly.
/// Invariants: `where_` and `blobs_` say what the journal says once `writing_`
/// is free; a blob is there while an entry names it, `bytes_` is the sum of the
/// blobs' sizes.
class disk_cache {
public:
  /// Reads the journal, but no file: what is damaged is found when it is read.
  [[nodiscard]] static result<std::unique_ptr<disk_cache>>
  open(const std::filesystem::path& folder, std::uint64_t budget);

  /// Null: not here, or found damaged and dropped.
  [[nodiscard]] cached_ptr find(const cache_key& key);

  /// Replaces what was under the key. What is larger than an eighth of the
  /// budget is not kept. What does not fit on the disk is an error, and no
  /// harm.
  [[nodiscard]] result<void> put(const cache_key& key,
                                 const cached_bytes& what);

  /// @return how many entries went
  std::size_t purge(const purge_order& order);

  /// Removes files that no entry names: those of a server that was killed
  /// between file and journal.
  std::size_t sweep();

  [[nodiscard]] cache_figures figures() const;

private:
  struct place {
    cache_key key;
    cache_key digest;
    std::uint64_t size = 0;
    cache_note note;
    bool in = false;
  };
  struct blob {
    std::uint64_t size = 0;
    std::uint32_t entries = 0;
  };

  disk_cache(blob_folder files, std::uint64_t budget)
    : files_(std::move(files)), budget_(budget) {}

  void replay(const journal_record& record);
  /// In memory alone.
  void enter(const journal_record& record);
  void leave(eviction_order::slot at);
  // The others while `writing_` is held, `mutex_` not.
  /// In the journal too.
  void drop(eviction_order::slot at);
  [[nodiscard]] std::optional<eviction_order::slot>
  least_beyond(std::uint64_t size);
  [[nodiscard]] std::optional<eviction_order::slot>
  place_of(const cache_key& key, const cache_key& digest) const;
  void make_room(std::uint64_t size);
  void compact();
  [[nodiscard]] bool holds(const cache_key& digest) const;
  [[nodiscard]] result<void> add(const journal_record& record,
                                 const std::filesystem::path& written);
  [[nodiscard]] result<void> note(eviction_order::slot at,
                                  const journal_record& record);
  void forget_broken(const cache_key& key, const cache_key& digest);

  blob_folder files_;
  const std::uint64_t budget_;
  std::mutex writing_;
  mutable std::mutex mutex_;
  std::unique_ptr<cache_journal> journal_; ///< null while it is read
  std::unordered_map<cache_key, eviction_order::slot> where_;
  std::unordered_map<cache_key, blob> blobs_; ///< by digest
  std::vector<place> slots_;
  std::vector<eviction_order::slot> free_;
  eviction_order order_;
  std::uint64_t bytes_ = 0;
  std::atomic<std::uint64_t> evicted_ = 0;
  std::atomic<std::uint64_t> broken_ = 0;
};

} // namespace troupe::media
