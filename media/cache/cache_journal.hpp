#pragma once

#include "config/result.hpp"
#include "media/cache/cached.hpp"
#include "media/descriptor.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>

namespace troupe::media {

/// One line of the journal.
struct journal_record {
  enum class kind : std::uint8_t { put = 1, remove = 2, clear = 3 };
  kind what = kind::put;
  cache_key key;
  cache_key digest;
  std::uint64_t size = 0; ///< of the bytes
  cache_note note;
};

/// What a disk cache holds, as a file that is only added to: records of one
/// size, each with a sum. What a lost machine leaves torn is skipped. Not
/// synced: losing its end loses entries of a cache. Blocks; not thread-safe.
class cache_journal {
public:
  /// Hands each good record to `hear`, in order; `io_error`.
  [[nodiscard]] static result<cache_journal>
  open(std::filesystem::path file,
       const std::function<void(const journal_record&)>& hear);

  /// One that cannot be added leaves the file as it was; if even that fails,
  /// every later one fails too.
  [[nodiscard]] result<void> add(const journal_record& record);

  /// Replaces the file by what `write` adds to a fresh one.
  [[nodiscard]] result<void>
  rewrite(const std::function<result<void>(cache_journal&)>& write);

  /// In the file.
  [[nodiscard]] std::uint64_t records() const noexcept {
    return records_;
  }

private:
  cache_journal(std::filesystem::path file, descriptor fd)
    : file_(std::move(file)), fd_(std::move(fd)) {}
  [[nodiscard]] result<void> flush();

  std::filesystem::path file_;
  descriptor fd_;
  std::uint64_t records_ = 0;
  bool gathering_ = false; ///< a rewrite: `pending_` goes out in large pieces
  std::string pending_;
};

} // namespace troupe::media
