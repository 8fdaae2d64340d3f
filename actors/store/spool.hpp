#pragma once

#include "actors/store/job_store.hpp"
#include "actors/store/sqlite_db.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace troupe::store {

/// A submit as it waits: what it is to be delayed by counts from now.
[[nodiscard]] submit_op as_spooled(submit_op op, moment now);

/// What waits for a store that is away: operations in their order, in a file
/// of this server. One thread at a time.
///
/// What the store has taken may stay until it is safe there: `kept`.
///
/// Invariant: `bytes_`, `size_` and `kept_` are what the file holds.
class spool {
public:
  /// @param path of the file; `bad_config` if it belongs to somebody else
  /// @param max_bytes of all operations together
  static result<std::unique_ptr<spool>> open(const std::string& path,
                                             std::uint64_t max_bytes);

  /// Appends operations behind all others; they are on the disk when it
  /// returns. What cannot wait (see `pack_operation`) is passed over.
  /// @param always outcomes may exceed the limit, submits may not
  /// @return the number of the newest operation in the log; `queue_full` if
  /// they do not fit: nothing was appended then
  result<std::int64_t> append(std::span<const operation> ops, bool always);

  struct entry {
    std::int64_t number = 0;
    operation op;
  };
  /// All of them, oldest first.
  result<std::vector<entry>> read();

  /// The oldest operations: the store has them, and may lose them yet.
  struct kept_part {
    std::int64_t through = 0; ///< number of the newest of them
    std::string life;         ///< of the store, when it took them
    std::size_t size = 0;
  };
  [[nodiscard]] const kept_part& kept() const noexcept {
    return kept_;
  }

  /// The store has everything up to this number, in this life.
  result<void> keep(std::int64_t through, const std::string& life);

  /// Everything up to this number is done with.
  result<void> drop(std::int64_t through);

  /// Those that are kept are among them.
  [[nodiscard]] std::size_t size() const noexcept {
    return size_;
  }
  [[nodiscard]] std::uint64_t bytes() const noexcept {
    return bytes_;
  }

private:
  spool(std::unique_ptr<sqlite_db> db, std::uint64_t max_bytes);
  result<void> measure();

  std::unique_ptr<sqlite_db> db_;
  const std::uint64_t max_bytes_;
  std::size_t size_ = 0;
  std::uint64_t bytes_ = 0;
  std::int64_t newest_ = 0;
  kept_part kept_;
  statement insert_, all_, drop_, weigh_, measure_, keep_, look_up_;
};

} // namespace troupe::store
