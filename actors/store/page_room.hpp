#pragma once

#include "actors/store/job.hpp"

#include <cstddef>

namespace troupe::store {

/// Bytes of jobs that fill a page, and that a page may look at for filters
/// other than state and batch; its last job goes beyond.
inline constexpr std::size_t max_page_bytes = 8 * 1024 * 1024;
inline constexpr std::size_t max_scan_bytes = 4 * max_page_bytes;

/// What a page of jobs may still hold and look at. A new one has room.
class page_room {
public:
  /// @param size jobs of a full page
  /// @param scans whether there are such filters
  page_room(std::size_t size, bool scans) noexcept;

  [[nodiscard]] bool any() const noexcept;
  /// Jobs that may be looked at next, going by the size of those before; not
  /// more than that are to be read at a time. At least one.
  [[nodiscard]] std::size_t next() const noexcept;

  /// @param shown it belongs to the page
  void look_at(const job& it, bool shown) noexcept;

private:
  const std::size_t size_;
  const bool scans_;
  std::size_t shown_ = 0, shown_bytes_ = 0;
  std::size_t seen_ = 0, seen_bytes_ = 0;
};

} // namespace troupe::store
